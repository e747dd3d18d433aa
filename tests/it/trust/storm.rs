//! Swaps and handshakes at once.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::{self, Scope};

use notafter::reload::{ReloadingAnchors, ReloadingCrls};
use rustls::SupportedProtocolVersion;

use super::scene::{Client, ClientSessions, NAME, Scene, ServerSessions, at};
use crate::support::pki::{self, Ca, Leaf};
use crate::support::tls::{VERSIONS, meet};

const SWAPS: i64 = 1_000;

/// Handshakes that go on until it is over, of peers that are always to be accepted, and of others that
/// never are.
#[derive(Default)]
struct Load {
    over: AtomicBool,
    good: AtomicUsize,
    bad: AtomicUsize,
}

impl Load {
    /// Two threads for each version, of which one is a server's and the other a client's.
    fn begin<'s>(
        &'s self,
        scope: &'s Scope<'s, '_>,
        scene: &Scene,
        (anchors, lists): (&Arc<ReloadingAnchors>, Option<&Arc<ReloadingCrls>>),
        (good, bad): (&Leaf, &Leaf),
    ) {
        let client_verifier = scene.clients_by(anchors, lists);
        let server_verifier = scene.servers_by(anchors, lists);
        for (number, version) in VERSIONS.into_iter().enumerate() {
            let sessions = [ServerSessions::Stored, ServerSessions::Tickets][number];
            let server = scene.server(version, &client_verifier, sessions);
            let client = |leaf| scene.client_with(version, leaf);
            let (good_client, bad_client) = (client(good), client(bad));
            scope.spawn(move || {
                self.repeat(|| {
                    let met = meet(&good_client, &server, NAME);
                    assert!(met.client.is_ok(), "{:?}", met.client.err());
                    assert!(met.server.is_ok(), "{:?}", met.server.err());
                    assert!(meet(&bad_client, &server, NAME).server.is_err());
                });
            });
            let sessions = [ClientSessions::Guard, ClientSessions::Configs][number];
            let client: Client = scene.client(version, server_verifier.renewed(), sessions);
            let server =
                |version: &'static SupportedProtocolVersion, leaf| scene.server_with(version, leaf);
            let (good_server, bad_server) = (server(version, good), server(version, bad));
            scope.spawn(move || {
                self.repeat(|| {
                    let met = client.meet(&good_server).client;
                    assert!(met.is_ok(), "{:?}", met.err());
                    assert!(client.meet(&bad_server).client.is_err());
                });
            });
        }
    }

    fn repeat(&self, once: impl Fn()) {
        // At least once, also where the swaps are over first.
        loop {
            once();
            self.good.fetch_add(1, Ordering::Relaxed);
            self.bad.fetch_add(1, Ordering::Relaxed);
            if self.over.load(Ordering::Relaxed) {
                return;
            }
        }
    }

    fn end(&self) {
        self.over.store(true, Ordering::Relaxed);
    }

    fn report(self) {
        let (good, bad) = (self.good.into_inner(), self.bad.into_inner());
        assert!(good >= 4 && bad >= 4, "{good} good, {bad} bad");
        println!("{good} good handshakes, {bad} bad ones");
    }
}

/// In place, as a careless tool would, or as a whole.
fn put(scene: &Scene, swap: i64, file: &str, contents: String) {
    match swap % 3 {
        0 => scene.write(file, contents),
        _ => scene.replace(file, contents),
    }
}

fn roots() -> Vec<Ca> {
    let names = (0..8).map(|n| format!("root {n}"));
    names.map(|name| pki::root(&name, -100, 3650)).collect()
}

fn one_of<T>(all: &[T], swap: i64) -> &T {
    &all[usize::try_from(swap).unwrap() % all.len()]
}

/// Root A stays, others come and go; C never was among them.
#[test]
fn a_thousand_swaps_under_load_fail_no_good_handshake_and_accept_no_bad_one() {
    let scene = Scene::new();
    let others = roots();
    let never = pki::root("root C", -100, 3650);
    let anchors = scene.anchors(&[&scene.a, &others[0]]);
    let good = scene.a.leaf(&[NAME], -10, 90);
    let bad = never.leaf(&[NAME], -10, 90);
    let load = Load::default();
    thread::scope(|scope| {
        load.begin(scope, &scene, (&anchors, None), (&good, &bad));
        for swap in 1..=SWAPS {
            let bundle = Scene::bundle(&[&scene.a, one_of(&others, swap)]);
            put(&scene, swap, "ca.pem", bundle);
            anchors.poll(at(swap));
        }
        load.end();
    });
    assert_eq!(anchors.reloads_total(), u64::try_from(SWAPS).unwrap());
    assert_eq!(anchors.reload_failures_total(), 0);
    load.report();
}

/// One leaf stays revoked, another never is; a broken list now and then, and other anchors meanwhile.
#[test]
fn a_thousand_lists_under_load_fail_no_good_handshake_and_accept_no_bad_one() {
    let scene = Scene::new();
    let others = roots();
    let anchors = scene.anchors(&[&scene.a, &others[0]]);
    let good = scene.a.leaf(&[NAME], -10, 90);
    let bad = scene.a.leaf(&[NAME], -10, 90);
    let noise: Vec<_> = (0..8)
        .map(|_| scene.a.leaf(&["noise.example"], -10, 90).certificate())
        .collect();
    let list = |swap: i64| {
        let revoked = [&bad.certificate(), one_of(&noise, swap)];
        let list = pki::crl_between(&scene.a, at(swap - 10_000), at(86_400), &revoked);
        pki::pem("X509 CRL", &list)
    };
    scene.write("list.crl", list(0));
    let lists = ReloadingCrls::builder()
        .with_path(scene.path("list.crl"))
        .with_clock(scene.clock.clone())
        .with_settle_seconds(0)
        .build()
        .unwrap();
    let load = Load::default();
    let mut broken = 0;
    thread::scope(|scope| {
        load.begin(scope, &scene, (&anchors, Some(&lists)), (&good, &bad));
        for swap in 1..=SWAPS {
            if swap % 10 == 0 {
                let cut = list(swap);
                scene.replace("list.crl", &cut[..cut.len() / 2]);
                assert!(lists.poll(at(swap)).refused.is_some());
                broken += 1;
                let bundle = Scene::bundle(&[&scene.a, one_of(&others, swap / 10)]);
                put(&scene, swap, "ca.pem", bundle);
                assert!(anchors.poll(at(swap)).is_swapped);
            }
            put(&scene, swap, "list.crl", list(swap));
            assert!(lists.poll(at(swap)).is_swapped, "{:?}", lists.failure());
        }
        load.end();
    });
    assert_eq!(lists.reloads_total(), u64::try_from(SWAPS).unwrap());
    assert_eq!(lists.reload_failures_total(), broken);
    load.report();
}
