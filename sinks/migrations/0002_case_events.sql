-- Every event of every case, append-only; a repeated event is the same row.
CREATE TABLE IF NOT EXISTS case_events (
    case_id String,
    seq UInt32,
    household String,
    lane String,
    type String,
    at_ms UInt64,
    actor String,
    role String,
    reason_code String,
    evidence UInt16,
    command_id String,
    alert_id String,
    alert_revision UInt32,
    json String,
    at DateTime('Asia/Shanghai') DEFAULT toDateTime(intDiv(at_ms, 1000), 'Asia/Shanghai')
) ENGINE = ReplacingMergeTree
PARTITION BY lane
ORDER BY (case_id, seq);
