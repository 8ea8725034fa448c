-- What was refused, where it lies and why; never what it said.
-- letter_partition and letter_offset are the place of the sealed letter in feeds.rejected.v1 (the newest one).
CREATE TABLE IF NOT EXISTS rejected (
    generation String,
    topic String,
    `partition` UInt16,
    `offset` UInt64,
    pointer String,
    code String,
    feed String,
    digest String,
    message String,
    rejected_at_ms UInt64,
    letter_partition UInt16,
    letter_offset UInt64
) ENGINE = ReplacingMergeTree(letter_offset)
PARTITION BY generation
ORDER BY (generation, topic, `partition`, `offset`, pointer, code);
