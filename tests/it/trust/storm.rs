//! Swaps and handshakes at once.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;

use super::scene::{Client, ClientSessions, NAME, Scene, ServerSessions, at};
use crate::support::pki;
use crate::support::tls::{VERSIONS, meet};

const SWAPS: i64 = 1_000;

/// Root A stays, others come and go; C never was among them.
#[test]
fn a_thousand_swaps_under_load_fail_no_good_handshake_and_accept_no_bad_one() {
    let scene = Scene::new();
    let others: Vec<_> = (0..8)
        .map(|n| pki::root(&format!("root {n}"), -100, 3650))
        .collect();
    let never = pki::root("root C", -100, 3650);
    let anchors = scene.anchors(&[&scene.a, &others[0]]);
    let client_verifier = scene.clients_by(&anchors, None);
    let server_verifier = scene.servers_by(&anchors, None);
    let (over, good, bad) = (
        AtomicBool::new(false),
        AtomicUsize::new(0),
        AtomicUsize::new(0),
    );
    thread::scope(|scope| {
        for (number, version) in VERSIONS.into_iter().enumerate() {
            let sessions = [ServerSessions::Stored, ServerSessions::Tickets][number];
            let server = scene.server(version, &client_verifier, sessions);
            let by_a = scene.client_with(version, &scene.a.leaf(&["a.example"], -10, 90));
            let by_c = scene.client_with(version, &never.leaf(&["c.example"], -10, 90));
            let sessions = [ClientSessions::Guard, ClientSessions::Configs][number];
            let client: Client = scene.client(version, server_verifier.renewed(), sessions);
            let serves_a = scene.server_with(version, &scene.a.leaf(&[NAME], -10, 90));
            let serves_c = scene.server_with(version, &never.leaf(&[NAME], -10, 90));
            let (over, good, bad) = (&over, &good, &bad);
            scope.spawn(move || {
                // At least once, also where the swaps are over first.
                loop {
                    let met = meet(&by_a, &server, NAME);
                    assert!(
                        met.server.is_ok() && met.client.is_ok(),
                        "{:?}",
                        met.server.err()
                    );
                    assert!(client.meet(&serves_a).client.is_ok());
                    good.fetch_add(2, Ordering::Relaxed);
                    assert!(meet(&by_c, &server, NAME).server.is_err());
                    assert!(client.meet(&serves_c).client.is_err());
                    bad.fetch_add(2, Ordering::Relaxed);
                    if over.load(Ordering::Relaxed) {
                        return;
                    }
                }
            });
        }
        for swap in 1..=SWAPS {
            let place = usize::try_from(swap).unwrap() % others.len();
            let bundle = Scene::bundle(&[&scene.a, &others[place]]);
            match swap % 3 {
                // In place, as a careless tool would.
                0 => scene.write("ca.pem", bundle),
                _ => scene.replace("ca.pem", bundle),
            }
            anchors.poll(at(swap));
        }
        over.store(true, Ordering::Relaxed);
    });
    assert_eq!(anchors.reloads_total(), u64::try_from(SWAPS).unwrap());
    assert_eq!(anchors.reload_failures_total(), 0);
    let (good, bad) = (good.into_inner(), bad.into_inner());
    assert!(good >= 4 && bad >= 4, "{good} good, {bad} bad");
    println!("{good} good handshakes, {bad} bad ones");
}
