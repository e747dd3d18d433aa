//! Real and minted chains, changed anyhow: no panic, no other key than webpki reads, never weaker.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

use notafter::cert::CertificateFacts;
use notafter::observer::InlineObserver;
use notafter::outlook::Usage;
use notafter::pin::{ExpiryRule, PinMode, PinSetBuilder};
use notafter::source::SourceContents;
use notafter::verifier::{
    NameCheck, PinnedGrace, PresentedBounds, StapleRule, StapleStrictness, VerdictCache,
};
use notafter::{
    Certificate, ChainJudge, Event, PinOnlyVerifier, PinSet, SessionGuard, SpkiPin, TrustAnchors,
};
use rcgen::CustomExtension;
use rustls::client::danger::ServerCertVerifier;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};

use super::guards::Probe;
use super::oracles::pick;
use super::{Agreeable, NAME, name, pin_of, rounds, watching, webpki};
use crate::support::corpora::{data, files_below};
use crate::support::graph::Dice;
use crate::support::pki::{self, days};
use crate::support::proof::{any_signature, meet_server};
use crate::support::tls::ring;

fn index(dice: &mut Dice, of: &[u8]) -> usize {
    usize::try_from(dice.below(of.len() as u64)).unwrap()
}

fn byte(dice: &mut Dice) -> u8 {
    u8::try_from(dice.below(256)).unwrap()
}

/// Cuts, inserts, repeats and overwrites.
pub fn mutate(dice: &mut Dice, bytes: &mut Vec<u8>) {
    const TAGS: &[u8] = &[
        0, 0x7f, 0x80, 0x81, 0x82, 0x83, 0x84, 0xff, 0x30, 0x31, 0x17, 0x18, 0xa0, 0xa3,
    ];
    for _ in 0..=dice.below(4) {
        if bytes.is_empty() {
            bytes.push(0x30);
        }
        let at = index(dice, bytes);
        match dice.below(9) {
            0 => bytes[at] = byte(dice),
            1 => bytes[at] ^= 1 << dice.below(8),
            2 => bytes.truncate(at),
            3 => bytes.insert(at, byte(dice)),
            4 => drop(bytes.remove(at)),
            5 => {
                let end = at + 1 + usize::try_from(dice.below(20)).unwrap();
                let part = bytes[at..end.min(bytes.len())].to_vec();
                let to = index(dice, bytes);
                bytes.splice(to..to, part);
            }
            6 => bytes[at] = *pick(dice, TAGS),
            7 => bytes[at] = *pick(dice, b"0123456789Z+-"),
            _ => {
                let end = at + usize::try_from(dice.below(8)).unwrap();
                let end = end.min(bytes.len());
                bytes[at..end].fill(0xff);
            }
        }
    }
}

/// Changes contents and no lengths, so that readers come far.
pub fn tweak(dice: &mut Dice, bytes: &mut [u8]) {
    for _ in 0..=dice.below(3) {
        if bytes.is_empty() {
            return;
        }
        let at = index(dice, bytes);
        bytes[at] = match dice.below(3) {
            0 => byte(dice),
            1 => *pick(dice, b"0123456789Z"),
            _ => bytes[at] ^ (1 << dice.below(8)),
        };
    }
}

/// Often now, and every edge that clocks have.
pub fn any_unix_time(dice: &mut Dice) -> UnixTime {
    let seconds = match dice.below(8) {
        0 => 0,
        1 => u64::MAX,
        2 => u64::try_from(i64::MAX).unwrap(),
        3 => 253_402_300_799,
        4 => 253_402_300_800,
        _ => 1_767_225_600 + dice.below(40_000_000),
    };
    UnixTime::since_unix_epoch(Duration::from_secs(seconds))
}

/// A chain, leaf first, and its staple.
struct Sample {
    chain: Vec<Vec<u8>>,
    staple: Vec<u8>,
}

