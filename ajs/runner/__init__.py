"""The manager of one scheduler service: the only loop of the program.

One turn: read the clock once, take in what is due or touched, ask ``decide``, commit all that follows in one
transaction, and only then send what is to be sent; then wait. In reading order:

``memory``    what runs, kept between the turns; what of it a decision has to see
``planning``  what a start, a skip or an end means for the plan of its root jobnet
``manager``   one turn
``jobs``      a job as it is handed to the machine: command line, folder, environment
``local``     the places of this machine: sending to the launcher, watching the spool
``loop``      turn after turn, and waiting in between
"""
