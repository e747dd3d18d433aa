#![no_main]
//! Does a wrapper accept nothing that webpki refuses, and refuse nothing but what pins and bounds say?

use std::sync::Arc;

use arbitrary::Arbitrary;
use libfuzzer_sys::fuzz_target;
use notafter::observer::InlineObserver;
use notafter::pin::PinMode;
use notafter::verifier::{PinnedGrace, VerdictCache, WatchingVerifierBuilder, presented_error};
use notafter::{Certificate, Event, PinSet, Timestamp, WatchingServerVerifier, pin_error};
use notafter_fuzz::proof::{GOOD, Moods, Servers, signature};
use notafter_fuzz::world::{NAMES, World};
use notafter_fuzz::{NOW, assert_printable, ring, unix};
use rustls::Error;
use rustls::client::danger::ServerCertVerifier;
use rustls::pki_types::{CertificateDer, ServerName};

/// A chain out of the world's certificates, damaged here and there.
#[derive(Arbitrary, Debug)]
struct Case {
    leaf: u8,
    above: Vec<u8>,
    damage: Vec<Damage>,
    name: u8,
    /// In hours from now.
    at: i16,
    later: u8,
    staple: Vec<u8>,
    pins: Vec<u8>,
    pins_of_authorities: Vec<u8>,
    is_report_only: bool,
    has_grace: bool,
    has_anchors: bool,
}

#[derive(Arbitrary, Debug)]
struct Damage {
    certificate: u8,
    offset: u16,
    value: u8,
    cut: bool,
}

const GRACE: u32 = 86_400;

fuzz_target!(|case: Case| {
    let chain = presented(&case);
    let (leaf, above) = chain.split_first().expect("a leaf");
    let name = NAMES[usize::from(case.name) % NAMES.len()];
    let name = ServerName::try_from(name).expect("a name");
    let at = NOW.saturating_add(i64::from(case.at) * 3_600);
    let later = at.saturating_add(i64::from(case.later) * 600);
    let meet = |verifier: &dyn ServerCertVerifier, now: Timestamp| {
        verifier.verify_server_cert(leaf, above, &name, &case.staple, unix(now))?;
        verifier
            .verify_tls13_signature(GOOD, leaf, &signature())
            .map(drop)
    };
    let webpki = Servers::new(Arc::new(Moods::default()));

    let plain = build(
        WatchingServerVerifier::builder(webpki.clone()),
        &case,
        false,
    );
    let pinned = pins(&case).map(|pins| {
        let builder = WatchingServerVerifier::builder(webpki.clone()).with_pin_set(pins);
        build(builder, &case, case.has_grace)
    });
    let cache = VerdictCache::builder(webpki.clone());
    let cache = cache
        .with_trust_anchors(&World::get().anchors)
        .build()
        .expect("a minute");

    for now in [at, later, at] {
        let expected = meet(&*webpki, now);
        assert_eq!(
            meet(&*cache, now).is_ok(),
            expected.is_ok(),
            "the cache differs"
        );
        same_but_for_bounds(&meet(&*plain, now), &expected);
        if let Some(pinned) = &pinned {
            held_against(&meet(&**pinned, now), &expected, &case, leaf, now);
        }
    }
});

fn presented(case: &Case) -> Vec<CertificateDer<'static>> {
    let world = World::get();
    let above = case.above.iter().take(20).map(|n| usize::from(*n));
    let above = above.map(|n| match world.authorities.get(n % 24) {
        Some(authority) => authority.clone(),
        None => world.leaves[n % world.leaves.len()].clone(),
    });
    let leaf = world.leaves[usize::from(case.leaf) % world.leaves.len()].clone();
    let mut chain: Vec<_> = std::iter::once(leaf).chain(above).collect();
    for damage in case.damage.iter().take(8) {
        let count = chain.len();
        let certificate = &mut chain[usize::from(damage.certificate) % count];
        let mut der = certificate.to_vec();
        if der.is_empty() {
            continue;
        }
        let offset = usize::from(damage.offset) % der.len();
        match damage.cut {
            true => der.truncate(offset),
            false => der[offset] = damage.value,
        }
        *certificate = der.into();
    }
    chain
}

