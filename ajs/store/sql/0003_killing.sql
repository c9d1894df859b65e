-- Who asked for the end of what runs: "interrupted" of a run and "kill_asked" of a unit in it are the operations that did.
-- No command of the versions before could set either.

ALTER TABLE generation DROP COLUMN interrupted;
ALTER TABLE generation ADD COLUMN interrupted INTEGER REFERENCES operation (id);

ALTER TABLE unit_run DROP COLUMN kill_asked;
ALTER TABLE unit_run ADD COLUMN kill_asked INTEGER REFERENCES operation (id);
CREATE INDEX unit_run_killed ON unit_run (kill_asked) WHERE kill_asked IS NOT NULL;

-- The images of runs in the operation log are compared with their rows when an operation is taken back.
UPDATE operation_row
SET before = json_replace(before, '$.interrupted', NULL), after = json_replace(after, '$.interrupted', NULL)
WHERE tbl = 'generation';
