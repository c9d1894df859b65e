"""YAML text ↔ units, with file, line and column in every complaint.

In reading order::

    problems.py          collects every complaint, finds what was probably meant
    tree.py              bytes → YAML events → a tree of words, lists and tables that know their places
    scalars.py           single words ↔ values: times, dates, durations, cycles, names
    kinds.py             what a key can take: how it is read, its JSON Schema, its words in the reference page
    calendar_schema.py   the keys of a calendar: type, sentence, default and example of each,
    start_day_schema.py  those of a start day,
    rule_schema.py       of a schedule rule,
    agent_scalars.py     single words about agents: hosts, users, public keys
    text_schema.py       texts and names as many keys take them
    agent_schema.py      the keys of agents, agent groups and destinations,
    jobnet_schema.py     of a jobnet's runs, besides its rules
    unit_schema.py       and of job groups, jobnets and jobs
    schedules.py         the rules of one jobnet together: numbers and links
    siblings.py          the other units that jobnets name: whose calendar, which exclusive jobnet
    relations.py         the order of the units of one jobnet: unknown names, circles, recovery units
    agents.py            the agents of all texts together, and whether the names exist that jobs and groups use
    reader.py            texts → ``Definitions``, or all problems at once
    writer.py            ``Definitions`` → canonical text
    published.py         the JSON Schema and the reference page, both made from the ``_schema`` modules
    stored.py            jobnets and calendars ↔ the compact form of the database
    stored_agents.py     agents, agent groups and destinations likewise

Only ``tree`` imports yaml; ``stored`` and ``stored_agents`` import nothing of the others, so that a command which
reads the database pays nothing for the language.
"""
