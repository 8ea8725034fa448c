-- requires: 20.8
-- 0010 made the table anew, ordered so that an alert is found without the other index of 0005.
ALTER TABLE alerts ADD INDEX IF NOT EXISTS by_household household TYPE bloom_filter(0.01) GRANULARITY 4;
ALTER TABLE alerts MATERIALIZE INDEX by_household;
