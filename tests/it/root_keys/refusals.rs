//! What announces nothing, and why.

use notafter::announce::{RootAnnouncementError as E, StoreNotice};
use notafter::cert::{NextRootKey, NextRootKeyError, RootKeyHash};
use notafter::pin::{Acceptance, PinPosition, PinState, PinsInForce as _};
use notafter::{Certificate, EventCode, Severity};

use super::{Root, algorithms, around, codes, pins_of, set, value, value_of};
use crate::support::pki::{NOW, days};

fn broken(certificate: &Certificate) -> Certificate {
    let mut der = certificate.der().to_vec();
    *der.last_mut().unwrap() ^= 1;
    Certificate::from_der(der).unwrap()
}

#[test]
fn what_no_pinned_root_signed_for_itself_announces_nothing() {
    let [root, next, stranger, leaf] = ["Root", "Next", "Stranger", "Leaf"].map(Root::new);
    let [retired, rejected, coming] = ["Retired", "Rejected", "Coming"].map(Root::new);
    let coming_pin = coming
        .pinned(PinState::Announced, PinPosition::Anchor)
        .with_acceptance(Acceptance::From(days(1)));
    let pinned = set([
        root.current(),
        leaf.pinned(PinState::Current, PinPosition::Leaf),
        retired.pinned(PinState::Retired, PinPosition::Anchor),
        rejected.pinned(PinState::Rejected, PinPosition::Any),
        coming_pin,
    ]);
    let name = |root: &Root| root.name.to_owned();
    let not_pinned = |root: &Root| E::NotPinned {
        subject: name(root),
        key: root.pin(),
    };
    let next_key = |reason| E::NextKey {
        subject: name(&root),
        reason,
    };
    let sha_1 = [0x2b, 0x0e, 0x03, 0x02, 0x1a];
    let sha_256 = [0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01];
    let naming = |root: &Root| {
        let mut params = root.params(-10, 3000);
        let value = value_of(&next.named_by(RootKeyHash::Sha256));
        params.custom_extensions = vec![super::extension(value)];
        params
    };
    let impostor = Root {
        name: "Root",
        key: rcgen::KeyPair::generate().unwrap(),
    };
    let placeholder = value(&sha_256, &[0; 32]);
    let cases = [
        (stranger.naming(&next), not_pinned(&stranger), "not_pinned"),
        (retired.naming(&next), not_pinned(&retired), "not_pinned"),
        (rejected.naming(&next), not_pinned(&rejected), "not_pinned"),
        (coming.naming(&next), not_pinned(&coming), "not_pinned"),
        // Another key with the root's name.
        (impostor.naming(&next), not_pinned(&impostor), "not_pinned"),
        (
            leaf.naming(&next),
            E::WrongPosition {
                subject: name(&leaf),
                key: leaf.pin(),
                position: PinPosition::Leaf,
            },
            "wrong_position",
        ),
        (
            root.signed_by(&stranger, naming(&root)),
            E::NotSelfIssued {
                subject: name(&root),
                issuer: name(&stranger),
            },
            "not_self_issued",
        ),
        // The root's own key and name, signed by somebody else of that name.
        (
            root.signed_by(&impostor, naming(&root)),
            E::BadSignature {
                subject: name(&root),
            },
            "bad_signature",
        ),
        (
            broken(&root.naming(&next)),
            E::BadSignature {
                subject: name(&root),
            },
            "bad_signature",
        ),
        (
            root.plain(),
            E::StatesNone {
                subject: name(&root),
            },
            "states_none",
        ),
        (
            root.with_values(-10, 3000, &[value(&sha_1, &[7; 20])]),
            next_key(NextRootKeyError::WeakHash { hash: "SHA-1" }),
            "weak_hash",
        ),
        (
            root.with_values(-10, 3000, &[b"garbage".to_vec()]),
            next_key(NextRootKeyError::Malformed {
                offset: 0,
                problem: notafter::cert::DerProblem::UnexpectedTag {
                    expected: 0x30,
                    found: b'g',
                },
            }),
            "malformed",
        ),
        (
            root.with_values(-10, 3000, std::slice::from_ref(&placeholder)),
            E::Placeholder {
                subject: name(&root),
                next: NextRootKey::from_extension_value(&placeholder).unwrap(),
            },
            "placeholder",
        ),
        (
            root.with_values(-10, -1, &[value_of(&next.named_by(RootKeyHash::Sha256))]),
            E::Expired {
                subject: name(&root),
                not_after: days(-1),
                now: NOW,
            },
            "expired",
        ),
        (
            root.naming_from(1, &next, RootKeyHash::Sha256),
            E::NotYetValid {
                subject: name(&root),
                not_before: days(1),
                now: NOW,
            },
            "not_yet_issued",
        ),
    ];
    let pins = around(pinned.clone(), NOW);
    for (certificate, expected, code) in cases {
        assert_eq!(pins.observe(&certificate, NOW), Err(expected.clone()));
        assert_eq!(expected.code(), code);
        let event = StoreNotice::from(expected).to_event(NOW);
        assert_eq!(event.code, EventCode::AnnouncementRefused);
        assert!(event.message.contains(code), "{}", event.message);
    }
    assert_eq!(pins_of(&pins), pinned.pins());
    assert_eq!(pins.announced(), []);
    assert_eq!(codes(&pins.tick(days(400))), [""; 0]);
}

