//! Servers as a client's wrapper judges them, in real handshakes.

use std::sync::Arc;
use std::time::Duration;

use notafter::event::{PeerReach, Role};
use notafter::outlook::Position;
use notafter::testing::RecordingObserver;
use notafter::verifier::{StapleRule, StapleStrictness, UnguardedSessions};
use notafter::{
    Band, Event, EventCode, Observer, PinSet, Severity, SpkiPin, TrustAnchors,
    WatchingServerVerifier,
};

use super::{NAME, clock, pin_of};
use crate::support::line::{Line, Meeting, Sessions, lines};
use crate::support::pki::{self, Ca, Leaf, NOW, days};
use crate::support::shown::Shown;

/// A line, and who is told.
struct Ground {
    line: Line,
    observer: Arc<RecordingObserver>,
}

fn grounds() -> impl Iterator<Item = Ground> {
    let lines = lines().into_iter();
    lines.map(|line| Ground {
        line,
        observer: Arc::default(),
    })
}

impl Ground {
    fn verifier(
        &self,
        anchors: &TrustAnchors,
        pins: &[SpkiPin],
        judged: bool,
    ) -> Arc<WatchingServerVerifier> {
        let mut builder = WatchingServerVerifier::builder(self.line.webpki(anchors))
            .with_provider(self.line.provider())
            .with_observer(self.observer.clone())
            .with_unguarded_sessions(UnguardedSessions::Accept);
        if judged {
            builder = builder.with_trust_anchors(anchors.clone());
        }
        let pins = pins.iter();
        let builder = pins.fold(builder, |builder, pin| builder.with_leaf_pin(*pin));
        builder.build().unwrap()
    }

    fn meet(&self, verifier: &Arc<WatchingServerVerifier>, shown: Shown<'_>) -> Meeting {
        let server = self.line.server(shown, &clock());
        let client = self.line.client(verifier, Sessions::Nowhere, &clock());
        client.meet(&server, NAME)
    }
}

/// A leaf of 90 days with 80 left, under an intermediate with 20 left, under a root.
fn service() -> (Ca, Ca, Leaf) {
    let root = pki::root("Root", -1000, 3000);
    let intermediate = root.intermediate("Issuing CA", -345, 20);
    let leaf = intermediate.leaf(&[NAME], -10, 80);
    (root, intermediate, leaf)
}

#[test]
fn an_accepted_server_is_reported_with_position_and_effective_not_after() {
    let (root, intermediate, leaf) = service();
    let anchors = pki::anchors([&root]);
    for ground in grounds() {
        let verifier = ground.verifier(&anchors, &[pin_of(&leaf)], true);
        for round in 0..2 {
            let met = ground.meet(&verifier, Shown::of(&[&leaf.der, &intermediate.der], &leaf));
            assert!(met.succeeded(), "{}", ground.line.label);
            let events = ground.observer.take();
            // Said once: the second handshake has nothing new.
            let expected = usize::from(round == 0);
            assert_eq!(events.len(), expected, "{}", ground.line.label);
            for event in events {
                assert_eq!(event.code, EventCode::PeerExpiring);
                assert_eq!(
                    (event.role, event.severity),
                    (Role::PeerServer, Severity::Critical)
                );
                assert_eq!(event.host.as_deref(), Some(NAME));
                assert_eq!(
                    (event.band_before, event.band),
                    (None, Some(Band::Critical))
                );
                assert_eq!(event.reach, Some(PeerReach::Until(days(20))));
                let subject = event.subject.unwrap();
                assert_eq!(subject.position, Position::Intermediate(0));
                assert_eq!(subject.not_after, Some(days(20)));
                assert_eq!(event.at, NOW);
                assert_eq!(
                    event.message,
                    "service.example: intermediate 0 'Issuing CA' ends in 20 d (critical); its chain \
                     verifies until 2026-01-21T00:00:00Z: have it renewed before that"
                );
            }
        }
    }
}

#[test]
fn without_trust_anchors_nothing_is_said_beyond_the_leaf() {
    let (root, intermediate, _) = service();
    let leaf = intermediate.leaf(&[NAME], -85, 5);
    for ground in grounds() {
        let verifier = ground.verifier(&pki::anchors([&root]), &[], false);
        let met = ground.meet(&verifier, Shown::of(&[&leaf.der, &intermediate.der], &leaf));
        assert!(met.succeeded(), "{}", ground.line.label);
        let events = ground.observer.take();
        let leaf_not_after = days(5);
        assert_eq!(events.len(), 1);
        assert_eq!(
            events[0].reach,
            Some(PeerReach::UnknownBeyondLeaf { leaf_not_after })
        );
        assert_eq!(events[0].subject.as_ref().unwrap().position, Position::Leaf);
    }
}

