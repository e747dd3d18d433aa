//! Nobody takes more memory than the documents say: a binary of its own, because it counts what the
//! whole process holds. One test, so that no other thread counts.
#![allow(
    dead_code,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::unreachable,
    clippy::print_stdout,
    clippy::disallowed_methods,
    clippy::needless_pass_by_value
)]

#[path = "it/support/mod.rs"]
mod support;

use std::alloc::System;
use std::future::Future as _;
use std::num::NonZeroUsize;
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Waker};
use std::time::Duration;

use notafter::cert::Sha256Digest;
use notafter::outlook::KnownPeers;
use notafter::renewal::IdentityInForce;
use notafter::session::{OpenConnections, RestsOn};
use notafter::verifier::VerdictCache;
use notafter::{
    Event, Monitor, SessionGuard, SpkiPin, Target, WatchingClientVerifier, WatchingServerVerifier,
};
use rcgen::CustomExtension;
use rustls::client::ClientSessionMemoryCache;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerifier};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::ServerSessionMemoryCache;
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::{DigitallySignedStruct, DistinguishedName, Error, SignatureScheme};
use stats_alloc::{INSTRUMENTED_SYSTEM, StatsAlloc};

use support::agreeable::Agreeable;
use support::pki::{self, NOW};
use support::proof::{meet_client, meet_server, signature};

#[global_allocator]
static COUNTING: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

const KIB: usize = 1024;
const MIB: usize = 1024 * KIB;
/// What a wrapper is told that is there for its sessions alone: the age that it has by itself.
const MINUTE: Duration = Duration::from_secs(60);
/// What `WatchingVerifierBuilder::with_peer_memory` says of each peer, for the peers of default.
const PEERS: usize = 1024;
const SEEN: usize = PEERS * 16 * KIB;
/// The names of which chains were forgotten, for a client's guard.
const FORGOTTEN: usize = MIB;
/// What waits for its proof.
const AWAITING: usize = 4 * MIB;
/// 1,024 events of a few hundred bytes wait for an observer.
const QUEUE: usize = 2 * MIB;
/// What `OpenConnections` says of each connection.
const CONNECTION: usize = 2 * KIB;
/// What `KnownPeers` says of all of them.
const KNOWN_PEERS: usize = MIB;
/// What has no bound in bytes of its own: 1,024 matters, of names of at most 255 bytes.
const MATTERS: usize = MIB;

/// Files of a watched folder, and what each may take, with its report.
const WATCHED_FILES: usize = 300;
const WATCHED_FILE: usize = 6 * KIB;

/// Live bytes of the process.
fn held() -> usize {
    let stats = COUNTING.stats();
    stats.bytes_allocated - stats.bytes_deallocated
}

/// Accepts every client, and every signature or none.
#[derive(Debug)]
struct AgreeableToClients {
    proofs: Agreeable,
    believes: bool,
}

impl ClientCertVerifier for AgreeableToClients {
    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &[]
    }

    fn verify_client_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        Ok(ClientCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        leaf: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.proofs.verify_tls12_signature(message, leaf, signature)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        leaf: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        match self.believes {
            true => self.proofs.verify_tls13_signature(message, leaf, signature),
            false => Err(Error::DecryptError),
        }
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.proofs.supported_verify_schemes()
    }
}

/// The epoch of an identity.
#[derive(Debug, Default)]
struct Epoch(AtomicU64);

