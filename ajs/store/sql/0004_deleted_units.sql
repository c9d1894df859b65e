-- A unit that was deleted keeps its row and its id: what ran under its name hangs on them. "deleted" is the operation
-- that did it; NULL is a unit that is there.
ALTER TABLE unit ADD COLUMN deleted INTEGER REFERENCES operation (id);
