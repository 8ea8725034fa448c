-- What rules in shadow runs said: rows like those of alerts, in a table that no list and no figure reads.
-- The partition key is a function of the row's identity, so that a repeated insert lands where the first one did.
CREATE TABLE IF NOT EXISTS alerts_shadow (
    alert_id String,
    revision UInt32,
    state String,
    household String,
    detector String,
    detector_version String,
    family String,
    subject String,
    cause String,
    since Date,
    severity UInt8,
    measure Int64,
    unit String,
    threshold Int64,
    threshold_document String,
    threshold_status String,
    policy String,
    reason String,
    responsible_area String,
    hukou_area String,
    residence_area String,
    incident_area String,
    baseline UInt8,
    moved_to String,
    continues String,
    on_day Date,
    known_at_ms UInt64,
    json String,
    known_at DateTime('Asia/Shanghai') DEFAULT toDateTime(intDiv(known_at_ms, 1000), 'Asia/Shanghai')
) ENGINE = ReplacingMergeTree
PARTITION BY toYear(on_day)
ORDER BY (responsible_area, alert_id, revision);
