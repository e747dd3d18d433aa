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

#[test]
#[cfg(unix)]
fn a_hangup_makes_it_look_at_once() {
    let ground = Ground::new();
    let (old, new) = (ground.leaf(-20 * DAY, 70 * DAY), ground.leaf(-60, 90 * DAY));
    ground.deploy(&old);
    // So that it does not look by itself.
    let service = ground.serve(&["--poll", "3600000"]);
    let client = ground.client();
    let print = |leaf: &crate::support::pki::Leaf| leaf.certificate().fingerprint();
    assert_eq!(service.handshake(&client).unwrap(), print(&old));
    // A bad renewal first: it is told, and the good pair is served on.
    std::fs::write(ground.path("tls.key"), "").unwrap();
    service.signal("HUP");
    wait_until("it is counted", || {
        let metrics = service.get(&client, "/metrics").unwrap();
        metrics.metric("notafter_reload_failures_total", "") == Some(1)
    });
    assert_eq!(service.handshake(&client).unwrap(), print(&old));
    ground.deploy(&new);
    service.signal("HUP");
    wait_until("the renewal is shown", || {
        service.handshake(&client).unwrap() == print(&new)
    });
}

#[test]
#[cfg(unix)]
fn a_hangup_takes_what_clients_are_verified_by_for_whole() {
    let ground = Ground::new();
    ground.deploy(&ground.leaf(-DAY, 80 * DAY));
    let (ca, crl) = (ground.path("clients.pem"), ground.path("clients.crl"));
    let other = crate::support::pki::root("Other Root", -100, 3650);
    let bundle = |roots: &[_]| crate::support::pki::pem_bundle(roots.iter().copied());
    std::fs::write(&ca, bundle(&[&ground.root.der, &other.der])).unwrap();
    std::fs::write(&crl, ground.lists(-3600, &[])).unwrap();
    let trusted = ["--client-ca", &ca, "--client-crl", &crl];
    // So that it does not look by itself.
    let service = ground.serve(&[&trusted[..], &["--poll", "3600000"]].concat());
    let client = ground.client_with(&ground.leaf(-DAY, 80 * DAY));
    let metric = |name| service.get(&client, "/metrics").unwrap().metric(name, "");
    assert_eq!(metric("notafter_client_anchors"), Some(2));
    // Fewer, in place: by itself it would wait until the file holds still.
    std::fs::write(&ca, bundle(&[&ground.root.der])).unwrap();
    std::fs::write(&crl, ground.lists(-60, &[])).unwrap();
    service.signal("HUP");
    wait_until("both count", || {
        let reloads = metric("notafter_client_crl_reloads_total");
        (metric("notafter_client_anchors"), reloads) == (Some(1), Some(1))
    });
}

#[test]
fn the_four_bad_renewals_and_a_staging_one_keep_the_good_pair_served() {
    use rcgen::{ExtendedKeyUsagePurpose, KeyPair};
    let ground = Ground::new();
    let today = super::ground::now().seconds_since(crate::support::pki::NOW) / DAY;
    let rekeyed = ground
        .root
        .intermediate("Issuing CA", today - 2, today + 1500);
    let staging = crate::support::pki::root("(STAGING) CA", today - 100, today + 1500);
    let minted = |ca: &crate::support::pki::Ca, name: &str, usage: Option<_>| {
        ca.leaf_with(&[name], today - 1, today + 89, |params| {
            if let Some(usage) = usage {
                params.extended_key_usages = vec![usage];
            }
        })
    };
    let clients = Some(ExtendedKeyUsagePurpose::ClientAuth);
    let own_key = KeyPair::generate().unwrap();
    let own = rcgen::CertificateParams::new(["localhost".to_owned()]).unwrap();
    let own = own.self_signed(&own_key).unwrap().pem();
    let issuer = &ground.issuer.der;
    let bundle = |leaf: &crate::support::pki::Leaf, issuer| {
        let chain = crate::support::pki::pem_bundle([&leaf.der, issuer]);
        (chain, leaf.key_pair.serialize_pem())
    };
    let bad = [
        bundle(&minted(&rekeyed, "localhost", None), issuer),
        bundle(&minted(&ground.issuer, "localhost", clients), issuer),
        bundle(&minted(&ground.issuer, "other.example", None), issuer),
        (own, own_key.serialize_pem()),
        bundle(&minted(&staging, "localhost", None), &staging.der),
    ];
    let old = ground.leaf(-20 * DAY, 70 * DAY);
    ground.deploy(&old);
    let service = ground.serve(&["--poll", "20"]);
    let client = ground.client();
    for (count, (chain, key)) in (1..).zip(bad) {
        std::fs::write(ground.path("tls.crt"), chain).unwrap();
        std::fs::write(ground.path("tls.key"), key).unwrap();
        wait_until("it is refused", || {
            let metrics = service.get(&client, "/metrics").unwrap();
            metrics.metric("notafter_reload_failures_total", "") == Some(count)
        });
        let shown = service.handshake(&client).unwrap();
        assert_eq!(shown, old.certificate().fingerprint(), "{count}");
        // So that the next one is a failure of its own.
        ground.deploy(&old);
        wait_until("it is good again", || {
            let metrics = service.get(&client, "/metrics").unwrap();
            metrics.metric("notafter_reload_stale_since_timestamp_seconds", "") == Some(0)
        });
    }
    let metrics = service.get(&client, "/metrics").unwrap();
    assert_eq!(metrics.metric("notafter_reloads_total", ""), Some(0));
}

struct OnDrop<'o>(&'o AtomicBool);

impl Drop for OnDrop<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}
