-- requires: 20.8
-- Finds one alert among years of them without reading every area.
ALTER TABLE alerts ADD INDEX IF NOT EXISTS by_alert_id alert_id TYPE bloom_filter(0.01) GRANULARITY 4;
ALTER TABLE alerts ADD INDEX IF NOT EXISTS by_household household TYPE bloom_filter(0.01) GRANULARITY 4;
