-- Whole batches held for a person, and what became of them. A decision is final, so it outlasts the word that it waits.
CREATE TABLE IF NOT EXISTS feed_holds (
    feed String,
    batchid String,
    period String,
    state String,
    at_ms UInt64,
    json String,
    final UInt8
) ENGINE = ReplacingMergeTree(final)
ORDER BY (feed, batchid);
