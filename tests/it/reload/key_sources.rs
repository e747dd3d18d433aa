//! Pairs that lie in no files: pushed by the application, or given by a source of its own.

use std::error::Error;
use std::fmt;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, mpsc};

use notafter::event::Role;
use notafter::outlook::Usage;
use notafter::reload::{AtStart, KeyMaterial, KeySource, ReloadError};
use notafter::renewal::{IdentityInForce as _, SkewKind};
use notafter::{EventCode, ReloadingKey, Severity, ThresholdPolicy};
use rcgen::ExtendedKeyUsagePurpose;
use rustls::pki_types::{CertificateDer, SubjectPublicKeyInfoDer};
use rustls::sign::{Signer, SigningKey};
use rustls::{SignatureAlgorithm, SignatureScheme};

use super::renewals::{accepted, self_signed};
use super::scene::{Scene, at, print, served, serves};
use crate::support::ocsp::{Hash, answer, by_name, data, good, signed};
use crate::support::pki::{self, Leaf, NOW, days};
use crate::support::tls;

const DAY: i64 = 86_400;
const NAME: &str = "vault: pki/service";

/// As PEM.
fn material(scene: &Scene, leaf: &Leaf) -> KeyMaterial {
    KeyMaterial::new(scene.chain(leaf), leaf.key_pair.serialize_pem())
}

fn with_issuers(leaf: &Leaf, issuers: &[&CertificateDer<'static>]) -> KeyMaterial {
    let chain = [&leaf.der].into_iter().chain(issuers.iter().copied());
    KeyMaterial::new(pki::pem_bundle(chain), leaf.key_pair.serialize_pem())
}

fn pushed(scene: &Scene, leaf: &Leaf) -> Arc<ReloadingKey> {
    let builder = scene.builder().with_pushed(NAME, material(scene, leaf));
    builder.build().unwrap()
}

/// Gives what it was told to give.
#[derive(Debug)]
struct Script {
    name: &'static str,
    gives: Mutex<Gives>,
    asked: AtomicUsize,
}

#[derive(Debug, Clone)]
enum Gives {
    Pair(KeyMaterial),
    Failure(&'static str),
    Panic,
}

impl Script {
    fn new(gives: Gives) -> Arc<Self> {
        Arc::new(Self {
            name: NAME,
            gives: Mutex::new(gives),
            asked: AtomicUsize::new(0),
        })
    }

    fn now_gives(&self, gives: Gives) {
        *self.gives.lock().unwrap() = gives;
    }
}

/// An error that says its cause apart, as those of HTTP clients do.
#[derive(Debug)]
struct Unreachable(std::io::Error);

impl fmt::Display for Unreachable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("no token: is the agent up?")
    }
}

impl Error for Unreachable {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&self.0)
    }
}

impl KeySource for Script {
    fn name(&self) -> &str {
        self.name
    }

    fn fetch(&self) -> Result<KeyMaterial, Box<dyn Error + Send + Sync>> {
        self.asked.fetch_add(1, Ordering::Relaxed);
        let gives = self.gives.lock().unwrap().clone();
        match gives {
            Gives::Pair(pair) => Ok(pair),
            Gives::Failure(cause) => Err(Box::new(Unreachable(std::io::Error::other(cause)))),
            Gives::Panic => std::panic::resume_unwind(Box::new("on purpose")),
        }
    }
}

