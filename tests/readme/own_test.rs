#[test]
fn somebody_is_told_nine_days_before_the_end() -> Result<(), Box<dyn std::error::Error>> {
    use notafter::testing::{RecordingObserver, TestCa};
    use notafter::{Monitor, Target, Timestamp};

    let [from, end]: [Timestamp; 2] = [
        "2026-02-01T00:00:00Z".parse()?,
        "2026-05-01T00:00:00Z".parse()?,
    ];
    let ca = TestCa::root("Test CA", from, end)?;
    let pair = ca.leaf(&["service.example"], from, end)?;
    let told = std::sync::Arc::new(RecordingObserver::new()); // or your own, that pages somebody
    let monitor = Monitor::builder()
        .with_trust_anchors(ca.anchors())
        .with_provider(rustls::crypto::ring::default_provider().into())
        .with_observer(told.clone())
        .build()?;
    monitor.watch("served", Target::from_chain(pair.chain()));
    monitor.tick(end.saturating_add(-9 * 86_400)); // no clock is read: the instant is yours
    assert_eq!(told.take_codes()[0].as_str(), "expiring");
    Ok(())
}
