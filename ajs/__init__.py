"""ajs: a workload scheduler, one module per arrow of what it does.

text → units → dates → generations → changed plan → actions → effects → stored state → words

========================  =====================================================================
pure core
``errors``, ``moment``    one tree of errors; an instant as plan and machine see it
``calendar``              open and closed days, base day, base time
``rules``                 one frozen class per kind of start day
``agents``                agents, agent groups, destinations
``model``                 job groups, jobnets, jobs
``definition``            YAML text ↔ units; JSON Schema; stored form
``reasons``               why a rule gives a run, or none
``schedule``              rules and calendar → ordered starts, each with its reason
``plan``                  registration + starts → generations and dummies
``changes``               a temporary change is a value; one file per kind
``statuses``              the statuses of units, by AJS3's names
``lifecycle``             statuses and events as tables
``causes``, ``actions``   why a status changed or a unit waits; what a decision tells the shell to do
``attempts``              what is known of one start of one job
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
