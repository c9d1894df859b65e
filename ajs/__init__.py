"""ajs: a workload scheduler, one module per arrow of what it does.

text → units → dates → generations → changed plan → actions → effects → stored state → words

========================  =====================================================================
pure core
``errors``, ``moment``    one tree of errors; an instant as plan and machine see it
``calendar``              open and closed days, base day, base time
``choices``               what the sources leave open, one constant each
``start_days``, ``rules``  start days and their dates in a month; rules and their dates
``agents``                agents, agent groups, destinations
``model``                 job groups, jobnets, jobs
``definition``            YAML text ↔ units; JSON Schema; stored form
``reasons``               why a rule gives a run, or none
``schedule``, ``nested``  rules and calendar → ordered starts, each with its reason; nested jobnets in them
``timetables``            whose calendar counts for a jobnet, and what excludes it
``lint``                  what is suspicious in right definitions
``plan``                  registration + starts → generations and dummies
``registering``           fixed registration: for a period, a number of runs, or told ones
``replanning``            what a new definition or calendar means for what is planned
``changes``               a temporary change is a value; one file per kind
``statuses``              the statuses of units, by AJS3's names
``lifecycle``             statuses and events as tables
``causes``, ``actions``   why a status changed or a unit waits; what a decision tells the shell to do
``attempts``              what is known of one start of one job
``starting``              start, hold, skip or wait: what becomes of a run whose time has come
``decide``                snapshot + now → actions, next wake-up, reasons
``ports``                 what the shell must provide
shell
``clock``                 the only file that reads the time or sleeps
``config``                ajs.toml
``store``                 SQLite: one file per scheduler service
``dispatch``              local processes that outlive the manager; links to agents over SSH
``runner``                the manager's loop
``operations``            one function per verb, the same for every front end
front ends
``render``                results → words, tables, JSON
``cli``                   one file per command
``demo``                  the main job, played in a fresh folder; a cloud on this machine
``testing``               public fakes
========================  =====================================================================

Imports go one way: front ends → operations → runner → store, dispatch, clock, config → ports → core.
"""
