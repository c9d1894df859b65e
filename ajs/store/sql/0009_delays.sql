-- Delay monitoring and priority. Columns of generations are NULL where there is nothing to say, as in the images of rows that versions before made.

-- Temporary attributes of units, {"": {"priority": 5, "end_delay": "C-60"}, "report/print": {...}}.
ALTER TABLE generation ADD COLUMN attributes TEXT CHECK (attributes IS NULL OR json_valid(attributes));
-- The priority in force, definition and temporary changes counted.
ALTER TABLE unit_run ADD COLUMN priority INTEGER NOT NULL DEFAULT 1 CHECK (priority BETWEEN 1 AND 5);
-- By when a jobnet must have started and ended, and how many minutes it may take: {"start": "2026-08-11T22:30:00", ...}.
ALTER TABLE unit_run ADD COLUMN watch TEXT CHECK (watch IS NULL OR json_valid(watch));
-- The base time of the run's day, from when it starts; and the delays that were detected, [["report", "start"], ...].
ALTER TABLE generation ADD COLUMN base_time INTEGER NOT NULL DEFAULT 0 CHECK (base_time BETWEEN 0 AND 719);
ALTER TABLE generation ADD COLUMN delayed TEXT CHECK (delayed IS NULL OR json_valid(delayed));
-- Definitions with a delay in a rule, so that nothing is looked for where there are none.
CREATE INDEX definition_delay ON definition (hash) WHERE instr(body, '_delay"') > 0;
