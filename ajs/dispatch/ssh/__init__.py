"""Links over SSH with paramiko: the only place that knows it, and loaded only by who opens one.

``dial.py`` opens: relay, tunnel, agent; ``trust.py`` whether a host is the right one; ``user_key.py`` our own key;
``breaker.py`` leaves a host alone that refused it; ``link.py`` calls and streams on ``session.py``, one command on one
channel; ``keeper.py`` the thread that holds the deadlines and ends a link; ``transport.py`` paramiko's transport with
its faults closed off.

What paramiko does wrong, and what is done about it here, is listed in ``docs/decisions/0011-links-over-paramiko.md``.
"""
