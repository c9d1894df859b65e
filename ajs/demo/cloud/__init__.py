"""A small cloud on this machine: relays, load balancers and agents, each a process of its own on loopback.

``cloud.py`` starts and ends it; ``layout.py`` what it consists of; ``client_files.py`` how ajs and ssh are told of it;
``keys.py`` makes keys; ``records.py`` what the agents have on record about jobs; ``show.py`` what is printed of it.

The processes: ``server.py`` is an SSH server, with ``access.py`` who may log in, ``relay.py`` or ``agent.py`` what may
be done there, on ``transport.py``; ``balancer.py`` is a load balancer; ``process.py`` what all of them share.
"""
