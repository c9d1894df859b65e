-- Flexible jobs: the relay agent through which an attempt was last heard of, and what the manager knows of the way.

ALTER TABLE attempt ADD COLUMN relay TEXT NOT NULL DEFAULT '';

-- One row: relays, agents and searches as the manager last found them (ajs/fleet.py, Met), for those who ask why.
CREATE TABLE fleet (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    body TEXT NOT NULL CHECK (json_valid(body)),
    at_utc TEXT NOT NULL CHECK (at_utc GLOB '????-??-??T??:??:??.???Z')
) STRICT;