#[test]
fn a_pushed_pair_is_served_from_the_next_handshake_on() {
    let scene = Scene::new();
    let leaves = [-10, -5, -4].map(|from| scene.leaf(from, 90));
    let [first, second, third] = &leaves;
    let key = pushed(&scene, first);
    assert!(serves(&key, first) && accepted(&key, &scene.root));
    assert!(scene.told().is_empty());
    key.set(NAME, material(&scene, second)).unwrap();
    assert!(serves(&key, second) && accepted(&key, &scene.root));
    let event = scene.told_once(EventCode::ReloadSucceeded);
    assert_eq!(event.source.as_deref(), Some(NAME));
    assert_eq!(
        event.message,
        format!(
            "{NAME}: 'a.example' is served from now on, until {}",
            days(90)
        )
    );
    assert_eq!((key.reloads_total(), key.epoch()), (1, 1));
    // In DER, one by one, as the SPIFFE Workload API has it.
    let chain = [third.der.clone(), scene.issuer.der.clone()];
    key.set(NAME, KeyMaterial::from_der(chain.clone(), &third.key))
        .unwrap();
    assert!(serves(&key, third) && accepted(&key, &scene.root));
    // The same again is nothing new.
    key.set(NAME, KeyMaterial::from_der(chain, &third.key))
        .unwrap();
    assert_eq!((key.reloads_total(), key.epoch()), (2, 2));
    assert_eq!(scene.told(), ["reload_succeeded"]);
    // Nothing is looked at in between.
    key.poll(at(100));
    key.reload_now();
    assert!(scene.told().is_empty());
    assert_eq!(key.stale_since(), None);
    let shown = &key.served()[0];
    assert_eq!(shown.certificate_file.to_str(), Some(NAME));
    assert_eq!(shown.on_disk.as_ref(), shown.leaf());
    let printed = format!("{:?} {key:?}", material(&scene, third));
    assert!(
        printed.contains(NAME) && !printed.contains("PRIVATE KEY"),
        "{printed}"
    );
}

/// What must not be served of this scene's, with the code of each.
fn bad_pairs(scene: &Scene) -> Vec<(&'static str, KeyMaterial)> {
    let rekeyed = scene.root.intermediate("Issuing CA", -2, 1500);
    let of_rekeyed = rekeyed.leaf(&["a.example"], -1, 89);
    let for_clients = scene.issuer.leaf_with(&["a.example"], -1, 89, |params| {
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
    });
    let others = scene.issuer.leaf(&["b.example"], -1, 89);
    let own = self_signed(&["a.example"], -1, 89);
    let (good, older) = (scene.leaf(-1, 89), scene.leaf(-20, 80));
    let twins: Vec<_> = (0..99)
        .map(|_| scene.root.cross_sign(&scene.issuer, -300, 900))
        .collect();
    let many: Vec<_> = [&scene.issuer.der].into_iter().chain(&twins).collect();
    let issuer = &scene.issuer.der;
    let chain = scene.chain(&good);
    let key = good.key_pair.serialize_pem();
    vec![
        ("not_signed_by_issuer", with_issuers(&of_rekeyed, &[issuer])),
        ("wrong_usage", with_issuers(&for_clients, &[issuer])),
        ("names_lost", with_issuers(&others, &[issuer])),
        ("self_signed", with_issuers(&own, &[])),
        ("older_than_served", with_issuers(&older, &[issuer])),
        ("expired", with_issuers(&scene.leaf(-5, -1), &[issuer])),
        ("not_yet_valid", with_issuers(&scene.leaf(1, 91), &[issuer])),
        ("issuer_missing", with_issuers(&good, &[])),
        ("chain_too_large", with_issuers(&good, &many)),
        (
            "key_mismatch",
            KeyMaterial::new(chain.clone(), older.key_pair.serialize_pem()),
        ),
        ("key_unreadable", KeyMaterial::new(chain.clone(), "")),
        (
            "bad_pem",
            KeyMaterial::new(chain[..chain.len() - 40].to_owned(), key.clone()),
        ),
        ("no_certificate_found", KeyMaterial::new("", key.clone())),
        ("no_certificate_found", KeyMaterial::from_der([], &good.key)),
        (
            "bad_der",
            KeyMaterial::from_der([CertificateDer::from(vec![0x30])], &good.key),
        ),
    ]
}