#[test]
fn a_server_with_another_key_is_refused_by_its_pin() {
    let (root, intermediate, leaf) = service();
    let anchors = pki::anchors([&root]);
    let other = SpkiPin::from_certificate(&root.certificate());
    let presented = pin_of(&leaf);
    let expected = format!(
        "{NAME} showed {presented} as its leaf, where {other} at leaf is expected: \
         if the peer changed its key on purpose, deploy its new pin, else treat this as an attack"
    );
    for ground in grounds() {
        let verifier = ground.verifier(&anchors, &[other], true);
        let met = ground.meet(&verifier, Shown::of(&[&leaf.der, &intermediate.der], &leaf));
        let refusal = met.refusal().unwrap().pin().unwrap();
        assert_eq!(refusal.to_string(), expected, "{}", ground.line.label);
        // certificate_unknown (RFC 8446, section 6).
        assert_eq!(met.alert(), Some(46), "{}", ground.line.label);
        let events = ground.observer.take();
        assert_eq!(events.len(), 1);
        assert_eq!(events[0].code, EventCode::PinMismatch);
        assert_eq!(events[0].message, expected);
    }
}

#[test]
fn a_pinned_certificate_that_is_only_sent_along_does_not_help() {
    let (root, intermediate, leaf) = service();
    let anchors = pki::anchors([&root]);
    // CVE-2016-2402: the pinned certificate is appended by whoever answers.
    let pinned = root.leaf(&[NAME], -10, 80);
    for ground in grounds() {
        let verifier = ground.verifier(&anchors, &[pin_of(&pinned)], true);
        let chain = [&leaf.der, &intermediate.der, &pinned.der];
        let met = ground.meet(&verifier, Shown::of(&chain, &leaf));
        let refusal = met.refusal().unwrap();
        assert!(refusal.pin().is_some(), "{}", ground.line.label);
    }
}

#[test]
fn a_pin_of_a_ca_counts_on_the_path_that_verified_alone() {
    let (root, intermediate, leaf) = service();
    let stranger = pki::root("Stranger", -1000, 3000);
    let anchors = pki::anchors([&root]);
    for ground in grounds() {
        for (ca, is_accepted) in [(&intermediate, true), (&root, true), (&stranger, false)] {
            let pin = SpkiPin::from_certificate(&ca.certificate());
            let set = PinSet::builder().with_current_ca(pin).build().unwrap();
            let verifier = WatchingServerVerifier::builder(ground.line.webpki(&anchors))
                .with_provider(ground.line.provider())
                .with_trust_anchors(anchors.clone())
                .with_pin_set(set)
                .build()
                .unwrap();
            // The stranger is sent along, and is on no path.
            let chain = [&leaf.der, &intermediate.der, &stranger.der];
            let met = ground.meet(&verifier, Shown::of(&chain, &leaf));
            assert_eq!(met.succeeded(), is_accepted, "{}", ground.line.label);
            let is_refused = met.refusal().is_some_and(|refusal| refusal.pin().is_some());
            assert_eq!(is_refused, !is_accepted, "{}", ground.line.label);
        }
    }
}

/// A staple comes to those who ask for it: this one is worth nothing, and seen.
#[test]
fn a_staple_is_looked_at_and_decides_by_the_rule() {
    const GARBAGE: &[u8] = b"no response of anybody";
    let (root, intermediate, leaf) = service();
    let anchors = pki::anchors([&root]);
    let hard = StapleRule::Always(StapleStrictness::Hard);
    // The rule, the staple, whether the server is accepted, and whether of the staple is told.
    let cases = [
        (StapleRule::Observe, None, true, false),
        (StapleRule::Observe, Some(GARBAGE), true, true),
        (hard, None, false, true),
        (hard, Some(GARBAGE), false, true),
    ];
    for ground in grounds() {
        for (rule, staple, is_accepted, is_told) in cases {
            let verifier = WatchingServerVerifier::builder(ground.line.webpki(&anchors))
                .with_provider(ground.line.provider())
                .with_trust_anchors(anchors.clone())
                .with_observer(ground.observer.clone())
                .with_staple_rule(rule)
                .build()
                .unwrap();
            let mut shown = Shown::of(&[&leaf.der, &intermediate.der], &leaf);
            if let Some(staple) = staple {
                shown = shown.stapling(staple);
            }
            let met = ground.meet(&verifier, shown);
            let label = format!("{} {rule:?} {staple:?}", ground.line.label);
            assert_eq!(met.succeeded(), is_accepted, "{label}");
            // bad_certificate_status_response (RFC 6066, section 8).
            assert_eq!(met.alert(), (!is_accepted).then_some(113), "{label}");
            let codes = ground.observer.take_codes();
            let told = codes.contains(&EventCode::StapleNotGood);
            assert_eq!(told, is_told, "{label} {codes:?}");
        }
    }
}

