"""Where jobs run: local processes here, links over SSH beside them.

``messages.py`` what is said about one attempt; ``guard/`` the stand-alone program that starts jobs and stays beside
them; ``spool.py`` the folder in which guards leave what they know; ``local.py`` the manager's end.

``link.py`` what a link to an agent is, ``link_errors.py`` why one fails; ``ssh/`` links over SSH, through a relay.
"""