#[test]
fn what_is_pushed_or_given_passes_the_same_checks_as_files_and_is_never_waited_for() {
    let scene = Scene::new();
    let old = scene.leaf(-10, 80);
    for (expected, bad) in bad_pairs(&scene) {
        let source = Script::new(Gives::Pair(material(&scene, &old)));
        let from_source = scene.builder().with_source(source.clone()).build().unwrap();
        let by_push = pushed(&scene, &old);
        let refused = by_push.set(NAME, bad.clone()).unwrap_err();
        assert_eq!(refused.code(), expected);
        assert!(refused.to_string().contains(NAME), "{refused}");
        source.now_gives(Gives::Pair(bad.clone()));
        let summary = from_source.poll(NOW);
        assert_eq!(summary.refused, std::slice::from_ref(&refused));
        // Told at once by both, in the same words.
        let events = scene.events.take();
        assert_eq!(events.len(), 2, "{expected}: {events:#?}");
        assert_eq!(events[0].message, events[1].message);
        assert_eq!(events[0].code, EventCode::ReloadFailed);
        assert_eq!(events[0].source.as_deref(), Some(NAME));
        for key in [&by_push, &from_source] {
            assert!(serves(key, &old), "{expected}");
            assert!(accepted(key, &scene.root), "{expected}");
            assert_eq!(key.stale_since(), Some(NOW));
            assert_eq!(key.reload_failures_total(), 1);
            assert_eq!(key.served()[0].error, Some(refused.clone()));
            assert_eq!(key.epoch(), 0);
            // Nobody says it twice.
            assert_eq!(key.poll(at(1)).refused.len(), 1, "{expected}");
        }
        assert!(scene.told().is_empty(), "{expected}");
        let new = material(&scene, &scene.leaf(0, 90));
        by_push.set(NAME, new.clone()).unwrap();
        source.now_gives(Gives::Pair(new));
        assert_eq!(from_source.poll(at(2)).swapped, 1);
        assert_eq!(scene.told(), ["reload_succeeded"; 2], "{expected}");
        // Nor does a service start with what is wrong by itself.
        let compared = [
            "names_lost",
            "self_signed",
            "older_than_served",
            "issuer_missing",
        ];
        let started = scene.builder().with_pushed(NAME, bad).build();
        assert_eq!(started.is_ok(), compared.contains(&expected), "{expected}");
        scene.events.take();
    }
}

#[test]
fn what_was_refused_is_served_once_its_time_has_come() {
    let scene = Scene::new();
    let (old, next) = (scene.leaf(-10, 80), scene.leaf(1, 91));
    let key = pushed(&scene, &old);
    let refused = key.set(NAME, material(&scene, &next)).unwrap_err();
    assert_eq!(refused.code(), "not_yet_valid");
    assert_eq!(key.poll(at(DAY - 1)).swapped, 0);
    assert_eq!(key.poll(at(DAY)).swapped, 1);
    assert!(serves(&key, &next));
    // What is set again instead is what counts.
    let refused = key.set(NAME, material(&scene, &scene.leaf(50, 140)));
    assert_eq!(refused.unwrap_err().code(), "not_yet_valid");
    key.set(NAME, material(&scene, &next)).unwrap();
    scene.events.take();
    assert_eq!(key.poll(at(60 * DAY)).swapped, 0);
    assert_eq!(key.stale_since(), None);
}

