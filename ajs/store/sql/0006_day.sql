-- What the times of the plans mean: the time zone and the 24- or 48-hour schedule that the plans were made with. NULL is
-- a state of a version before that nobody has worked on since.
ALTER TABLE service ADD COLUMN time_zone TEXT CHECK (time_zone <> '');
ALTER TABLE service ADD COLUMN schedule TEXT CHECK (schedule IN ('24h', '48h'));
