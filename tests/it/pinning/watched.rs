//! Pins that a monitor watches.

use std::sync::Arc;

use notafter::pin::{ExpiryRule, Pin, PinState};
use notafter::{Monitor, PinSet, Target, Timestamp};

use super::life::Changing;
use super::pin_of;
use crate::monitor::told;
use crate::support::pki::{self, NOW, days};
use crate::support::tls::{Recorder, ring};

#[test]
fn a_pin_set_is_told_of_as_its_date_comes_near_and_when_its_keys_run_out() {
    let root = pki::root("root", -10, 3650);
    let [current, backup] = ["a.example", "b.example"].map(|name| root.leaf(&[name], -1, 90));
    let set = |end: Timestamp, backup_state| {
        PinSet::builder()
            .with_current(pin_of(&current))
            .with_pin(Pin::new(pin_of(&backup), backup_state))
            .with_scope("a.example".parse().unwrap())
            .with_expiry(end, ExpiryRule::GraceThenClosed { seconds: 86_400 })
            .build()
            .unwrap()
    };
    let pins = Changing::new(set(days(40), PinState::Backup));
    let recorder = Arc::new(Recorder::default());
    let monitor = Monitor::builder()
        .with_trust_anchors(pki::anchors([&root]))
        .with_provider(ring())
        .with_observer(recorder.clone())
        .build()
        .unwrap();
    monitor.watch("pins", Target::from_pins(pins.clone()));
    let (due, warning, critical) = (
        ("expiring", "info"),
        ("expiring", "warning"),
        ("expiring", "critical"),
    );
    let closed = ("pin_set_expired", "critical");
    let steps = [
        (NOW, vec![]),
        (days(10).saturating_add(-1), vec![]),
        (days(10), vec![due]),
        (days(20), vec![warning]),
        (days(30), vec![critical]),
        // Within its grace; repeated, since an hour has passed.
        (days(40).saturating_add(1), vec![critical]),
        (days(41), vec![critical]),
        (days(41).saturating_add(1), vec![closed]),
    ];
    for (now, expected) in steps {
        monitor.tick(now);
        assert_eq!(told(&recorder), expected, "{now}");
    }
    pins.change(set(days(400), PinState::Retired));
    monitor.refresh("pins");
    monitor.tick(days(42));
    let mut expected = [("recovered", "info"), ("pin_only_one_usable", "warning")];
    let mut told = told(&recorder);
    told.sort_unstable();
    expected.sort_unstable();
    assert_eq!(told, expected);
}