#[test]
fn a_source_that_fails_is_told_with_its_sentence_again_at_its_interval_and_recovers_once() {
    let scene = Scene::new();
    let (old, new) = (scene.leaf(-10, 80), scene.leaf(-1, 89));
    let source = Script::new(Gives::Pair(material(&scene, &old)));
    let key = scene.builder().with_source(source.clone());
    let key = key.with_usage(Usage::ClientAuth).build().unwrap();
    assert_eq!(source.asked.load(Ordering::Relaxed), 1);
    assert_eq!(key.poll(at(1)).swapped, 0);
    assert_eq!(source.asked.load(Ordering::Relaxed), 2);

    source.now_gives(Gives::Failure("connection refused\u{1b}[31m"));
    let summary = key.poll(at(2));
    let expected = format!(r"{NAME}: no token: is the agent up?: connection refused\u{{1b}}[31m");
    assert_eq!(summary.refused[0].to_string(), expected);
    assert_eq!(summary.refused[0].code(), "source_failed");
    let event = scene.told_once(EventCode::ReloadFailed);
    assert_eq!(
        (event.severity, event.role),
        (Severity::Warning, Role::OwnClient)
    );
    assert_eq!(
        event.message,
        format!(
            "{expected}; 'a.example', which was loaded at {NOW}, is served on, until {}",
            days(80)
        )
    );
    assert!(serves(&key, &old));
    assert_eq!(key.stale_since(), Some(at(2)));
    // Daily, as warnings are.
    key.poll(at(2 + DAY - 1));
    assert!(scene.told().is_empty());
    key.poll(at(2 + DAY));
    assert_eq!(scene.told(), ["reload_failed"]);
    assert_eq!(key.reload_failures_total(), 1);
    // Another sentence is another failure.
    source.now_gives(Gives::Failure("permission denied"));
    key.reload_now();
    assert_eq!(scene.told(), ["reload_failed"]);
    source.now_gives(Gives::Panic);
    key.poll(at(3 + DAY));
    let event = scene.told_once(EventCode::ReloadFailed);
    assert!(
        event.message.starts_with(&format!("{NAME}: it panicked")),
        "{event}"
    );
    key.poll(at(4 + DAY));
    assert!(scene.told().is_empty());

    source.now_gives(Gives::Pair(material(&scene, &old)));
    key.poll(at(5 + DAY));
    assert_eq!(scene.told(), ["reload_recovered"]);
    key.poll(at(6 + DAY));
    assert!(scene.told().is_empty());
    assert_eq!((key.stale_since(), key.epoch()), (None, 0));
    source.now_gives(Gives::Pair(material(&scene, &new)));
    assert_eq!(key.poll(at(7 + DAY)).swapped, 1);
    assert!(serves(&key, &new));
}

#[test]
fn what_a_source_says_is_told_up_to_512_characters() {
    let scene = Scene::new();
    for (length, told) in [(512, 512), (513, 512)] {
        let before = "no token: is the agent up?: ".len();
        let said: &'static str = "x".repeat(length - before).leak();
        let source = scene
            .builder()
            .with_source(Script::new(Gives::Failure(said)));
        let error = source.build().unwrap_err().to_string();
        let start = format!("cannot start: {NAME}: ");
        assert_eq!(error.strip_prefix(&start).unwrap().len(), told);
    }
}

#[test]
fn a_source_that_is_down_at_the_start_stops_it_or_is_skipped() {
    let scene = Scene::new();
    let leaf = scene.leaf(-10, 80);
    scene.deploy(&leaf);
    let source = Script::new(Gives::Failure("connection refused"));
    let other = scene.issuer.leaf(&["b.example"], -10, 80);
    let builder = |at_start| {
        let builder = scene.builder().with_at_start(at_start);
        let builder = builder.with_source(source.clone());
        builder.with_pair(scene.path("tls.crt"), scene.path("tls.key"))
    };
    let refused = builder(AtStart::RequireValid).build().unwrap_err();
    let failure = format!("{NAME}: no token: is the agent up?: connection refused");
    assert_eq!(refused.to_string(), format!("cannot start: {failure}"));
    let key = builder(AtStart::SkipBroken).build().unwrap();
    let event = scene.told_once(EventCode::ReloadFailed);
    let end = "; nothing is served for it until that is done";
    assert_eq!(event.message, failure + end);
    assert_eq!(event.severity, Severity::Critical);
    assert!(serves_of(&key, 1, &leaf) && key.served()[0].leaf().is_none());
    source.now_gives(Gives::Pair(material(&scene, &other)));
    assert_eq!(key.poll(at(1)).swapped, 1);
    assert!(serves_of(&key, 0, &other));
}

fn serves_of(key: &ReloadingKey, place: usize, leaf: &Leaf) -> bool {
    let served = key.served();
    served[place].leaf().unwrap().fingerprint() == print(leaf)
}

