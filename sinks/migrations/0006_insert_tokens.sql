-- requires: 23.8
-- A repeated insert of the same batch is dropped at the door; without it the rows merge later, the figures are equal.
ALTER TABLE alerts MODIFY SETTING non_replicated_deduplication_window = 1000;
ALTER TABLE case_events MODIFY SETTING non_replicated_deduplication_window = 1000;
ALTER TABLE household_log MODIFY SETTING non_replicated_deduplication_window = 1000;
ALTER TABLE rejected MODIFY SETTING non_replicated_deduplication_window = 1000;
