-- requires: 23.8
-- 0010 made the tables anew.
ALTER TABLE alerts MODIFY SETTING non_replicated_deduplication_window = 1000;
ALTER TABLE case_events MODIFY SETTING non_replicated_deduplication_window = 1000;