#[test]
fn pairs_of_every_kind_come_and_go_by_name() {
    let scene = Scene::new();
    scene.deploy(&scene.leaf(-10, 80));
    let key = scene.key();
    let crt = scene.path("tls.crt").display().to_string();
    let [b, c] = ["b.example", "c.example"].map(|name| scene.issuer.leaf(&[name], -10, 80));
    let source = Script::new(Gives::Pair(material(&scene, &b)));
    key.add_source(source.clone()).unwrap();
    key.add_pushed("pushed", material(&scene, &c)).unwrap();
    assert_eq!((key.served().len(), key.epoch()), (3, 2));
    assert!(serves_of(&key, 1, &b) && serves_of(&key, 2, &c));
    // Names are unique: who is told of otherwise?
    let taken = |name: &str| {
        Err(ReloadError::NameTaken {
            name: name.to_owned(),
        })
    };
    assert_eq!(key.add_source(source.clone()), taken(NAME));
    assert_eq!(key.add_pushed(NAME, material(&scene, &c)), taken(NAME));
    assert_eq!(
        key.add_pushed(crt.clone(), material(&scene, &c)),
        taken(&crt)
    );
    let twice = scene
        .builder()
        .with_source(source.clone())
        .with_source(source.clone());
    let error = twice.build().unwrap_err();
    let expected = format!(
        "cannot start: {NAME}: another pair of this key is called so: give each a name of its own"
    );
    assert_eq!(error.to_string(), expected);
    // Only what is pushed can be set, and only under its name.
    for name in [NAME, crt.as_str(), "pusht"] {
        let nothing = ReloadError::NothingPushed {
            name: name.to_owned(),
        };
        assert_eq!(key.set(name, material(&scene, &c)), Err(nothing));
    }
    // A broken one is not added.
    let broken = Script::new(Gives::Failure("connection refused"));
    key.remove(NAME).unwrap();
    assert_eq!(key.add_source(broken).unwrap_err().code(), "source_failed");
    assert_eq!(key.served().len(), 2);
    let asked = source.asked.load(Ordering::Relaxed);
    key.poll(at(1));
    assert_eq!(
        source.asked.load(Ordering::Relaxed),
        asked,
        "nobody asks it any more"
    );
    key.remove(&crt).unwrap();
    assert_eq!(key.remove("pushed").unwrap_err().code(), "last_pair");
    assert_eq!(key.epoch(), 4);
}

/// A key that signs elsewhere.
#[derive(Debug)]
struct Token {
    inner: Arc<dyn SigningKey>,
    tells_public_key: bool,
    signed: Arc<AtomicUsize>,
}

impl SigningKey for Token {
    fn choose_scheme(&self, offered: &[SignatureScheme]) -> Option<Box<dyn Signer>> {
        self.signed.fetch_add(1, Ordering::Relaxed);
        self.inner.choose_scheme(offered)
    }

    fn public_key(&self) -> Option<SubjectPublicKeyInfoDer<'_>> {
        self.inner.public_key().filter(|_| self.tells_public_key)
    }

    fn algorithm(&self) -> SignatureAlgorithm {
        self.inner.algorithm()
    }
}

/// A token whose driver gives up.
#[derive(Debug)]
struct Unplugged;

impl SigningKey for Unplugged {
    fn choose_scheme(&self, _: &[SignatureScheme]) -> Option<Box<dyn Signer>> {
        std::panic::resume_unwind(Box::new("on purpose"))
    }

    fn algorithm(&self) -> SignatureAlgorithm {
        SignatureAlgorithm::ECDSA
    }
}

