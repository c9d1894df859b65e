-- Fixed registration. Columns are NULL where there is nothing to say, as in the images of rows that versions before made.

-- The calendars of all job groups at one moment, {"/sales": {...}, ...}, under the SHA-256 of that text. Never changed: a
-- fixed registration keeps what it was computed from. Never removed: the operation log can bring back every registration.
CREATE TABLE frozen_calendars (
    hash TEXT PRIMARY KEY CHECK (length(hash) = 64),
    body TEXT NOT NULL CHECK (json_valid(body))
) STRICT, WITHOUT ROWID;

-- How many future generations are real; whether starts missed without a manager are left out; the occurrences of rules
-- whose registration was cancelled; and what the runs were computed from: path, definition, calendars, and the jobnets that
-- exclude it, each because of the one before it, {"/sales/month-end": hash of its definition, ...}.
ALTER TABLE registration ADD COLUMN count INTEGER CHECK (count > 0);
ALTER TABLE registration ADD COLUMN skip_overdue INTEGER CHECK (skip_overdue = 1);
ALTER TABLE registration ADD COLUMN cancelled TEXT CHECK (cancelled IS NULL OR json_valid(cancelled));
ALTER TABLE registration ADD COLUMN frozen_path TEXT CHECK (frozen_path GLOB '/*');
ALTER TABLE registration ADD COLUMN frozen_definition TEXT REFERENCES definition (hash);
ALTER TABLE registration ADD COLUMN frozen_calendars TEXT REFERENCES frozen_calendars (hash);
ALTER TABLE registration ADD COLUMN frozen_exclusive TEXT CHECK (frozen_exclusive IS NULL OR json_valid(frozen_exclusive));
