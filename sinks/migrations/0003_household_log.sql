-- The ordered log itself, byte for byte: what `lidm rebuild` reads when the broker no longer has it.
-- The one table whose rows are positions.
CREATE TABLE IF NOT EXISTS household_log (
    generation String,
    `partition` UInt16,
    `offset` UInt64,
    known_at_ms UInt64,
    block String
) ENGINE = ReplacingMergeTree
PARTITION BY generation
ORDER BY (generation, `partition`, `offset`);
