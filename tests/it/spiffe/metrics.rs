//! Counters by identity.

use std::num::NonZeroUsize;

use notafter::event::Role;
use notafter::identity::PeerIdentity;
use notafter::observer::PeerMetricsObserver;
use notafter::{Event, EventCode, Observer as _, Severity};

use crate::support::gauges::Gauges;
use crate::support::pki::NOW;

fn event(identity: Option<&str>) -> Event {
    let code = EventCode::PeerExpiring;
    let event = Event::new(NOW, code, Severity::Warning, Role::PeerServer, "renew it");
    event.with_identity(identity.map(|text| PeerIdentity::new(text).unwrap()))
}

#[test]
fn events_are_counted_by_identity_as_long_as_there_is_room() {
    let gauges = Gauges::default();
    metrics::with_local_recorder(&gauges, || {
        let room = NonZeroUsize::new(2).unwrap();
        let observer = PeerMetricsObserver::new().with_identities(room);
        assert!(observer.is_prompt());
        for identity in [
            "spiffe://a/1",
            "spiffe://a/2",
            "spiffe://a/3",
            "spiffe://a/1",
            "spiffe://a/4",
        ] {
            observer.observe(&event(Some(identity)));
        }
        observer.observe(&event(None));
    });
    let counted = |identity: &str| {
        gauges.counter(&format!(
            "notafter_peer_events_total{{identity={identity},code=peer_expiring,severity=warning}}"
        ))
    };
    assert_eq!(counted("spiffe://a/1"), Some(2));
    assert_eq!(counted("spiffe://a/2"), Some(1));
    assert_eq!(counted("spiffe://a/3"), None);
    assert_eq!(counted("(others)"), Some(2));
    assert_eq!(counted(""), None);
}
