-- Priority. Columns of generations are NULL where there is nothing to say, as in the images of rows that versions before made.

-- Temporary attributes of units, {"": {"priority": 5}, "report/print": {...}}.
ALTER TABLE generation ADD COLUMN attributes TEXT CHECK (attributes IS NULL OR json_valid(attributes));
-- The priority in force, definition and temporary changes counted.
ALTER TABLE unit_run ADD COLUMN priority INTEGER NOT NULL DEFAULT 1 CHECK (priority BETWEEN 1 AND 5);
