-- Report cards by day and by month, of each department's feed: the one made last counts.
CREATE TABLE IF NOT EXISTS feed_cards (
    feed String,
    department String,
    span String,
    period String,
    at_ms UInt64,
    rows UInt64,
    refused UInt64,
    on_time String,
    json String
) ENGINE = ReplacingMergeTree(at_ms)
ORDER BY (feed, department, span, period);
