"""Where jobs run: local processes here, links over SSH beside them.

``messages.py`` what is said about one attempt; ``guard/`` the stand-alone program that starts jobs and stays beside
them; ``spool.py`` the folder in which guards leave what they know; ``local.py`` the manager's end.

On a destination agent: ``agent.sh`` is what runs there; ``protocol.py`` what is said to it; ``answers.py`` what it
says; ``launching.py`` the command lines that call it and the script that becomes the job.

``link.py`` what a link to an agent is, ``link_errors.py`` why one fails; ``ssh/`` links over SSH, through a relay.
"""
