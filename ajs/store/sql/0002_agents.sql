-- Agents, agent groups and destinations: where flexible jobs run, and the way there.

-- "body" is the JSON form without the name. A name stands for one thing, whatever its kind.
CREATE TABLE agent_definition (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT NOT NULL UNIQUE CHECK (name <> ''),
    kind TEXT NOT NULL CHECK (kind IN ('agent', 'agent_group', 'destination')),
    body TEXT NOT NULL CHECK (json_valid(body)),
    version INTEGER NOT NULL CHECK (version > 0)
) STRICT;

-- Operations touch them too. They belong to the scheduler service: their "unit" is the job group /.
CREATE TABLE operation_row_2 (
    seq INTEGER PRIMARY KEY,
    operation INTEGER NOT NULL REFERENCES operation (id),
    tbl TEXT NOT NULL CHECK (tbl IN ('unit', 'registration', 'generation', 'agent_definition')),
    key INTEGER NOT NULL,
    unit INTEGER NOT NULL,
    before TEXT,
    after TEXT,
    UNIQUE (operation, tbl, key)
) STRICT;
INSERT INTO operation_row_2 (seq, operation, tbl, key, unit, before, after)
SELECT seq, operation, tbl, key, unit, before, after FROM operation_row;
DROP TABLE operation_row;
ALTER TABLE operation_row_2 RENAME TO operation_row;
CREATE INDEX operation_row_key ON operation_row (tbl, key, operation);
CREATE INDEX operation_row_unit ON operation_row (unit, operation);