#[test]
fn an_expired_intermediate_is_refused_by_the_inner_verifier_and_named() {
    let root = pki::root("Root", -1000, 3000);
    let intermediate = root.intermediate("Issuing CA", -366, -1);
    let leaf = intermediate.leaf(&[NAME], -10, 80);
    let anchors = pki::anchors([&root]);
    for ground in grounds() {
        let verifier = ground.verifier(&anchors, &[pin_of(&leaf)], true);
        let met = ground.meet(&verifier, Shown::of(&[&leaf.der, &intermediate.der], &leaf));
        // The inner verifier's own error, unchanged.
        let ended = met.refusal().unwrap().ended();
        assert_eq!(ended, Some(days(-1)), "{}", ground.line.label);
        // certificate_expired.
        assert_eq!(met.alert(), Some(45), "{}", ground.line.label);
        let events = ground.observer.take();
        assert_eq!(events.len(), 1);
        let subject = events[0].subject.as_ref().unwrap();
        assert_eq!(events[0].code, EventCode::PeerExpired);
        assert_eq!(events[0].band, Some(Band::Expired));
        assert_eq!(
            (subject.position, subject.name.as_str()),
            (Position::Intermediate(0), "Issuing CA")
        );
        assert_eq!(
            events[0].message,
            "service.example was refused: its intermediate 0 'Issuing CA' expired at \
             2025-12-31T00:00:00Z; its operator must renew it"
        );
    }
}

#[test]
fn a_server_that_is_not_valid_yet_points_at_the_clock() {
    let root = pki::root("Root", -1000, 3000);
    let leaf = root.leaf(&[NAME], 1, 90);
    for ground in grounds() {
        let verifier = ground.verifier(&pki::anchors([&root]), &[], true);
        let met = ground.meet(&verifier, Shown::of(&[&leaf.der], &leaf));
        assert!(met.refusal().is_some(), "{}", ground.line.label);
        let events = ground.observer.take();
        assert_eq!(events[0].code, EventCode::PeerNotYetValid);
        assert!(events[0].message.contains("check this machine's clock"));
    }
}

/// Somebody who has the certificate and not its key is told of by number alone, and nothing is remembered of him.
#[test]
fn who_does_not_prove_that_he_has_the_key_is_nobody() {
    let (root, intermediate, leaf) = service();
    let anchors = pki::anchors([&root]);
    let thief = root.leaf(&[NAME], -10, 80);
    for ground in grounds() {
        let verifier = ground.verifier(&anchors, &[pin_of(&leaf)], true);
        let stolen = [&leaf.der, &intermediate.der];
        let met = ground.meet(&verifier, Shown::of(&stolen, &thief));
        assert!(!met.succeeded(), "{}", ground.line.label);
        assert!(met.refusal().unwrap().pin().is_none());
        let told = ground.observer.take();
        assert!(
            told.iter()
                .all(|event| event.severity == Severity::Unproven)
        );
        // The owner is told of as if nobody had been there before.
        let met = ground.meet(&verifier, Shown::of(&stolen, &leaf));
        assert!(met.succeeded(), "{}", ground.line.label);
        let codes = ground.observer.take_codes();
        assert_eq!(codes, [EventCode::PeerExpiring], "{}", ground.line.label);
    }
}

#[test]
fn an_observer_that_panics_changes_nothing_and_is_counted() {
    let (root, intermediate, _) = service();
    let anchors = pki::anchors([&root]);
    let leaf = intermediate.leaf(&[NAME], -85, 5);
    for ground in grounds() {
        let panics: Arc<dyn Observer> =
            Arc::new(|_: &Event| std::panic::resume_unwind(Box::new("observer")));
        let verifier = WatchingServerVerifier::builder(ground.line.webpki(&anchors))
            .with_observer(panics)
            .with_observer(ground.observer.clone())
            .build()
            .unwrap();
        let chain = [&leaf.der, &intermediate.der];
        let met = ground.meet(&verifier, Shown::of(&chain, &leaf));
        assert!(met.succeeded(), "{}", ground.line.label);
        assert!(verifier.flush_events(Duration::from_secs(20)));
        assert_eq!(verifier.observer_panics(), 1);
        assert_eq!(ground.observer.take().len(), 1);
    }
}
