//! The second relaxation, pins without a CA: it lets in exactly the pinned, in their dates, by name.

use notafter::pin::{Acceptance, ExpiryRule, Pin, PinState};
use notafter::verifier::NameCheck;
use notafter::{PinOnlyVerifier, PinSet, SpkiPin, Timestamp, WatchingServerVerifier};
use rustls::client::danger::ServerCertVerifier;
use rustls::pki_types::ServerName;

use super::options::{NAME, Scene};
use crate::support::pki::{NOW, days};
use crate::support::tls::{MINUTE, ring};

fn asks(verifier: &dyn ServerCertVerifier, scene: &Scene, name: &str, at: Timestamp) -> bool {
    let name = ServerName::try_from(name.to_owned()).unwrap();
    let at = at.to_unix_time().unwrap();
    verifier
        .verify_server_cert(&scene.healthy.der, &[], &name, &[], at)
        .is_ok()
}

#[test]
fn pin_only_trust_lets_in_exactly_the_pinned() {
    let scene = Scene::new();
    let key = SpkiPin::from_certificate(&scene.healthy.certificate());
    let (from, end) = (days(10), days(20));
    let states = [
        PinState::Current,
        PinState::Backup,
        PinState::Announced,
        PinState::Retired,
        PinState::Rejected,
    ];
    let rules = [
        None,
        Some((ExpiryRule::FailClosed, 0)),
        Some((ExpiryRule::FailOpenLoudly, 0)),
        Some((ExpiryRule::GraceThenClosed { seconds: 100 }, 100)),
    ];
    let mut accepted = 0;
    for state in states {
        for acceptance in [Acceptance::Always, Acceptance::From(from)] {
            for rule in rules {
                for pinned in [key, SpkiPin::from_spki_der(b"another")] {
                    let mut pin = Pin::new(pinned, state);
                    if state.can_be_accepted() {
                        pin = pin.with_acceptance(acceptance);
                    }
                    let mut set = PinSet::builder().with_backup(scene.stranger).with_pin(pin);
                    if let Some((rule, _)) = rule {
                        set = set.with_expiry(end, rule);
                    }
                    let pins =
                        std::sync::Arc::new(notafter::pin::FixedPins::new(set.build().unwrap()));
                    for names in [NameCheck::Required, NameCheck::Skipped] {
                        let only = PinOnlyVerifier::builder(pins.clone())
                            .with_provider(ring())
                            .with_name_check(names)
                            .build()
                            .unwrap();
                        let wrapped = WatchingServerVerifier::builder(only.clone())
                            .with_trust_age(MINUTE)
                            .build()
                            .unwrap();
                        let dates = [days(-11), days(-10), days(300), days(301)];
                        let turns = [from, end, end.saturating_add(100), NOW];
                        for turn in dates.into_iter().chain(turns) {
                            for at in [-1, 0, 1].map(|offset| turn.saturating_add(offset)) {
                                for name in [NAME, "another.example"] {
                                    let grace = rule.map_or(0, |(_, grace)| grace);
                                    let accepts = state.can_be_accepted()
                                        && pinned == key
                                        && (acceptance == Acceptance::Always || from <= at)
                                        && (rule.is_none() || at <= end.saturating_add(grace))
                                        && days(-10) <= at
                                        && at <= days(300)
                                        && (names == NameCheck::Skipped || name == NAME);
                                    let context =
                                        format!("{state:?} {acceptance:?} {rule:?} {at} {name}");
                                    assert_eq!(
                                        asks(&*only, &scene, name, at),
                                        accepts,
                                        "{context}"
                                    );
                                    assert_eq!(
                                        asks(&*wrapped, &scene, name, at),
                                        accepts,
                                        "{context}"
                                    );
                                    accepted += u32::from(accepts);
                                }
                            }
                        }
                    }
                }
            }
        }
    }
    assert!(accepted > 200, "{accepted}");
}