#[test]
fn a_key_that_stays_on_its_token_signs_there() {
    for tells_public_key in [true, false] {
        let scene = Scene::new();
        let signed = Arc::new(AtomicUsize::new(0));
        let token = |leaf: &Leaf, of: &Leaf| {
            let key = tls::ring()
                .key_provider
                .load_private_key(of.key.clone_key());
            let token = Token {
                inner: key.unwrap(),
                tells_public_key,
                signed: signed.clone(),
            };
            let chain = [leaf.der.clone(), scene.issuer.der.clone()];
            KeyMaterial::from_signer(chain, Arc::new(token))
        };
        let (old, new) = (scene.leaf(-10, 80), scene.leaf(-1, 89));
        let source = Script::new(Gives::Pair(token(&old, &old)));
        let key = scene.builder().with_source(source.clone()).build().unwrap();
        assert_eq!(signed.load(Ordering::Relaxed), 1, "as proof");
        assert!(serves(&key, &old) && accepted(&key, &scene.root));
        let proofs = signed.load(Ordering::Relaxed);
        assert!(proofs > 2);
        // The same signer is not asked for another proof.
        key.poll(at(1));
        assert_eq!(signed.load(Ordering::Relaxed), proofs);
        // Another one for the same key takes over without a word: it may be a connection made anew.
        let again = Arc::new(AtomicUsize::new(0));
        let renewed = Token {
            inner: tls::ring()
                .key_provider
                .load_private_key(old.key.clone_key())
                .unwrap(),
            tells_public_key,
            signed: again.clone(),
        };
        let chain = [old.der.clone(), scene.issuer.der.clone()];
        source.now_gives(Gives::Pair(KeyMaterial::from_signer(
            chain,
            Arc::new(renewed),
        )));
        assert_eq!(key.poll(at(2)).swapped, 0);
        assert!(serves(&key, &old) && accepted(&key, &scene.root));
        assert_eq!(
            signed.load(Ordering::Relaxed),
            proofs,
            "the old one is not asked any more"
        );
        assert!(again.load(Ordering::Relaxed) > 2);
        assert_eq!((key.epoch(), key.reloads_total()), (0, 0));
        assert!(scene.told().is_empty());
        // One for another key does not.
        source.now_gives(Gives::Pair(token(&old, &new)));
        let refused = key.poll(at(3)).refused;
        let expected = if tells_public_key {
            "key_mismatch"
        } else {
            "signature_failed"
        };
        assert_eq!(refused[0].code(), expected);
        assert!(refused[0].to_string().contains(NAME), "{}", refused[0]);
        assert!(serves(&key, &old) && accepted(&key, &scene.root));
        assert_eq!(scene.told(), ["reload_failed"]);
        // Nor does one that panics.
        let chain = [new.der.clone(), scene.issuer.der.clone()];
        source.now_gives(Gives::Pair(KeyMaterial::from_signer(
            chain,
            Arc::new(Unplugged),
        )));
        assert_eq!(key.poll(at(4)).refused[0].code(), "source_failed");
        assert_eq!(scene.told(), ["reload_failed"]);
        source.now_gives(Gives::Pair(token(&new, &new)));
        assert_eq!(key.poll(at(5)).swapped, 1);
        assert!(serves(&key, &new) && accepted(&key, &scene.root));
        assert_eq!(key.epoch(), 1);
    }
}

/// Says that it is asked, and waits for the answer.
#[derive(Debug)]
struct Slow {
    asked: mpsc::Sender<()>,
    answer: Mutex<mpsc::Receiver<KeyMaterial>>,
}

impl KeySource for Slow {
    fn name(&self) -> &str {
        "slow"
    }

    fn fetch(&self) -> Result<KeyMaterial, Box<dyn Error + Send + Sync>> {
        self.asked.send(())?;
        Ok(self.answer.lock().unwrap().recv()?)
    }
}

#[test]
fn a_source_that_blocks_keeps_neither_files_nor_pushed_pairs_nor_handshakes_waiting() {
    let scene = Scene::new();
    let (old, new) = (scene.leaf(-10, 80), scene.leaf(-1, 89));
    let b = ["b.example"];
    let [first, second] = [-10, -1].map(|from| scene.issuer.leaf(&b, from, 89));
    scene.deploy(&old);
    let (asked, is_asked) = mpsc::channel();
    let (give, answer) = mpsc::channel();
    let slow = Arc::new(Slow {
        asked,
        answer: Mutex::new(answer),
    });
    give.send(material(
        &scene,
        &scene.issuer.leaf(&["c.example"], -10, 80),
    ))
    .unwrap();
    let key = scene.with(|builder| {
        builder
            .with_source(slow)
            .with_pushed("pushed", material(&scene, &first))
    });
    is_asked.recv().unwrap();
    let third = scene.issuer.leaf(&["c.example"], -1, 89);
    std::thread::scope(|scope| {
        scene.deploy(&new);
        let polling = scope.spawn(|| key.poll(at(1)));
        is_asked.recv().unwrap();
        // What lies on disk is served already, and the rest goes on.
        assert!(serves(&key, &new));
        key.set("pushed", material(&scene, &second)).unwrap();
        assert!(serves_of(&key, 2, &second) && accepted(&key, &scene.root));
        key.remove("pushed").unwrap();
        give.send(material(&scene, &third)).unwrap();
        assert_eq!(polling.join().unwrap().swapped, 2);
    });
    assert!(serves_of(&key, 1, &third));
    assert_eq!(key.last_polled(), at(1));
}

