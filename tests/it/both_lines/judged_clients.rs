//! Clients as a server's wrapper judges them, in real handshakes.

use std::sync::Arc;

use notafter::event::{PeerReach, Role};
use notafter::outlook::Position;
use notafter::pin::PinError;
use notafter::testing::RecordingObserver;
use notafter::verifier::UnguardedSessions;
use notafter::{EventCode, SpkiPin, TrustAnchors, WatchingClientVerifier};

use super::{NAME, clock, pin_of};
use crate::support::line::{Anonymous, Keeping, Line, Meeting, lines};
use crate::support::pki::{self, Ca, Leaf, days};
use crate::support::shown::Shown;

/// A line, who is told, and the server.
struct Ground {
    line: Line,
    observer: Arc<RecordingObserver>,
    anchors: TrustAnchors,
    server: Leaf,
}

fn grounds(root: &Ca) -> impl Iterator<Item = Ground> {
    let lines = lines().into_iter();
    lines.map(move |line| Ground {
        line,
        observer: Arc::default(),
        anchors: pki::anchors([root]),
        server: root.leaf(&[NAME], -10, 80),
    })
}

impl Ground {
    fn verifier(&self, pins: &[SpkiPin], anonymous: Anonymous) -> Arc<WatchingClientVerifier> {
        let inner = self.line.webpki_of_clients(&self.anchors, anonymous);
        let builder = WatchingClientVerifier::builder(inner)
            .with_provider(self.line.provider())
            .with_trust_anchors(self.anchors.clone())
            .with_observer(self.observer.clone())
            .with_unguarded_sessions(UnguardedSessions::Accept);
        let pins = pins.iter();
        let builder = pins.fold(builder, |builder, pin| builder.with_leaf_pin(*pin));
        builder.build().unwrap()
    }

    /// A client that shows this, or nothing, meets a server with this verifier.
    fn meet(&self, client: Option<Shown<'_>>, verifier: &Arc<WatchingClientVerifier>) -> Meeting {
        let shown = Shown::of(&[&self.server.der], &self.server);
        let keeping = Keeping::Unguarded;
        let server = self.line.mutual_server(shown, verifier, keeping, &clock());
        let client = self.line.plain_client(&self.anchors, client, &clock());
        client.meet(&server, NAME)
    }
}

#[test]
fn clients_are_reported_pinned_and_refused_likewise() {
    let root = pki::root("Root", -1000, 3000);
    let intermediate = root.intermediate("Issuing CA", -345, 20);
    let leaf = intermediate.leaf(&[NAME], -10, 80);
    let (right, wrong) = (
        pin_of(&leaf),
        SpkiPin::from_certificate(&root.certificate()),
    );
    for ground in grounds(&root) {
        let client = || Some(Shown::of(&[&leaf.der, &intermediate.der], &leaf));
        let verifier = ground.verifier(&[wrong, right], Anonymous::Refused);
        let accepted = ground.meet(client(), &verifier);
        assert!(accepted.succeeded(), "{}", ground.line.label);
        let events = ground.observer.take();
        assert_eq!(events.len(), 1);
        assert_eq!(
            (events[0].code, events[0].role),
            (EventCode::PeerExpiring, Role::PeerClient)
        );
        assert_eq!(events[0].reach, Some(PeerReach::Until(days(20))));
        assert_eq!(
            events[0].subject.as_ref().unwrap().position,
            Position::Intermediate(0)
        );

        let verifier = ground.verifier(&[wrong], Anonymous::Refused);
        let refused = ground.meet(client(), &verifier);
        let refusal = refused.servers_refusal().unwrap();
        assert!(
            matches!(refusal.pin(), Some(PinError::Mismatch { host: None, .. })),
            "{}: {refusal:?}",
            ground.line.label
        );
        assert!(refused.refusal().is_some());
        let codes = ground.observer.take_codes();
        assert_eq!(codes, [EventCode::PinMismatch], "{}", ground.line.label);
    }
}

#[test]
fn a_client_with_an_expired_intermediate_is_named_to_the_server() {
    let root = pki::root("Root", -1000, 3000);
    let intermediate = root.intermediate("Issuing CA", -366, -1);
    let leaf = intermediate.leaf(&["client.example"], -10, 80);
    for ground in grounds(&root) {
        let verifier = ground.verifier(&[], Anonymous::Refused);
        let shown = Shown::of(&[&leaf.der, &intermediate.der], &leaf);
        let met = ground.meet(Some(shown), &verifier);
        let ended = met.servers_refusal().unwrap().ended();
        assert_eq!(ended, Some(days(-1)), "{}", ground.line.label);
        let events = ground.observer.take();
        assert_eq!(events[0].code, EventCode::PeerExpired);
        assert_eq!(
            events[0].subject.as_ref().unwrap().position,
            Position::Intermediate(0)
        );
    }
}

#[test]
fn anonymous_clients_stay_as_the_inner_verifier_has_them() {
    let root = pki::root("Root", -1000, 3000);
    let pin = SpkiPin::from_certificate(&root.certificate());
    for ground in grounds(&root) {
        for (anonymous, is_accepted) in [(Anonymous::Accepted, true), (Anonymous::Refused, false)] {
            let verifier = ground.verifier(&[pin], anonymous);
            let met = ground.meet(None, &verifier);
            let is_refused = met.servers_refusal().is_some();
            assert_eq!(!is_refused, is_accepted, "{}", ground.line.label);
        }
    }
}
