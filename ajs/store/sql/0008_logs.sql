-- Logs to keep: the details of the oldest ended runs go, and one line for each of them stays among the fates.

-- What became of planned runs that are not among the generations any more, or never were: of one that did not run, and of
-- one that ran and whose details are no longer kept ("ran"); only that one has an end status and what follows it.
CREATE TABLE fate_2 (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    root INTEGER NOT NULL REFERENCES unit (id),
    exec_date TEXT NOT NULL CHECK (exec_date GLOB '????-??-??'),
    start TEXT NOT NULL CHECK (start GLOB '????-??-??T??:??:??'),
    ties TEXT NOT NULL CHECK (json_valid(ties)),
    fate TEXT NOT NULL CHECK (fate IN ('ran', 'skipped', 'prohibited', 'cancelled', 'missed', 'passed')),
    why TEXT NOT NULL CHECK (why <> ''),
    operation INTEGER REFERENCES operation (id),
    generation INTEGER,
    at_utc TEXT NOT NULL CHECK (at_utc GLOB '????-??-??T??:??:??.???Z'),
    status TEXT CHECK ((status IS NOT NULL) = (fate = 'ran')),
    registered_for TEXT CHECK (registered_for GLOB '????-??-??'),
    serial INTEGER CHECK (serial > 0),
    started_utc TEXT CHECK (started_utc GLOB '????-??-??T??:??:??.???Z'),
    ended_utc TEXT CHECK (ended_utc GLOB '????-??-??T??:??:??.???Z')
) STRICT;
INSERT INTO fate_2 (id, root, exec_date, start, ties, fate, why, operation, generation, at_utc)
SELECT id, root, exec_date, start, ties, fate, why, operation, generation, at_utc FROM fate;
DELETE FROM sqlite_sequence WHERE name = 'fate_2';
INSERT INTO sqlite_sequence (name, seq) SELECT 'fate_2', seq FROM sqlite_sequence WHERE name = 'fate';
DROP TABLE fate;
ALTER TABLE fate_2 RENAME TO fate;
CREATE INDEX fate_root ON fate (root, start);
-- By age, to be thrown away; and what was a run that is asked for by its number.
CREATE INDEX fate_start ON fate (start);
CREATE INDEX fate_generation ON fate (generation) WHERE generation IS NOT NULL;

CREATE INDEX generation_ended ON generation (root, ended_utc) WHERE phase = 'ended';

-- Attempts whose rows are gone and whose output has still to be removed from the disk.
CREATE TABLE leftover (
    attempt TEXT PRIMARY KEY CHECK (attempt <> '')
) STRICT, WITHOUT ROWID;