#[test]
fn a_pushed_staple_is_served_while_it_is_good() {
    use rustls::client::ResolvesClientCert as _;
    let scene = Scene::new();
    let leaf = scene.leaf(-10, 80);
    let issuer = scene.issuer.certificate();
    let pair = (&leaf.certificate(), &issuer);
    let answers = vec![answer(pair, Hash::Sha1, good(), (days(-1), Some(days(6))))];
    let staple = signed(
        data(by_name(&issuer), days(-1), answers),
        scene.issuer.key(),
        &[],
    );
    let stapled = |key: &ReloadingKey| {
        key.resolve(&[], &super::scene::SCHEMES)
            .unwrap()
            .ocsp
            .clone()
    };
    let key = pushed(&scene, &leaf);
    assert_eq!(stapled(&key), None);
    let with = |staple: &[u8]| material(&scene, &leaf).with_staple(staple);
    // A staple alone is no other identity.
    key.set(NAME, with(&staple)).unwrap();
    assert_eq!(stapled(&key), Some(staple.clone()));
    assert_eq!((key.epoch(), key.reloads_total()), (0, 0));
    assert!(scene.told().is_empty());
    key.set(NAME, with(b"<html>502 Bad Gateway</html>"))
        .unwrap();
    let event = scene.told_once(EventCode::StapleNotGood);
    assert_eq!(event.source.as_deref(), Some(NAME));
    assert_eq!(stapled(&key), Some(staple));
    key.poll(days(6).saturating_add(1));
    assert_eq!(stapled(&key), None);
}

#[test]
fn the_staple_of_a_pair_that_is_refused_is_no_staple_of_the_one_that_is_served() {
    let scene = Scene::new();
    let (leaf, others) = (
        scene.leaf(-10, 80),
        scene.issuer.leaf(&["b.example"], -1, 89),
    );
    let issuer = scene.issuer.certificate();
    let staple = |leaf: &Leaf| {
        let pair = (&leaf.certificate(), &issuer);
        let answers = vec![answer(pair, Hash::Sha1, good(), (days(-1), Some(days(6))))];
        let data = data(by_name(&issuer), days(-1), answers);
        signed(data, scene.issuer.key(), &[])
    };
    let refused = || material(&scene, &others).with_staple(staple(&others));
    let key = pushed(&scene, &leaf);
    key.set(NAME, refused()).unwrap_err();
    assert_eq!(scene.told(), ["reload_failed"]);
    let good = material(&scene, &leaf).with_staple(staple(&leaf));
    key.set(NAME, good).unwrap();
    assert_eq!(scene.told(), ["reload_recovered"]);
    // Given by a source.
    let source = Script::new(Gives::Pair(material(&scene, &leaf)));
    let key = scene.builder().with_source(source.clone()).build().unwrap();
    source.now_gives(Gives::Pair(refused()));
    key.poll(at(1));
    assert_eq!(scene.told(), ["reload_failed"]);
    assert!(serves(&key, &leaf));
}

#[test]
fn skew_of_a_source_speaks_of_the_source() {
    let scene = Scene::new();
    let old = scene.leaf(-10, 80);
    let key = pushed(&scene, &old);
    let others = scene.issuer.leaf(&["b.example"], -1, 89);
    key.set(NAME, material(&scene, &others)).unwrap_err();
    let skew = key.skew(NOW, &ThresholdPolicy::default());
    assert_eq!(skew.len(), 1);
    assert_eq!(skew[0].kind, SkewKind::ServedOlderThanDisk);
    assert!(
        skew[0]
            .message
            .starts_with("'a.example' was replaced at its source"),
        "{}",
        skew[0]
    );
    assert_eq!(served(&key), print(&old));
}
