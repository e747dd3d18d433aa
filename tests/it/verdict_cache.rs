//! The cache of verdicts: one test for each sentence of why it is safe.

use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use notafter::pin::{PinGeneration, PinSets, PinsInForce};
use notafter::revocation::{CrlExpiration, Crls};
use notafter::verifier::{VerdictCache, VerdictCacheError};
use notafter::{PinSet, SpkiPin, Timestamp, WatchingServerVerifier, pin_error};
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{CertificateError, DigitallySignedStruct, DistinguishedName, Error, SignatureScheme};

use crate::support::ocsp::{Hash, answer, by_name, data, good, signed};
use crate::support::pki::{self, NOW, days};
use crate::support::proof::{meet_server, signature};

/// Answers as it is told, and counts what it was asked.
#[derive(Debug)]
struct Inner {
    refusal: Mutex<Option<Error>>,
    verified: AtomicUsize,
    signatures: AtomicUsize,
    hints: Vec<DistinguishedName>,
}

impl Inner {
    fn accepting() -> Arc<Self> {
        Arc::new(Self {
            refusal: Mutex::new(None),
            verified: AtomicUsize::new(0),
            signatures: AtomicUsize::new(0),
            hints: vec![DistinguishedName::in_sequence(b"hint")],
        })
    }

    fn say(&self, refusal: Option<Error>) {
        *self.refusal.lock().unwrap() = refusal;
    }

    /// How often it was asked for a verdict since the last time.
    fn asked(&self) -> usize {
        self.verified.swap(0, Ordering::Relaxed)
    }
}

impl ServerCertVerifier for Inner {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        self.verified.fetch_add(1, Ordering::Relaxed);
        match self.refusal.lock().unwrap().clone() {
            Some(refusal) => Err(refusal),
            None => Ok(ServerCertVerified::assertion()),
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.signatures.fetch_add(1, Ordering::Relaxed);
        match message {
            b"good" => Ok(HandshakeSignatureValid::assertion()),
            _ => Err(Error::General("bad signature".to_owned())),
        }
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.verify_tls12_signature(message, cert, dss)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        vec![SignatureScheme::ED448]
    }

    fn requires_raw_public_keys(&self) -> bool {
        true
    }

    fn root_hint_subjects(&self) -> Option<&[DistinguishedName]> {
        Some(&self.hints)
    }
}

/// A chain of a leaf that ends first, and its issuer.
struct Chain {
    root: pki::Ca,
    issuing: pki::Ca,
    leaf: pki::Leaf,
}

impl Chain {
    fn mint() -> Self {
        let root = pki::root("Root", -100, 100);
        let issuing = root.intermediate("Issuing", -50, 60);
        let leaf = issuing.leaf(&["a.example"], -10, 20);
        Self {
            root,
            issuing,
            leaf,
        }
    }

    fn ask(&self, verifier: &dyn ServerCertVerifier, now: Timestamp) -> Result<(), Error> {
        self.ask_with(verifier, "a.example", &[], now)
    }

    fn ask_with(
        &self,
        verifier: &dyn ServerCertVerifier,
        name: &str,
        staple: &[u8],
        now: Timestamp,
    ) -> Result<(), Error> {
        let rest = [self.issuing.der.clone()];
        ask(verifier, &self.leaf.der, &rest, name, staple, now)
    }
}

