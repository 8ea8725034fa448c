-- Figures of feeds for the report card: what intake read (by range of a feed partition) and what the gateway took.
-- A range read again after a crash begins at the same offset and replaces what was written of it before.
CREATE TABLE IF NOT EXISTS feed_reading (
    generation String,
    topic String,
    `partition` UInt16,
    first_offset UInt64,
    last_offset UInt64,
    feed String,
    known_at_ms UInt64,
    rows UInt64,
    routed UInt64,
    out_of_scope UInt64,
    refused UInt64,
    corrected UInt64,
    reversed UInt64,
    json String,
    letter_offset UInt64
) ENGINE = ReplacingMergeTree(letter_offset)
PARTITION BY generation
ORDER BY (generation, topic, `partition`, first_offset);
CREATE TABLE IF NOT EXISTS feed_receipts (
    feed String,
    receipt String,
    at_ms UInt64,
    period String,
    way String,
    department String,
    read UInt64,
    sent UInt64,
    left_out UInt64,
    refused UInt64,
    closed UInt8,
    json String,
    letter_offset UInt64
) ENGINE = ReplacingMergeTree(letter_offset)
ORDER BY (feed, receipt, at_ms);
