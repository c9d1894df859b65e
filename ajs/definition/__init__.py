"""YAML text ↔ units, with file, line and column in every complaint.

In reading order::

    problems.py   collects every complaint, suggests what was meant
    tree.py       bytes → YAML events → a tree of words, lists and tables that know their places
    scalars.py    single words ↔ values: times, dates, durations, cycles, names
    kinds.py      what a key can take: how it is read, its JSON Schema, its words in the reference page
    schema.py     the definition language: every key with type, sentence, default and example
    rulebook.py   the words of a schedule rule that depend on one another → a rule
    relations.py  the order of the units of one jobnet: unknown names, circles, recovery units
    reader.py     texts → ``Definitions``, or all problems at once
    writer.py     ``Definitions`` → canonical text
    published.py  the JSON Schema and the reference page, both made from schema.py
    stored.py     jobnets and calendars ↔ the compact form of the database

Only ``tree`` imports yaml; ``stored`` imports nothing of the others, so that a command which reads the database
pays nothing for the language.
"""
