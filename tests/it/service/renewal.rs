//! A renewal while clients connect.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use super::ground::{Ground, wait_until};

const DAY: i64 = 86_400;

#[test]
fn a_renewal_is_served_without_a_restart_and_no_handshake_fails() {
    let ground = Ground::new();
    let leaves: Vec<_> = (0..4)
        .map(|n| ground.leaf((n - 20) * DAY, (n + 70) * DAY))
        .collect();
    ground.deploy(&leaves[0]);
    let service = ground.serve(&["--poll", "20"]);
    let client = ground.client();
    let (over, shown) = (AtomicBool::new(false), Mutex::new(Vec::new()));
    thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                while !over.load(Ordering::Relaxed) {
                    let leaf = service.handshake(&client).unwrap();
                    let mut shown = shown.lock().unwrap();
                    if shown.last() != Some(&leaf) {
                        shown.push(leaf);
                    }
                }
            });
        }
        // Ends the clients also where an assertion fails.
        let _end = OnDrop(&over);
        for leaf in &leaves {
            ground.deploy(leaf);
            let fingerprint = leaf.certificate().fingerprint();
            wait_until("the new leaf is shown", || {
                shown.lock().unwrap().last() == Some(&fingerprint)
            });
        }
    });
    let shown = shown.into_inner().unwrap();
    for leaf in &leaves {
        assert!(shown.contains(&leaf.certificate().fingerprint()));
    }
    let metrics = service.get(&client, "/metrics").unwrap();
    assert_eq!(metrics.metric("notafter_reloads_total", ""), Some(3));
    assert_eq!(
        metrics.metric("notafter_reload_failures_total", ""),
        Some(0)
    );
}

#[test]
fn a_broken_renewal_is_counted_and_the_good_one_is_served_on() {
    let ground = Ground::new();
    let (old, new) = (ground.leaf(-20 * DAY, 70 * DAY), ground.leaf(-60, 90 * DAY));
    ground.deploy(&old);
    let service = ground.serve(&["--poll", "20"]);
    let client = ground.client();
    // A key of another order, for good.
    std::fs::write(ground.path("tls.key"), new.key_pair.serialize_pem()).unwrap();
    wait_until("it is counted", || {
        let metrics = service.get(&client, "/metrics").unwrap();
        metrics.metric("notafter_reload_failures_total", "") == Some(1)
    });
    let fingerprint = |leaf: &crate::support::pki::Leaf| leaf.certificate().fingerprint();
    assert_eq!(service.handshake(&client).unwrap(), fingerprint(&old));
    assert_eq!(service.get(&client, "/ready").unwrap().status, 200);
    ground.deploy(&new);
    wait_until("the renewal is shown", || {
        service.handshake(&client).unwrap() == fingerprint(&new)
    });
    let metrics = service.get(&client, "/metrics").unwrap();
    let stale = metrics.metric("notafter_reload_stale_since_timestamp_seconds", "");
    assert_eq!(stale, Some(0));
    wait_until("its end is shown", || {
        let metrics = service.get(&client, "/metrics").unwrap();
        let end = new.certificate().not_after().as_unix_seconds();
        metrics.metric("x509_cert_not_after", "position=\"leaf\"") == Some(end)
    });
}

struct OnDrop<'o>(&'o AtomicBool);

impl Drop for OnDrop<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}