#[test]
fn a_root_that_nobody_can_verify_announces_nothing() {
    let (root, next) = (Root::new("Root"), Root::new("Next"));
    let pins = notafter::announce::RootAnnouncedPins::builder(set([root.current()]), &[]);
    let (pins, _) = pins.open(NOW);
    let refused = pins.observe(&root.naming(&next), NOW).unwrap_err();
    let subject = "Root".to_owned();
    assert_eq!(refused, E::UnsupportedSignature { subject });
    assert!(!algorithms().is_empty());
}

#[test]
fn a_root_has_64_kib_at_the_most() {
    const MOST: usize = 64 * 1024;
    let (root, next) = (Root::new("Root"), Root::new("Next"));
    let of_size = |bytes: usize| {
        let mut params = root.params(-10, 3000);
        let value = value_of(&next.named_by(RootKeyHash::Sha256));
        let padding = rcgen::CustomExtension::from_oid_content(&[1, 2, 3], vec![0; bytes]);
        params.custom_extensions = vec![super::extension(value), padding];
        Certificate::from_der(params.self_signed(&root.key).unwrap().der()).unwrap()
    };
    let pins = around(set([root.current()]), NOW);
    let large = of_size(MOST);
    let refused = pins.observe(&large, NOW).unwrap_err();
    let bytes = large.der().len();
    assert_eq!(refused, E::TooLarge { bytes, limit: MOST });
    assert_eq!(refused.code(), "too_large");
    assert!(pins.observe(&of_size(MOST - 1_000), NOW).is_ok());
}

#[test]
fn so_many_roots_are_remembered_and_those_of_nobody_give_way() {
    let next = Root::new("Next");
    let roots: Vec<_> = (0..33).map(|_| Root::new("Root")).collect();
    let pins = around(set(roots.iter().map(Root::current)), NOW);
    let (last, first) = roots.split_last().unwrap();
    for root in first {
        pins.observe(&root.naming(&next), NOW).unwrap();
    }
    let refused = pins.observe(&last.naming(&next), NOW).unwrap_err();
    assert_eq!(refused, E::TooManyRoots { limit: 32 });
    assert_eq!(refused.code(), "too_many_roots");
    // Nothing was planted in any way.
    let generation = pins.generation();
    let announced = generation.sets.iter().flat_map(notafter::PinSet::pins);
    let announced = announced.filter(|pin| pin.state == PinState::Announced);
    assert_eq!(announced.count(), 1);
    assert_eq!(pins.announced().len(), 32);
}

#[test]
fn two_certificates_of_one_instant_that_disagree_are_a_fork_and_the_first_stays_held_down() {
    let [root, next, other] = ["Root", "Next", "Other"].map(Root::new);
    let pins = around(set([root.current()]), NOW);
    pins.observe(&root.naming(&next), NOW).unwrap();
    let before = pins_of(&pins);
    let refused = pins.observe(&root.naming(&other), days(1)).unwrap_err();
    let expected = E::Conflict {
        subject: "Root".to_owned(),
        not_before: days(-10),
    };
    assert_eq!((refused.clone(), refused.code()), (expected, "forked"));
    assert_eq!(pins_of(&pins), before);
    let event = StoreNotice::from(refused).to_event(NOW);
    assert_eq!(
        (event.code, event.severity),
        (EventCode::AnnouncementForked, Severity::Warning)
    );
    // One that names none at the same instant is no withdrawal.
    let silent = root.with_values(-10, 3000, &[]);
    assert_eq!(pins.observe(&silent, days(1)).unwrap_err().code(), "forked");
}
