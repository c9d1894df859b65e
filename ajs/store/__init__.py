"""The state of a scheduler service: one folder, one SQLite file; only this package speaks SQL.

In reading order:

``folder``    names, modes and file system of the service folder
``presence``  one manager per service: its lock and the socket that wakes it
``database``  opening, transactions, and every SQLite error turned into one of ours
``numbers``   execution IDs, registration numbers, attempt ids
``units``     finding units; ``define`` puts definitions in, ``sources`` gets them out with calendars and scripts
``plans``     registrations and the generations that wait; ``rows`` is their stored form
``runs``      generations that run: their units, attempts and events
``progress``  how far runs have come; the names of attempts at their places
``show``      plain rows for reading commands, without the value types of the core
``log``       the operation log: row images, history; ``undo`` takes an operation back
``backup``    backup and restore; ``upgrade`` changes the schema

Reading commands need ``database``, ``units`` and ``show`` alone; these import no value types, so that a cold command
costs little more than starting Python.
"""