fn samples() -> Vec<Sample> {
    let read = |path: &std::path::Path| -> Vec<Vec<u8>> {
        let contents = SourceContents::from_bytes("", &std::fs::read(path).unwrap());
        let certificates = contents.certificates.into_iter();
        certificates.map(|c| c.certificate.der().to_vec()).collect()
    };
    let staples = data("staples");
    let staple = std::fs::read(staples.join("good.der")).unwrap();
    let stapled = ["leaf.pem", "issuer.pem"]
        .iter()
        .flat_map(|file| read(&staples.join(file)));
    let mut samples = vec![Sample {
        chain: stapled.collect(),
        staple: staple.clone(),
    }];
    for incident in ["dst-root-x3-2021", "addtrust-2020-comodo-rsa"] {
        let files = files_below(&data("incidents").join(incident).join("certs"));
        let mut chain: Vec<_> = files.iter().flat_map(|file| read(file)).collect();
        chain.sort_by_key(|der| Certificate::from_der(der.as_slice()).unwrap().is_ca());
        samples.push(Sample {
            chain,
            staple: Vec::new(),
        });
    }
    let root = pki::root("root", -10, 1000);
    let issuing = root.intermediate("issuing", -5, 500);
    // Must-staple (RFC 7633).
    let must_staple = [0x30, 3, 2, 1, 5].to_vec();
    let must_staple = CustomExtension::from_oid_content(&[1, 3, 6, 1, 5, 5, 7, 1, 24], must_staple);
    let leaf = issuing.leaf_with(&[NAME], -1, 300, |params| {
        params.custom_extensions.push(must_staple);
    });
    let chain = [&leaf.der, &issuing.der, &root.der].map(|der| der.to_vec());
    samples.push(Sample {
        chain: chain.to_vec(),
        staple,
    });
    samples
}

fn anchors(samples: &[Sample]) -> TrustAnchors {
    let above = samples.iter().flat_map(|sample| &sample.chain[1..]);
    let above: Vec<_> = above.map(|der| CertificateDer::from(der.clone())).collect();
    TrustAnchors::builder().with_certificates(&above).build()
}

fn pin(der: &[u8]) -> SpkiPin {
    SpkiPin::from_certificate(&Certificate::from_der(der).unwrap())
}

/// Whatever a server sends, at whatever instant, to a wrapper with everything that it can have.
#[test]
fn nothing_that_a_server_sends_panics() {
    let samples = samples();
    let anchors = anchors(&samples);
    let (leaf, ca) = (pin(&samples[0].chain[0]), pin(&samples[0].chain[1]));
    let set = PinSet::builder()
        .with_current(leaf)
        .with_current_ca(ca)
        .with_rejected(SpkiPin::from_spki_der(b"x"))
        .with_successor_from(SpkiPin::from_spki_der(b"s"), days(10))
        .with_expiry(days(200), ExpiryRule::GraceThenClosed { seconds: u32::MAX })
        .with_mode(PinMode::ReportOnly)
        .build()
        .unwrap();
    let observer = Arc::new(InlineObserver(|event: &Event| {
        let _ = (event.to_json(), event.to_string());
    }));
    let grace = PinnedGrace::from_seconds(PinnedGrace::MAX_SECONDS).unwrap();
    let cache = VerdictCache::builder(Arc::new(Agreeable::default()));
    let cache = cache.with_ttl(Duration::from_secs(3600)).build().unwrap();
    let lenient = watching(cache, &anchors)
        .with_pin_set(set)
        .with_staple_rule(StapleRule::WhenMustStaple(StapleStrictness::Soft))
        .with_observer(observer.clone())
        .with_grace(grace)
        .with_presented_bounds(PresentedBounds {
            certificates: usize::MAX,
            same_subject: 3,
            bytes: usize::MAX,
        })
        .build()
        .unwrap();
    let strict = watching(webpki(&anchors), &anchors)
        .with_leaf_pin(leaf)
        .with_staple_rule(StapleRule::Always(StapleStrictness::Hard))
        .with_observer(observer)
        .with_grace(grace)
        .build()
        .unwrap();
    let only = PinSet::builder().with_current(leaf).build().unwrap();
    let only = PinOnlyVerifier::builder(only.into()).with_provider(ring());
    let only = only.with_name_check(NameCheck::Skipped).build().unwrap();
    let verifiers: [&dyn ServerCertVerifier; 3] = [&*lenient, &*strict, &*any_signature(only)];
    let guard = SessionGuard::default().client(&lenient, Arc::new(Probe::default()));
    for seed in 0..rounds(2_000) {
        let mut dice = Dice::new(seed ^ 0x5eed);
        let Sample { chain, staple } = pick(&mut dice, &samples);
        let (mut chain, mut staple) = (chain.clone(), staple.clone());
        for der in &mut chain {
            match dice.below(4) {
                0 => mutate(&mut dice, der),
                1 => tweak(&mut dice, der),
                _ => {}
            }
        }
        match dice.below(3) {
            0 => mutate(&mut dice, &mut staple),
            1 => tweak(&mut dice, &mut staple),
            _ => {}
        }
        let hosts = [
            "a.example",
            "192.0.2.1",
            "2001:db8::1",
            "A.B.C.d.example.",
            NAME,
        ];
        let host = *pick(&mut dice, &hosts);
        let host = name(host);
        let now = any_unix_time(&mut dice);
        let chain: Vec<_> = chain.into_iter().map(CertificateDer::from).collect();
        let asked = catch_unwind(AssertUnwindSafe(|| {
            for verifier in verifiers {
                let _ = meet_server(verifier, (&chain[0], &chain[1..]), &host, &staple, now);
            }
            let _ = guard.tls12_session(&host);
            if seed % 8 == 0 {
                say_everything(&chain, &anchors, &host, now);
            }
        }));
        assert!(asked.is_ok(), "seed {seed}");
    }
    assert_eq!(
        (lenient.observer_panics(), strict.observer_panics()),
        (0, 0)
    );
}