fn ask(
    verifier: &dyn ServerCertVerifier,
    leaf: &CertificateDer<'_>,
    rest: &[CertificateDer<'_>],
    name: &str,
    staple: &[u8],
    now: Timestamp,
) -> Result<(), Error> {
    let name = ServerName::try_from(name.to_owned()).unwrap();
    let now = now.to_unix_time().unwrap();
    meet_server(verifier, (leaf, rest), &name, staple, now)
}

fn cache(inner: &Arc<Inner>) -> Arc<VerdictCache> {
    VerdictCache::builder(inner.clone()).build().unwrap()
}

#[test]
fn sentence_1_acceptances_are_remembered_and_refusals_are_not() {
    let (inner, chain) = (Inner::accepting(), Chain::mint());
    let cache = cache(&inner);
    let refusal = Error::InvalidCertificate(CertificateError::UnknownIssuer);
    inner.say(Some(refusal.clone()));
    for _ in 0..3 {
        assert_eq!(chain.ask(&*cache, NOW), Err(refusal.clone()));
        assert_eq!(inner.asked(), 1);
    }
    inner.say(None);
    assert_eq!(chain.ask(&*cache, NOW), Ok(()));
    assert_eq!(inner.asked(), 1);
    for _ in 0..3 {
        assert_eq!(chain.ask(&*cache, NOW), Ok(()));
        assert_eq!(inner.asked(), 0);
    }
    // Of who has no proof nothing is remembered.
    let impostor = self::cache(&inner);
    let (leaf, rest) = (&chain.leaf.der, [chain.issuing.der.clone()]);
    let name = ServerName::try_from("a.example").unwrap();
    let now = NOW.to_unix_time().unwrap();
    for signed in [None, Some(b"bad")] {
        for _ in 0..2 {
            let verified = impostor.verify_server_cert(leaf, &rest, &name, &[], now);
            assert!(verified.is_ok());
            if let Some(message) = signed {
                let proven = impostor.verify_tls13_signature(message, leaf, &signature());
                assert!(proven.is_err());
            }
            assert_eq!(inner.asked(), 1);
        }
    }
}

#[test]
fn sentence_2_nothing_else_has_the_same_key() {
    let (inner, chain) = (Inner::accepting(), Chain::mint());
    let cache = cache(&inner);
    let (leaf, issuing) = (&chain.leaf.der, &chain.issuing.der);
    let other = pki::root("Other", -100, 100).der;
    let staple = staple(&chain, days(5));
    let rest =
        |ders: &[&CertificateDer<'static>]| ders.iter().map(|d| (*d).clone()).collect::<Vec<_>>();
    let cases: [(&CertificateDer<'_>, Vec<_>, &str, &[u8]); 9] = [
        (leaf, rest(&[issuing, &other]), "a.example", &[]),
        (leaf, rest(&[&other, issuing]), "a.example", &[]),
        (leaf, rest(&[issuing]), "a.example", &[]),
        (leaf, rest(&[issuing, issuing]), "a.example", &[]),
        (leaf, rest(&[]), "a.example", &[]),
        (issuing, rest(&[leaf]), "a.example", &[]),
        (leaf, rest(&[issuing]), "b.example", &[]),
        (leaf, rest(&[issuing]), "10.0.0.1", &[]),
        (leaf, rest(&[issuing]), "a.example", &staple),
    ];
    for (leaf, rest, name, staple) in &cases {
        assert_eq!(ask(&*cache, leaf, rest, name, staple, NOW), Ok(()));
        assert_eq!(inner.asked(), 1, "{name} {} certificates", rest.len());
    }
    for (leaf, rest, name, staple) in &cases {
        assert_eq!(ask(&*cache, leaf, rest, name, staple, NOW), Ok(()));
        assert_eq!(inner.asked(), 0, "{name} {} certificates", rest.len());
    }
    // One bit of the signature of any certificate makes another chain.
    for index in 0..2 {
        let mut ders = [leaf.to_vec(), issuing.to_vec()];
        *ders[index].last_mut().unwrap() ^= 1;
        let [leaf, issuing] = ders.map(CertificateDer::from);
        assert_eq!(
            ask(&*cache, &leaf, &[issuing], "a.example", &[], NOW),
            Ok(())
        );
        assert_eq!(inner.asked(), 1);
    }
}

#[test]
fn sentence_3_a_verdict_counts_for_the_ttl_at_most() {
    let chain = Chain::mint();
    let told = || Some(pki::anchors([&chain.root]));
    for (anchors, ttl, seconds) in [
        (told(), None, 300),
        (told(), Some(60), 60),
        (told(), Some(3_600), 3_600),
        (told(), Some(0), 0),
        (None, None, 59),
        (None, Some(30), 30),
        (None, Some(3_600), 59),
    ] {
        let inner = Inner::accepting();
        let builder = VerdictCache::builder(inner.clone());
        let builder = match ttl {
            Some(ttl) => builder.with_ttl(Duration::from_secs(ttl)),
            None => builder,
        };
        let builder = match &anchors {
            Some(anchors) => builder.with_trust_anchors(anchors),
            None => builder,
        };
        let cache = builder.build().unwrap();
        chain.ask(&*cache, NOW).unwrap();
        chain.ask(&*cache, NOW.saturating_add(seconds)).unwrap();
        assert_eq!(inner.asked(), 1, "{seconds}");
        // Using it does not make it last longer.
        chain.ask(&*cache, NOW.saturating_add(seconds + 1)).unwrap();
        assert_eq!(inner.asked(), 1, "{seconds}");
    }
    let too_long = VerdictCache::builder(Inner::accepting()).with_ttl(Duration::from_secs(3_601));
    assert_eq!(
        too_long.build().unwrap_err(),
        VerdictCacheError::TtlTooLong { seconds: 3_601 }
    );
    let barely = Duration::from_secs(3_600) + Duration::from_nanos(1);
    assert!(
        VerdictCache::builder(Inner::accepting())
            .with_ttl(barely)
            .build()
            .is_err()
    );
}

#[test]
fn sentence_4_nothing_counts_after_what_was_presented_ends_or_cannot_be_read() {
    let (inner, chain) = (Inner::accepting(), Chain::mint());
    let cache = cache(&inner);
    let end = chain.leaf.certificate().not_after();
    chain.ask(&*cache, end.saturating_add(-10)).unwrap();
    chain.ask(&*cache, end).unwrap();
    assert_eq!(inner.asked(), 1);
    chain.ask(&*cache, end.saturating_add(1)).unwrap();
    chain.ask(&*cache, end.saturating_add(1)).unwrap();
    assert_eq!(inner.asked(), 2, "remembered though it had ended");
    // The same for what came along, needed or not.
    // Time went by: what follows is earlier, so it begins with a new cache.
    let begin_anew = || self::cache(&inner);
    let cache = begin_anew();
    let short = pki::root("Short", -10, 1).der;
    let end = days(1);
    for (at, expected) in [(-10, 1), (0, 0), (1, 1), (1, 1)] {
        let at = end.saturating_add(at);
        ask(
            &*cache,
            &chain.leaf.der,
            std::slice::from_ref(&short),
            "a.example",
            &[],
            at,
        )
        .unwrap();
        assert_eq!(inner.asked(), expected);
    }
    let cache = begin_anew();
    for _ in 0..2 {
        let rubbish = [CertificateDer::from(vec![0x30, 0x00])];
        ask(&*cache, &chain.leaf.der, &rubbish, "a.example", &[], NOW).unwrap();
        assert_eq!(inner.asked(), 1, "remembered though it cannot be read");
    }
}

fn staple(chain: &Chain, next_update: impl Into<Option<Timestamp>>) -> Vec<u8> {
    let (leaf, issuer) = (chain.leaf.certificate(), chain.issuing.certificate());
    let single = answer(
        (&leaf, &issuer),
        Hash::Sha1,
        good(),
        (days(-1), next_update.into()),
    );
    signed(
        data(by_name(&issuer), days(-1), vec![single]),
        chain.issuing.key(),
        &[],
    )
}

#[test]
fn sentence_5_nothing_counts_once_staple_or_lists_are_to_be_replaced() {
    let chain = Chain::mint();
    let next_update = NOW.saturating_add(100);
    let staple_until = staple(&chain, next_update);
    let asks = |cache: &VerdictCache, staple: &[u8], at: i64| {
        let at = next_update.saturating_add(at);
        chain.ask_with(cache, "a.example", staple, at).unwrap();
    };
    let inner = Inner::accepting();
    let anchors = pki::anchors([&chain.root]);
    let cached = VerdictCache::builder(inner.clone()).with_trust_anchors(&anchors);
    let cached = cached.build().unwrap();
    for (at, expected) in [(-100, 1), (-1, 0), (0, 1), (0, 1)] {
        asks(&cached, &staple_until, at);
        assert_eq!(inner.asked(), expected, "{at}");
    }
    for staple in [staple(&chain, None), b"not a staple".to_vec()] {
        for _ in 0..2 {
            asks(&cached, &staple, -100);
            assert_eq!(inner.asked(), 1);
        }
    }

    let list = pki::crl(&chain.issuing, &[]);
    let next_update = days(30);
    for (expiration, after) in [(CrlExpiration::Enforce, 1), (CrlExpiration::Ignore, 0)] {
        let crls = Crls::builder().with_der(&list).unwrap();
        let cache = VerdictCache::builder(inner.clone())
            .with_trust_anchors(&anchors)
            .with_crls(crls.with_expiration(expiration).build());
        let cache = cache.build().unwrap();
        let long = chain.issuing.leaf(&["a.example"], -1, 50).der;
        let rest = [chain.issuing.der.clone()];
        for (at, expected) in [(-100, 1), (-1, 0), (0, 1), (0, after)] {
            let at = next_update.saturating_add(at);
            ask(&*cache, &long, &rest, "a.example", &[], at).unwrap();
            assert_eq!(inner.asked(), expected, "{expiration:?} {at}");
        }
    }
}

#[test]
fn sentence_6_a_clock_set_back_asks_again() {
    let (inner, chain) = (Inner::accepting(), Chain::mint());
    let cache = cache(&inner);
    chain.ask(&*cache, NOW).unwrap();
    chain.ask(&*cache, NOW.saturating_add(-1)).unwrap();
    assert_eq!(inner.asked(), 2);
    // A grace asks about one and the same past instant for days: each time anew, though a verdict
    // about that instant was remembered when it was now.
    chain.ask(&*cache, NOW.saturating_add(86_400)).unwrap();
    for _ in 0..3 {
        chain.ask(&*cache, NOW).unwrap();
    }
    assert_eq!(inner.asked(), 4);
    // The present is remembered all the same.
    chain.ask(&*cache, NOW.saturating_add(86_400)).unwrap();
    assert_eq!(inner.asked(), 0);
}

/// Pins whose epoch is a number that anybody may change.
#[derive(Debug, Default)]
struct Epoch(AtomicU64);

impl PinsInForce for Epoch {
    fn generation(&self) -> Arc<PinGeneration> {
        let pin = SpkiPin::from_spki_der(b"of nobody");
        let set = PinSet::builder().with_current(pin).build().unwrap();
        let epoch = self.0.load(Ordering::Relaxed);
        Arc::new(PinGeneration::new(epoch, PinSets::from(set)))
    }
}

#[test]
fn sentence_7_a_new_epoch_or_forgetting_asks_again() {
    let (inner, chain) = (Inner::accepting(), Chain::mint());
    let pins = Arc::new(Epoch::default());
    let cache = VerdictCache::builder(inner.clone()).with_pins(pins.clone());
    let cache = cache.build().unwrap();
    for (epoch, expected) in [(0, 1), (0, 0), (1, 1), (1, 0), (0, 1)] {
        pins.0.store(epoch, Ordering::Relaxed);
        chain.ask(&*cache, NOW).unwrap();
        assert_eq!(inner.asked(), expected);
    }
    cache.forget_all();
    chain.ask(&*cache, NOW).unwrap();
    assert_eq!(inner.asked(), 1);

    // What is being made while all is forgotten is forgotten too.
    #[derive(Debug)]
    struct Forgetting(Mutex<Option<Arc<VerdictCache>>>, Arc<Inner>);
    impl ServerCertVerifier for Forgetting {
        fn verify_server_cert(
            &self,
            leaf: &CertificateDer<'_>,
            rest: &[CertificateDer<'_>],
            name: &ServerName<'_>,
            staple: &[u8],
            now: UnixTime,
        ) -> Result<ServerCertVerified, Error> {
            if let Some(cache) = &*self.0.lock().unwrap() {
                cache.forget_all();
            }
            self.1.verify_server_cert(leaf, rest, name, staple, now)
        }
        fn verify_tls12_signature(
            &self,
            message: &[u8],
            cert: &CertificateDer<'_>,
            dss: &DigitallySignedStruct,
        ) -> Result<HandshakeSignatureValid, Error> {
            self.1.verify_tls12_signature(message, cert, dss)
        }
        fn verify_tls13_signature(
            &self,
            message: &[u8],
            cert: &CertificateDer<'_>,
            dss: &DigitallySignedStruct,
        ) -> Result<HandshakeSignatureValid, Error> {
            self.1.verify_tls13_signature(message, cert, dss)
        }
        fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
            self.1.supported_verify_schemes()
        }
    }
    let forgetting = Arc::new(Forgetting(Mutex::new(None), inner.clone()));
    let cache = VerdictCache::builder(forgetting.clone()).build().unwrap();
    *forgetting.0.lock().unwrap() = Some(cache.clone());
    for _ in 0..3 {
        chain.ask(&*cache, NOW).unwrap();
        assert_eq!(inner.asked(), 1);
    }
    *forgetting.0.lock().unwrap() = None;
    chain.ask(&*cache, NOW).unwrap();
    chain.ask(&*cache, NOW).unwrap();
    assert_eq!(inner.asked(), 1);
}

#[test]
fn sentence_8_every_other_question_is_the_inner_verifiers() {
    let (inner, chain) = (Inner::accepting(), Chain::mint());
    let cache = cache(&inner);
    chain.ask(&*cache, NOW).unwrap();
    let signed = signature();
    let leaf = &chain.leaf.der;
    for n in 1..4 {
        assert!(cache.verify_tls12_signature(b"good", leaf, &signed).is_ok());
        assert!(cache.verify_tls13_signature(b"bad", leaf, &signed).is_err());
        assert_eq!(inner.signatures.load(Ordering::Relaxed), 2 * n + 1);
    }
    assert_eq!(cache.supported_verify_schemes(), [SignatureScheme::ED448]);
    assert!(cache.requires_raw_public_keys());
    assert_eq!(cache.root_hint_subjects().unwrap().len(), inner.hints.len());
}

#[test]
fn the_cache_is_bounded() {
    let (inner, chain) = (Inner::accepting(), Chain::mint());
    let cache = VerdictCache::builder(inner.clone()).with_capacity(NonZeroUsize::new(16).unwrap());
    let cache = cache.build().unwrap();
    for round in 0..2 {
        for n in 0..400 {
            chain
                .ask_with(&*cache, &format!("n{n}.example"), &[], NOW)
                .unwrap();
        }
        assert!(inner.asked() >= 384, "round {round}");
    }
}

#[test]
fn pins_are_judged_in_every_handshake_around_it() {
    let (inner, chain) = (Inner::accepting(), Chain::mint());
    let pins = Arc::new(Epoch::default());
    let watching = WatchingServerVerifier::builder(cache(&inner)).with_pins(pins);
    let watching = watching.build().unwrap();
    for _ in 0..3 {
        // Refused before its signature, it never proves anything, so nothing is remembered of it.
        let error = chain.ask(&*watching, NOW).unwrap_err();
        assert!(pin_error(&error).is_some(), "{error}");
        assert_eq!(inner.asked(), 1);
    }
}

#[test]
fn nothing_counts_after_the_end_of_an_anchor_that_it_was_told_of() {
    let chain = Chain::mint();
    let (short, long) = (pki::root("Short", -100, 1), pki::root("Long", -100, 3650));
    let end = short.certificate().not_after();
    for (anchors, expected) in [
        (pki::anchors([&short, &long]), [1, 0, 1, 0]),
        (pki::anchors([&long]), [1, 0, 0, 0]),
    ] {
        let inner = Inner::accepting();
        let cache = VerdictCache::builder(inner.clone()).with_trust_anchors(&anchors);
        let cache = cache.build().unwrap();
        for (at, expected) in [-10, 0, 1, 2].into_iter().zip(expected) {
            chain.ask(&*cache, end.saturating_add(at)).unwrap();
            assert_eq!(inner.asked(), expected, "{at}");
        }
    }
}
