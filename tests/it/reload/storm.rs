//! Swaps and handshakes at once.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use notafter::ReloadingKey;
use rustls::client::ResolvesClientCert as _;
use rustls::{ClientConfig, ClientConnection, RootCertStore, ServerConfig, ServerConnection};

use super::scene::{SCHEMES, Scene, at};
use crate::support::pki;
use crate::support::tls::{self, FixedTime};

const SWAPS: usize = 1_000;
const A_SECOND: u32 = 1_000;
const THREADS: usize = 4;

/// A whole handshake without a network: both sides' bytes are carried by hand.
fn handshake(client: &Arc<ClientConfig>, server: &Arc<ServerConfig>) -> Result<(), rustls::Error> {
    let name = "a.example".try_into().unwrap();
    let mut client = ClientConnection::new(client.clone(), name).unwrap();
    let mut server = ServerConnection::new(server.clone()).unwrap();
    while client.is_handshaking() || server.is_handshaking() {
        let mut bytes = Vec::new();
        client.write_tls(&mut bytes).unwrap();
        server.read_tls(&mut bytes.as_slice()).unwrap();
        server.process_new_packets()?;
        bytes.clear();
        server.write_tls(&mut bytes).unwrap();
        client.read_tls(&mut bytes.as_slice()).unwrap();
        client.process_new_packets()?;
    }
    Ok(())
}

fn configs(scene: &Scene, key: &Arc<ReloadingKey>) -> (Arc<ClientConfig>, Arc<ServerConfig>) {
    let roots = RootCertStore::from(&pki::anchors([&scene.root]));
    let clock = Arc::new(FixedTime(pki::now()));
    let mut client = ClientConfig::builder_with_details(tls::ring(), clock.clone())
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    // Every handshake a whole one.
    client.resumption = rustls::client::Resumption::disabled();
    let server = ServerConfig::builder_with_details(tls::ring(), clock)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_cert_resolver(key.clone());
    (Arc::new(client), Arc::new(server))
}

#[test]
fn a_thousand_swaps_a_second_fail_no_handshake_and_leave_nothing_behind() {
    let scene = Scene::new();
    let leaves: Vec<_> = (0..8).map(|n| scene.leaf(-10, 80 + n)).collect();
    scene.deploy(&leaves[0]);
    let key = scene.key();
    let (client, server) = configs(&scene, &key);
    let (over, handshakes) = (AtomicBool::new(false), AtomicUsize::new(0));
    let mut seen = Vec::new();
    thread::scope(|scope| {
        let mut clients = Vec::new();
        for _ in 0..THREADS {
            clients.push(scope.spawn(|| {
                // At least once, also where the swaps are over first.
                loop {
                    handshake(&client, &server).unwrap();
                    handshakes.fetch_add(1, Ordering::Relaxed);
                    if over.load(Ordering::Relaxed) {
                        return;
                    }
                }
            }));
        }
        let start = Instant::now();
        for swap in 0..SWAPS {
            // Every third one is written in place, as a careless tool would.
            let leaf = &leaves[(swap + 1) % leaves.len()];
            match swap % 3 {
                0 => scene.deploy(leaf),
                _ => scene.deploy_by_rename(leaf),
            }
            key.poll(at(i64::try_from(swap).unwrap()));
            let resolved = key.resolve(&[], &SCHEMES).unwrap();
            seen.push(Arc::downgrade(&resolved));
            let due = start + Duration::from_secs(1) * u32::try_from(swap).unwrap() / A_SECOND;
            thread::sleep(due.saturating_duration_since(Instant::now()));
        }
        over.store(true, Ordering::Relaxed);
        for client in clients {
            client.join().unwrap();
        }
    });
    assert_eq!(key.reloads_total(), SWAPS as u64);
    assert_eq!(key.reload_failures_total(), 0);
    assert!(handshakes.load(Ordering::Relaxed) >= THREADS);
    // Of all that was served, what is served now is all that is left.
    drop((client, server));
    let alive = seen.iter().filter(|key| key.strong_count() > 0).count();
    assert_eq!(alive, 1);
}

#[test]
fn a_writer_that_never_rests_neither_fails_handshakes_nor_locks_up() {
    let scene = Scene::new();
    let leaves: Vec<_> = (0..4).map(|n| scene.leaf(-10, 80 + n)).collect();
    scene.deploy(&leaves[0]);
    let key = scene.key();
    let (client, server) = configs(&scene, &key);
    let over = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            for round in 0..600 {
                scene.deploy(&leaves[round % leaves.len()]);
            }
            over.store(true, Ordering::Relaxed);
        });
        for _ in 0..2 {
            scope.spawn(|| {
                while !over.load(Ordering::Relaxed) {
                    // Two threads poll at once.
                    key.poll(at(0));
                }
            });
            scope.spawn(|| {
                while !over.load(Ordering::Relaxed) {
                    handshake(&client, &server).unwrap();
                }
            });
        }
    });
    // When it rests, what it wrote last is served.
    key.poll(at(1));
    assert!(super::scene::serves(&key, &leaves[599 % leaves.len()]));
    assert_eq!(key.stale_since(), None);
}