fn say_everything(
    chain: &[CertificateDer<'static>],
    anchors: &TrustAnchors,
    host: &ServerName<'_>,
    now: UnixTime,
) {
    let readable = chain
        .iter()
        .filter_map(|der| Certificate::from_der(der).ok());
    let readable: Vec<_> = readable.collect();
    for certificate in &readable {
        let names = (
            certificate.short_name(),
            certificate.subject(),
            certificate.issuer(),
        );
        let details = certificate.details().map(|details| format!("{details:?}"));
        let _ = (
            names,
            details,
            certificate.ari_cert_id(),
            certificate.serial_hex(),
        );
    }
    if !readable.is_empty() {
        let algorithms = ring().signature_verification_algorithms.all;
        let judge = ChainJudge::new(anchors.clone(), algorithms, Usage::ServerAuth);
        let _ = judge.report(&readable, Some(host), now.into());
        let _ = judge
            .timeline(&readable, None)
            .map(|timeline| format!("{timeline:?}"));
    }
}

/// What webpki reads we read, and the same key of it.
#[test]
fn webpki_and_our_facts_see_the_same_key() {
    let samples = samples();
    let algorithms = ring().signature_verification_algorithms.all;
    let mut both = 0;
    for seed in 0..rounds(20_000) {
        let mut dice = Dice::new(seed ^ 0xd1ff);
        let sample = pick(&mut dice, &samples);
        let mut der = pick(&mut dice, &sample.chain).clone();
        match dice.below(2) {
            0 => mutate(&mut dice, &mut der),
            _ => tweak(&mut dice, &mut der),
        }
        let der = CertificateDer::from(der);
        let Ok(theirs) = webpki::EndEntityCert::try_from(&der) else {
            continue;
        };
        match CertificateFacts::parse(&der) {
            Ok(ours) => {
                both += 1;
                let theirs = theirs.subject_public_key_info();
                assert_eq!(theirs.as_ref(), ours.spki_der(), "seed {seed}");
            }
            Err(ours) => {
                // webpki reads the dates only when it builds a path.
                use webpki::Error::{BadDer, BadDerTime, InvalidCertValidity, TrailingData};
                let usage = webpki::KeyUsage::server_auth();
                let path =
                    theirs.verify_for_usage(algorithms, &[], &[], pki::now(), usage, None, None);

                let is_of_dates = matches!(
                    path,
                    Err(BadDer | BadDerTime | InvalidCertValidity | TrailingData(_))
                );
                assert!(is_of_dates, "seed {seed}: {ours}, webpki {:?}", path.err());
            }
        }
    }
    assert!(both > 5_000, "{both}");
}

/// Whoever a pin-only verifier accepts has, in webpki's eyes, the pinned key.
#[test]
fn pin_only_trust_and_webpki_agree_on_the_key() {
    let root = pki::root("root", -10, 1000);
    let [good, attacker] = [(); 2].map(|()| root.leaf(&[NAME], -1, 300));
    let key = good.certificate().facts().spki_der().to_vec();
    let set = PinSet::builder()
        .with_current(pin_of(&good))
        .build()
        .unwrap();
    let only = PinOnlyVerifier::builder(set.into()).with_provider(ring());
    let only = any_signature(only.build().unwrap());
    let mut accepted = 0;
    for seed in 0..rounds(20_000) {
        let mut dice = Dice::new(seed ^ 0x0717);
        let mut der = pick(&mut dice, &[&attacker, &good]).der.to_vec();
        // The pinned key, put in somewhere.
        let at = index(&mut dice, &der);
        match dice.below(4) {
            0 => drop(der.splice(at..at, key.iter().copied())),
            1 => {
                let end = (at + key.len()).min(der.len());
                der.splice(at..end, key.iter().copied());
            }
            _ => {}
        }
        mutate(&mut dice, &mut der);
        let der = CertificateDer::from(der);
        if meet_server(&*only, (&der, &[]), &name(NAME), &[], pki::now()).is_ok() {
            accepted += 1;
            if let Ok(theirs) = webpki::EndEntityCert::try_from(&der) {
                let theirs = theirs.subject_public_key_info();
                assert_eq!(theirs.as_ref(), key, "seed {seed}");
            }
        }
    }
    assert!(accepted > 100, "{accepted}");
}

/// Over mutated chains, twice each, so that the second answer is one from memory.
#[test]
fn a_wrapper_is_never_weaker_over_mutated_chains() {
    let samples = samples();
    let anchors = anchors(&samples);
    let inner = any_signature(webpki(&anchors));
    let leaves = samples.iter().map(|sample| pin(&sample.chain[0]));
    let set = leaves.fold(PinSet::builder(), PinSetBuilder::with_current);
    let cache = VerdictCache::builder(inner.clone()).with_trust_anchors(&anchors);
    let verifier = watching(cache.build().unwrap(), &anchors);
    let verifier = verifier.with_pin_set(set.build().unwrap()).build().unwrap();
    let mut accepted = 0;
    for seed in 0..rounds(1_500) {
        let mut dice = Dice::new(seed ^ 0x9e0);
        let Sample { chain, staple } = pick(&mut dice, &samples);
        let mut chain = chain.clone();
        for der in &mut chain {
            if dice.below(6) == 0 {
                tweak(&mut dice, der);
            }
        }
        if dice.below(4) == 0 {
            let other = usize::try_from(dice.below(chain.len() as u64)).unwrap();
            chain.swap(1, other.max(1));
        }
        let chain: Vec<_> = chain.into_iter().map(CertificateDer::from).collect();
        let own = Certificate::from_der(&chain[0]).ok();
        let own_name = own
            .as_ref()
            .and_then(|leaf| ServerName::try_from(leaf.short_name()).ok());
        let host = own_name.unwrap_or_else(|| name(NAME));
        let begin = own.map_or(0, |leaf| leaf.not_before().as_unix_seconds());
        let begin = u64::try_from(begin).unwrap_or(0) + dice.below(40_000_000);
        let now = UnixTime::since_unix_epoch(Duration::from_secs(begin));
        let presented = (&chain[0], &chain[1..]);
        let alone = meet_server(&*inner, presented, &host, staple, now);
        for _ in 0..2 {
            let wrapped = meet_server(&*verifier, presented, &host, staple, now);
            assert!(wrapped.is_err() || alone.is_ok(), "seed {seed}: {alone:?}");
            accepted += usize::from(wrapped.is_ok());
        }
    }
    assert!(accepted > 200, "{accepted}");
}