impl IdentityInForce for Epoch {
    fn epoch(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// A leaf that ends in a few days, with an extension of so many bytes.
fn leaf(extension: usize) -> CertificateDer<'static> {
    let root = pki::root("root", -100, 3650);
    let oid = [1, 3, 6, 1, 4, 1, 99_999, 1];
    let leaf = root.leaf_with(&["a.example"], -80, 2, |params| {
        let content = vec![0xa5; extension];
        params
            .custom_extensions
            .push(CustomExtension::from_oid_content(&oid, content));
    });
    leaf.der
}

/// The same bytes but for a number, put where the extension's content is.
fn numbered(leaf: &CertificateDer<'_>, n: usize) -> CertificateDer<'static> {
    let mut der = leaf.to_vec();
    let at = memchr::memmem::find(&der, &[0xa5; 8]).unwrap();
    der[at..at + 8].copy_from_slice(&n.to_be_bytes());
    CertificateDer::from(der)
}

/// One flood: what is there before it, and what comes.
struct Flood {
    label: &'static str,
    budget: usize,
    come: Box<dyn FnOnce() -> Box<dyn std::any::Any>>,
}

/// Servers under this many names, each with so many chains of a leaf and junk of these sizes.
fn servers(
    verifier: &dyn ServerCertVerifier,
    names: usize,
    variants: u8,
    (leaf, junk): (&CertificateDer<'_>, usize),
) {
    let mut junk = vec![0x5a; junk];
    for name in 0..names {
        for variant in 0..variants {
            let rest = match junk.first_mut() {
                Some(first) => {
                    *first = variant;
                    vec![CertificateDer::from(junk.clone())]
                }
                None => Vec::new(),
            };
            // As long as a name can be.
            let host = format!(
                "{}.{}.{}.n{name:05}.example",
                "a".repeat(63),
                "b".repeat(63),
                "c".repeat(63)
            );
            let host = ServerName::try_from(host).unwrap();
            meet_server(verifier, (leaf, &rest), &host, &[], pki::now()).unwrap();
        }
    }
}

fn watching() -> Arc<WatchingServerVerifier> {
    let builder = WatchingServerVerifier::builder(Arc::new(Agreeable::default()));
    builder.with_trust_age(MINUTE).build().unwrap()
}

fn clients(believes: bool) -> Arc<AgreeableToClients> {
    Arc::new(AgreeableToClients {
        proofs: Agreeable::default(),
        believes,
    })
}

fn floods() -> Vec<Flood> {
    let flood = |label, budget, come: Box<dyn FnOnce() -> Box<dyn std::any::Any>>| Flood {
        label,
        budget,
        come,
    };
    let mut floods = Vec::new();
    // Small ones, those that just fit, and those of which one is too large.
    for (label, extension, junk, variants) in [
        ("servers, small", 8, 0, 1),
        ("servers, small, four chains", 8, 64, 5),
        ("servers, as large as fits", 8, 13_000, 4),
        ("servers, large leaves", 6_500, 0, 1),
        ("servers, 31 KB of junk", 8, 31 * KIB - 700, 8),
        ("servers, leaves of 60 kB", 60_000, 0, 1),
    ] {
        for is_guarded in [false, true] {
            let budget = match is_guarded {
                false => SEEN + MATTERS,
                true => 2 * SEEN + FORGOTTEN + MATTERS,
            };
            floods.push(flood(
                label,
                budget,
                Box::new(move || {
                    let verifier = watching();
                    let store = Arc::new(ClientSessionMemoryCache::new(32));
                    let guard =
                        is_guarded.then(|| SessionGuard::default().client(&verifier, store));
                    servers(&*verifier, 1_200, variants, (&leaf(extension), junk));
                    Box::new((verifier, guard))
                }),
            ));
        }
    }
    for (label, extension) in [
        ("clients, small", 8),
        ("clients, as large as fits", 6_500),
        ("clients, 60 kB", 60_000),
    ] {
        for is_proven in [false, true] {
            let budget = match is_proven {
                false => AWAITING + MATTERS,
                true => 2 * SEEN + MATTERS,
            };
            floods.push(flood(
                label,
                budget,
                Box::new(move || {
                    let verifier = WatchingClientVerifier::builder(clients(true))
                        .with_trust_age(MINUTE)
                        .build()
                        .unwrap();
                    let store = ServerSessionMemoryCache::new(32);
                    let guard = SessionGuard::default().server(&verifier, store);
                    let leaf = leaf(extension);
                    for n in 0..1_200 {
                        let leaf = numbered(&leaf, n);
                        match is_proven {
                            true => meet_client(&*verifier, (&leaf, &[]), pki::now()).unwrap(),
                            false => drop(verifier.verify_client_cert(&leaf, &[], pki::now())),
                        }
                    }
                    Box::new((verifier, guard))
                }),
            ));
        }
    }
    floods.push(flood(
        "verdicts",
        MIB,
        Box::new(|| {
            let cache = VerdictCache::builder(Arc::new(Agreeable::default()))
                .build()
                .unwrap();
            servers(&*cache, 3_000, 1, (&leaf(8), 0));
            Box::new(cache)
        }),
    ));
    floods.push(flood(
        "forgotten names",
        2 * 16 * KIB + FORGOTTEN,
        Box::new(|| {
            let verifier = WatchingServerVerifier::builder(Arc::new(Agreeable::default()))
                .with_peer_memory(NonZeroUsize::MIN)
                .with_trust_age(MINUTE)
                .build()
                .unwrap();
            let store = Arc::new(ClientSessionMemoryCache::new(32));
            let guard = SessionGuard::default().client(&verifier, store);
            servers(&*verifier, 66_000, 1, (&leaf(8), 0));
            Box::new((verifier, guard))
        }),
    ));
    floods.push(flood(
        "names of connections",
        2 * FORGOTTEN,
        Box::new(|| {
            let verifier = watching();
            let store = Arc::new(ClientSessionMemoryCache::new(32));
            let epoch = Arc::new(Epoch::default());
            let guard = SessionGuard::default();
            let store = guard.client_with_identity(&verifier, epoch.clone(), store);
            for name in 0..66_000 {
                // As many before the change as after it.
                epoch.0.store(name / 33_000, Ordering::Relaxed);
                let name = ServerName::try_from(format!("n{name}.example")).unwrap();
                assert!(store.take_tls13_ticket(&name).is_none());
            }
            Box::new((verifier, store))
        }),
    ));
    // A queue of 1,024 events, with an observer that does not come back.
    for is_proven in [false, true] {
        let budget = match is_proven {
            false => AWAITING + MATTERS + QUEUE,
            true => SEEN + MATTERS + QUEUE,
        };
        floods.push(flood(
            "events for a blocked observer",
            budget,
            Box::new(move || {
                let gate: &'static Mutex<()> = Box::leak(Box::default());
                let held = gate.lock().unwrap();
                let blocked = Arc::new(move |_: &Event| drop(gate.lock()));
                let verifier = WatchingClientVerifier::builder(clients(is_proven));
                let verifier = verifier.with_observer(blocked);
                let verifier = verifier.build().unwrap();
                let leaf = leaf(40_000);
                for n in 0..1_200 {
                    let leaf = numbered(&leaf, n);
                    // Strangers are told of once a minute.
                    let now = NOW.saturating_add(60 * i64::try_from(n).unwrap());
                    let now = now.to_unix_time().unwrap();
                    verifier.verify_client_cert(&leaf, &[], now).unwrap();
                    let proof = verifier.verify_tls13_signature(b"", &leaf, &signature());
                    assert_eq!(proof.is_ok(), is_proven);
                }
                assert!(verifier.events_lost() > 0, "the queue was not full");
                Box::new((verifier, held))
            }),
        ));
    }
    floods.push(flood("known peers", KNOWN_PEERS, Box::new(known_peers)));
    floods.push(flood(
        "open connections",
        CONNECTIONS * CONNECTION,
        Box::new(open_connections),
    ));
    // Each file holds a leaf and an intermediate; half of them are renewed, damaged and removed again
    // and again.
    floods.push(flood(
        "a watched folder",
        WATCHED_FILES * WATCHED_FILE,
        Box::new(|| Box::new(watched_folder())),
    ));
    floods
}

/// Clients with chains as large as fit, and larger ones.
fn known_peers() -> Box<dyn std::any::Any> {
    let known = KnownPeers::new();
    let leaf = leaf(8);
    for (n, junk) in (0..200).flat_map(|n| [(n, 15 * KIB), (n, 16 * KIB)]) {
        let junk = CertificateDer::from(vec![0x5a; junk]);
        known.remember([&numbered(&leaf, n), &junk]);
    }
    Box::new(known)
}

const CONNECTIONS: usize = 10_000;

/// Each rests on as much as is remembered, and both of its futures are waited for.
fn open_connections() -> Box<dyn std::any::Any> {
    let connections = OpenConnections::new();
    let leaf = pki::root("root", -100, 3650).certificate();
    let mut open = Vec::with_capacity(CONNECTIONS);
    for n in 0..CONNECTIONS {
        let digest = |kind: u8, k: usize| {
            Sha256Digest::of(&[&[kind], &(8 * n + k).to_be_bytes()[..]].concat())
        };
        let pins = (0..8).map(|k| SpkiPin::from_spki_der(&digest(1, k).as_bytes()[..]));
        let end = NOW.saturating_add(86_400 + i64::try_from(n).unwrap());
        let rests_on = RestsOn::until(end)
            .with_anchors((0..8).map(|k| digest(0, k)))
            .with_pins(pins)
            .with_identity(&leaf);
        let connection = connections.open_on(rests_on, NOW);
        let mut waiting = [connection.closing(), connection.overdue()].map(Box::pin);
        let mut context = Context::from_waker(Waker::noop());
        for future in &mut waiting {
            assert!(Pin::new(future).poll(&mut context).is_pending());
        }
        open.push((connection, waiting));
    }
    Box::new((connections, open))
}

/// A monitor of a folder in which there was much going on.
fn watched_folder() -> (Arc<Monitor>, tempfile::TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let root = pki::root("root", -100, 3650);
    let intermediate = root.intermediate("issuing", -100, 3000);
    let chains: Vec<_> = (0..3)
        .map(|n| {
            let leaf = intermediate.leaf(&["a.example"], -10 - n, 80);
            pki::pem_bundle([&leaf.der, &intermediate.der])
        })
        .collect();
    let write = |n: usize, contents: &str| {
        std::fs::write(folder.path().join(format!("{n}.pem")), contents).unwrap();
    };
    (0..WATCHED_FILES).for_each(|n| write(n, &chains[0]));
    let monitor = Monitor::builder()
        .with_trust_anchors(pki::anchors([&root]))
        .with_provider(support::tls::ring())
        .build()
        .unwrap();
    monitor.watch("folder", Target::from_path(folder.path()));
    for look in 0..20_usize {
        let now = NOW.saturating_add(60 * i64::try_from(look).unwrap());
        monitor.tick(now);
        for n in 0..WATCHED_FILES / 2 {
            match look % 5 {
                3 => std::fs::remove_file(folder.path().join(format!("{n}.pem"))).unwrap(),
                2 => write(n, &chains[0][..100]),
                other => write(n, &chains[other % 3]),
            }
        }
    }
    monitor.tick(NOW.saturating_add(3_600));
    assert_eq!(monitor.snapshot().chains.len(), WATCHED_FILES);
    (monitor, folder)
}

#[test]
fn nobody_takes_more_memory_than_the_documents_say() {
    let before = held();
    let kept = vec![0_u8; MIB];
    assert!(held() >= before + kept.len(), "nothing is counted");
    drop(kept);
    let mut over = Vec::new();
    for Flood {
        label,
        budget,
        come,
    } in floods()
    {
        let before = held();
        let kept = come();
        let grown = held().saturating_sub(before);
        println!("{label}: {grown} of {budget} bytes");
        if grown > budget {
            over.push(format!("{label}: {grown} of {budget} bytes"));
        }
        drop(kept);
    }
    assert!(over.is_empty(), "{over:#?}");
}
