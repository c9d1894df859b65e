"""The launcher and its guards: what starts a local job, stays beside it, and writes down how it ended.

A stand-alone program (``python -I -S -X utf8 -c PROGRAM FOLDER SPOOL OWNER``, see ``local.py``), one per manager. It
imports nothing of ajs and nothing slow, because each job's guard is a fork of it; its own parts import each other
relatively, since it does not run as part of the package ``ajs``.

The *launcher* reads start requests from standard input (four bytes of length, big endian, then JSON) and forks a
*guard* for each. It ends when the manager does; guards do not notice. A guard

1. makes the attempt's folder complete under another name and renames it into place. That rename is the lock: it
   fails when the folder is there, so an attempt id runs at most once. The lock is on disk before the job runs;
2. looks whether its launcher still belongs to the newest manager (``.owner``) and backs out when not, so that a
   request left over from a killed manager cannot start what a newer manager has finished and forgotten;
3. forks the job, writes down its process id, and only then lets it go: no process id on record means never ran;
4. waits, holds the timeout, obeys SIGUSR1 (end the job: TERM, later KILL) and SIGUSR2 (KILL at once);
5. kills what is left of the job's session, puts the result on disk, and tells the manager's wake socket.

Answers go to standard output, one JSON line each: ``claimed``, ``exists``, ``superseded``, ``refused`` (the attempt
did not run, and this guard will not run it).

What a guard cannot do: see through being stopped (SIGSTOP) or killed itself. Then the attempt stays *Running* or is
*Lost*, and nobody guesses. Processes that leave the job's session are counted and left alone, as a job that starts
a daemon on purpose wants it.
"""
