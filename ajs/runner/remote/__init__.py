"""Flexible jobs: agents found behind destinations, links kept to them, and what is said over those.

``places.py`` is what the manager sees. A *scout* looks for agents on one way, a *courier* keeps the links to one agent
and carries requests and answers; each is a thread of its own, so that one that waits delays nobody else. ``books.py``
is what a courier knows of the attempts at its agent, without any I/O; ``relays.py`` the relay agents and the routes.
"""