fn pins(case: &Case) -> Option<PinSet> {
    let world = World::get();
    let mut set = PinSet::builder();
    for pin in case.pins.iter().take(4) {
        let key = world.pin(usize::from(*pin & 0x3f));
        set = match pin >> 6 {
            0 | 1 => set.with_current(key),
            2 => set.with_successor_from(key, NOW),
            _ => set.with_rejected(key),
        };
    }
    for pin in case.pins_of_authorities.iter().take(4) {
        let key = world.pin_of_authority(usize::from(*pin & 0x7f));
        set = match pin >> 7 {
            0 => set.with_current_ca(key),
            _ => set.with_rejected(key),
        };
    }
    if case.is_report_only {
        set = set.with_mode(PinMode::ReportOnly);
    }
    set.build()
        .ok()
        .filter(|set| case.has_anchors || !set.needs_path())
}

fn build(
    builder: WatchingVerifierBuilder<dyn ServerCertVerifier>,
    case: &Case,
    has_grace: bool,
) -> Arc<WatchingServerVerifier> {
    let mut builder = builder
        .with_provider(ring())
        .with_observer(Arc::new(InlineObserver(|event: &Event| {
            assert_printable(&event.to_string())
        })));
    if case.has_anchors {
        builder = builder.with_trust_anchors(World::get().anchors.clone());
    }
    if has_grace {
        builder = builder.with_grace(PinnedGrace::from_seconds(GRACE).expect("a day"));
    }
    builder.build().expect("it can be built")
}

/// Without pins only the bounds may refuse more.
fn same_but_for_bounds(ours: &Result<(), Error>, expected: &Result<(), Error>) {
    match ours {
        Ok(()) => assert_eq!(*expected, Ok(())),
        Err(error) if presented_error(error).is_some() => {}
        Err(_) => assert!(same(ours, expected), "{ours:?} {expected:?}"),
    }
}

fn held_against(
    ours: &Result<(), Error>,
    expected: &Result<(), Error>,
    case: &Case,
    leaf: &CertificateDer<'_>,
    now: Timestamp,
) {
    match (ours, expected) {
        (Ok(()), Ok(())) if case.is_report_only => {}
        (Ok(()), Ok(())) => {
            let key = Certificate::from_der(leaf).map(|leaf| leaf.spki_sha256());
            let pins = pins(case).expect("it was built of them");
            let rejected = |digest| {
                pins.pins()
                    .iter()
                    .any(|pin| *pin.key.digest() == digest && !pin.can_be_accepted())
            };
            assert!(
                key.is_ok_and(|key| !rejected(key)),
                "a rejected or unreadable key"
            );
        }
        // The one relaxation: a leaf that ended a day ago at the most.
        (Ok(()), Err(_)) => {
            let leaf = Certificate::from_der(leaf).expect("a grace is for leaves that can be read");
            let over = now.seconds_since(leaf.not_after());
            assert!(
                case.has_grace && (1..=i64::from(GRACE)).contains(&over),
                "it is weaker"
            );
        }
        (Err(error), Ok(())) => {
            assert!(
                pin_error(error).is_some() || presented_error(error).is_some(),
                "{error}"
            );
            if let Some(error) = pin_error(error) {
                assert!(
                    !case.is_report_only,
                    "pins that only report refused: {error}"
                );
                assert_printable(&error.to_string());
            }
        }
        (Err(error), Err(_)) => assert!(presented_error(error).is_some() || same(ours, expected)),
    }
}

/// rustls's errors that hold another error are equal to none, not even to themselves.
fn same(one: &Result<(), Error>, other: &Result<(), Error>) -> bool {
    format!("{one:?}") == format!("{other:?}")
}
