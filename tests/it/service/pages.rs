//! What the pages say.

use std::io::{Read as _, Write as _};

use super::ground::{Ground, Service, wait_until};
use crate::support::agreeable::Agreeable;
use crate::support::pki;

const DAY: i64 = 86_400;

#[test]
fn the_pages_say_how_it_stands() {
    let ground = Ground::new();
    let leaf = ground.leaf(-10 * DAY, 80 * DAY);
    ground.deploy(&leaf);
    let service = ground.serve(&["--poll", "50"]);
    let client = ground.client();

    let metrics = service.get(&client, "/metrics").unwrap();
    assert_eq!(metrics.status, 200);
    assert!(
        metrics.head.contains("text/plain; version=0.0.4"),
        "{}",
        metrics.head
    );
    let end = leaf.certificate().not_after().as_unix_seconds();
    assert_eq!(
        metrics.metric("x509_cert_not_after", "position=\"leaf\""),
        Some(end)
    );
    assert_eq!(metrics.metric("notafter_reloads_total", ""), Some(0));
    assert_eq!(
        metrics.metric("notafter_reload_failures_total", ""),
        Some(0)
    );
    let heartbeat = metrics
        .metric("notafter_last_evaluated_timestamp_seconds", "")
        .unwrap();
    let age = super::ground::now().as_unix_seconds() - heartbeat;
    assert!((0..=120).contains(&age), "{age}");

    let ready = service.get(&client, "/ready").unwrap();
    assert_eq!((ready.status, &ready.json()["ready"]), (200, &true.into()));
    assert_eq!(ready.json()["reasons"], serde_json::json!([]));

    let report = service.get(&client, "/certificates").unwrap().json();
    assert_eq!(report["worst"], "ok");
    let first = &report["chains"][0]["certificates"][0];
    assert_eq!(
        first["sha256"],
        leaf.certificate().fingerprint().to_string()
    );
    assert!(service.interrupt());
}

/// What lies there cannot be served: nobody is refused for that, and whoever looks sees why.
#[test]
fn it_is_ready_with_a_warning_while_a_renewal_is_refused() {
    let ground = Ground::new();
    ground.deploy(&ground.leaf(-10 * DAY, 80 * DAY));
    let service = ground.serve(&["--poll", "50"]);
    let client = ground.client();
    let page = || service.get(&client, "/ready").unwrap();
    assert_eq!(page().json()["warnings"], serde_json::Value::Null);
    let other = ground.leaf(-DAY, 89 * DAY);
    std::fs::write(ground.path("tls.key"), other.key_pair.serialize_pem()).unwrap();
    wait_until("the mismatch is a warning", || {
        page().json()["warnings"][0]["code"] == "key_mismatch"
    });
    assert_eq!(
        (page().status, &page().json()["ready"]),
        (200, &true.into())
    );
    assert!(service.interrupt());
}

#[test]
fn it_is_not_ready_behind_an_expired_certificate() {
    let ground = Ground::new();
    let leaf = ground.leaf(-DAY, 8);
    ground.deploy(&leaf);
    let service = ground.serve(&[]);
    let client = ground.client();
    // As `curl -k`: a client that looks at the dates gets nowhere once they are over.
    let lenient = lenient();
    let status = service.get(&lenient, "/ready").unwrap().status;
    if super::ground::now() <= leaf.certificate().not_after() {
        assert_eq!(status, 200);
    }
    let mut last = None;
    wait_until("it is not ready", || {
        let page = service.get(&lenient, "/ready").unwrap();
        let status = page.status;
        last = Some(page);
        status == 503
    });
    let document = last.unwrap().json();
    assert_eq!(document["ready"], false);
    assert_eq!(document["reasons"][0]["code"], "expired");
    let message = document["reasons"][0]["message"].as_str().unwrap();
    assert!(
        message.contains("the leaf 'localhost' expired at"),
        "{message}"
    );
    assert!(service.handshake(&client).is_err());

    // It starts behind it, too, and recovers by itself.
    drop(service);
    let service = ground.serve(&["--poll", "20"]);
    assert_eq!(service.get(&lenient, "/ready").unwrap().status, 503);
    ground.deploy(&ground.leaf(-60, 90 * DAY));
    wait_until("it is ready", || {
        service.get(&lenient, "/ready").unwrap().status == 200
    });
    assert!(service.handshake(&client).is_ok());
}

#[test]
fn it_is_not_ready_where_it_does_not_verify_by_what_it_was_told_to_trust() {
    let ground = Ground::new();
    ground.deploy(&ground.leaf(-DAY, 80 * DAY));
    let stranger = Ground::new();
    let trust = stranger.path("ca.pem");
    let service = ground.serve_with(&["--trust", &trust]);
    let page = service.get(&ground.client(), "/ready").unwrap();
    assert_eq!(page.status, 503);
    assert_eq!(page.json()["reasons"][0]["code"], "broken");
    let metrics = service.get(&ground.client(), "/metrics").unwrap();
    assert_eq!(metrics.metric("notafter_chain_verifies", "rustls"), Some(0));
    drop(service);
    // Without --trust the dates alone count.
    let service = ground.serve_with(&[]);
    assert_eq!(service.get(&ground.client(), "/ready").unwrap().status, 200);
}

#[test]
fn with_client_ca_clients_must_show_a_certificate() {
    let ground = Ground::new();
    ground.deploy(&ground.leaf(-DAY, 80 * DAY));
    let ca = ground.path("ca.pem");
    let service = ground.serve(&["--client-ca", &ca]);
    let known = ground.client_with(&ground.leaf(-DAY, 80 * DAY));
    assert_eq!(service.get(&known, "/ready").unwrap().status, 200);
    let expired = ground.client_with(&ground.leaf(-DAY, -60));
    let stranger = Ground::new();
    let unknown = stranger.leaf(-DAY, 80 * DAY);
    for client in [ground.client(), expired, ground.client_with(&unknown)] {
        assert!(service.get(&client, "/ready").is_err());
    }
    let metrics = service.get(&known, "/metrics").unwrap();
    assert_eq!(
        metrics.metric("notafter_handshake_failures_total", ""),
        Some(3)
    );
    // The stranger's CA has the name of the one that is trusted, and another key.
    let codes = ["peer_no_certificate", "peer_expired", "peer_bad_signature"];
    for code in codes {
        let count = metrics.metric("notafter_handshake_errors_total", code);
        assert_eq!(count, Some(1), "{code}");
    }
    // Whom nobody showed a certificate of, the verifier was not asked about.
    let refused = |reason: &str| metrics.metric("notafter_handshakes_refused_total", reason);
    let reasons = ["\"expired\"", "\"bad_signature\"", "\"not_yet_valid\""];
    assert_eq!(reasons.map(refused), [Some(1), Some(1), Some(0)]);
    let accepted = metrics.metric("notafter_handshakes_accepted_total", "peer_client");
    assert!(accepted >= Some(1), "{accepted:?}");
    let anchor = metrics.metric("notafter_cert_band", "position=\"anchor\"");
    assert_eq!(anchor, Some(0));
}

#[test]
fn a_client_ca_and_a_client_crl_that_change_on_disk_count_within_the_poll() {
    let ground = Ground::new();
    ground.deploy(&ground.leaf(-DAY, 80 * DAY));
    let other = Ground::new();
    let (ca, crl) = (ground.path("clients.pem"), ground.path("clients.crl"));
    let both = pki::pem_bundle([&ground.root.der, &other.root.der]);
    std::fs::write(&ca, pki::pem_bundle([&ground.root.der])).unwrap();
    let leaf = ground.leaf(-DAY, 80 * DAY);
    std::fs::write(&crl, ground.lists(-DAY, &[])).unwrap();
    let service = ground.serve(&["--client-ca", &ca]);
    let (known, stranger) = (
        ground.client_with(&leaf),
        ground.client_of(&other, &other.leaf(-DAY, 80 * DAY)),
    );
    assert_eq!(service.get(&known, "/ready").unwrap().status, 200);
    assert!(service.get(&stranger, "/ready").is_err());
    std::fs::write(&ca, both).unwrap();
    wait_until("the added root counts", || {
        service.get(&stranger, "/ready").is_ok()
    });
    // A cut bundle keeps both, and is told.
    std::fs::write(&ca, "").unwrap();
    wait_until("the empty file is told", || {
        let page = service.get(&known, "/ready").unwrap();
        page.status == 200 && page.json()["warnings"][0]["code"] == "no_anchors"
    });
    assert!(service.get(&stranger, "/ready").is_ok());
    // The first root goes: its clients come in neither by a full handshake nor by a resumed one.
    let next = ground.path("next.pem");
    std::fs::write(&next, pki::pem_bundle([&other.root.der])).unwrap();
    std::fs::rename(&next, &ca).unwrap();
    wait_until("the removed root is refused", || {
        service.get(&known, "/ready").is_err()
    });
    let metrics = service.get(&stranger, "/metrics").unwrap();
    let reloads = metrics.metric("notafter_client_anchor_reloads_total", "");
    assert_eq!(reloads, Some(2));
    assert_eq!(metrics.metric("notafter_client_anchors", ""), Some(1));
    drop(service);

    std::fs::write(&ca, pki::pem_bundle([&ground.root.der])).unwrap();
    let service = ground.serve(&["--client-ca", &ca, "--client-crl", &crl]);
    assert!(service.get(&known, "/ready").is_ok());
    std::fs::write(&crl, ground.lists(-60, &[&leaf])).unwrap();
    wait_until("the revoked client is refused", || {
        service.get(&known, "/ready").is_err()
    });
    let other = ground.client_with(&ground.leaf(-DAY, 80 * DAY));
    let metrics = service.get(&other, "/metrics").unwrap();
    assert_eq!(
        metrics.metric("notafter_handshakes_refused_total", "\"revoked\""),
        Some(1)
    );
    wait_until("the list in force is shown", || {
        let metrics = service.get(&other, "/metrics").unwrap();
        let made = metrics.metric("notafter_crl_this_update", "client lists");
        made > metrics.metric("x509_cert_not_before", "position=\"leaf\"")
    });
    assert_eq!(
        metrics.metric("notafter_client_crl_reloads_total", ""),
        Some(1)
    );
}

#[test]
fn the_pages_say_how_the_anchors_and_lists_for_clients_stand() {
    let ground = Ground::new();
    ground.deploy(&ground.leaf(-DAY, 80 * DAY));
    let today = super::ground::now().seconds_since(pki::NOW) / DAY;
    // One that ends in ten days, of 110.
    let ending = pki::root("Ending Root", today - 100, today + 10);
    let (ca, crl) = (ground.path("clients.pem"), ground.path("clients.crl"));
    std::fs::write(&ca, pki::pem_bundle([&ground.root.der, &ending.der])).unwrap();
    std::fs::write(&crl, ground.lists(-3600, &[])).unwrap();
    let trusted = ["--client-ca", &ca, "--client-crl", &crl, "--poll", "20"];
    let service = ground.serve_heard(&trusted);
    let client = ground.client_with(&ground.leaf(-DAY, 80 * DAY));
    let warnings = || {
        let page = service.get(&client, "/ready").unwrap();
        assert_eq!(page.status, 200);
        let document = page.json();
        let warnings = document["warnings"].as_array().unwrap().iter();
        let codes = warnings.map(|warning| warning["code"].as_str().unwrap().to_owned());
        codes.collect::<Vec<_>>()
    };
    assert_eq!(warnings(), ["anchor_expiring"]);
    // The monitor looks for itself, a little later perhaps.
    let ends = || ground.told("trust anchor 'Ending Root' ends in").len();
    wait_until("the end of the anchor is told", || ends() > 0);
    assert_eq!(ends(), 1);
    let metric = |name| service.get(&client, "/metrics").unwrap().metric(name, "");
    let end = ending.certificate().not_after().as_unix_seconds();
    assert_eq!(metric("notafter_client_anchors"), Some(2));
    assert_eq!(
        metric("notafter_client_anchor_earliest_not_after_timestamp_seconds"),
        Some(end)
    );
    assert_eq!(metric("notafter_client_crls"), Some(2));
    for stale in [
        "notafter_client_anchor_stale_since_timestamp_seconds",
        "notafter_client_crl_stale_since_timestamp_seconds",
    ] {
        assert_eq!(metric(stale), Some(0), "{stale}");
    }
    // The report has the anchors beside the served chain, which comes first.
    let report = service.get(&client, "/certificates").unwrap().json();
    let positions: Vec<_> = (0..3)
        .map(|n| report["chains"][n]["certificates"][0]["position"].clone())
        .collect();
    assert_eq!(positions, ["leaf", "anchor", "anchor"]);
    // A list that is cut off: the one of before counts, and everybody hears since when.
    let cut = ground.lists(-60, &[]);
    std::fs::write(&crl, &cut[..cut.len() / 3]).unwrap();
    wait_until("the list is refused", || {
        warnings().contains(&"list_unusable".to_owned())
    });
    assert!(metric("notafter_client_crl_stale_since_timestamp_seconds") > Some(0));
    std::fs::write(&crl, cut).unwrap();
    wait_until("the list counts", || warnings() == ["anchor_expiring"]);
    assert_eq!(metric("notafter_client_crl_reloads_total"), Some(1));
    // The anchor that ends goes.
    std::fs::write(&ca, pki::pem_bundle([&ground.root.der])).unwrap();
    wait_until("nothing is wrong", || warnings().is_empty());
    assert_eq!(metric("notafter_client_anchor_reloads_total"), Some(1));
}

#[test]
fn each_list_that_is_over_is_a_warning_that_names_its_file() {
    let ground = Ground::new();
    ground.deploy(&ground.leaf(-DAY, 80 * DAY));
    let (ca, crl) = (ground.path("clients.pem"), ground.path("clients.crl"));
    std::fs::write(&ca, pki::pem_bundle([&ground.root.der])).unwrap();
    let at = |seconds| super::ground::now().saturating_add(seconds);
    let over = |ca| pki::crl_between(ca, at(-2 * DAY), at(-DAY), &[]);
    let lists = [over(&ground.root), over(&ground.issuer)].map(|list| pki::pem("X509 CRL", &list));
    std::fs::write(&crl, lists.concat()).unwrap();
    let service = ground.serve(&["--client-ca", &ca, "--client-crl", &crl]);
    let client = ground.client_with(&ground.leaf(-DAY, 80 * DAY));
    let document = service.get(&client, "/ready").unwrap().json();
    let warnings = document["warnings"].as_array().unwrap();
    assert_eq!(warnings.len(), 2, "{warnings:?}");
    for warning in warnings {
        assert_eq!(warning["code"], "crl_expired");
        let message = warning["message"].as_str().unwrap();
        assert!(message.starts_with(&crl), "{message}");
    }
}

#[test]
fn handshakes_are_counted_by_whose_fault_it_was_and_leaving_early_is_nobodys() {
    let ground = Ground::new();
    ground.deploy(&ground.leaf(-DAY, 80 * DAY));
    let service = ground.serve(&[]);
    let (client, stranger) = (ground.client(), Ground::new());
    for _ in 0..5 {
        // A load balancer that looks whether the port is open.
        drop(service.connect());
    }
    let mut cut = service.connect();
    cut.write_all(b"\x16\x03\x01\x02\0\x01").unwrap();
    drop(cut);
    let mut plain = service.connect();
    plain.write_all(b"GET / HTTP/1.1\r\n\r\n").unwrap();
    assert!(service.get(&stranger.client(), "/ready").is_err());
    let count = |name: &str, label: &str| {
        let metrics = service.get(&client, "/metrics").unwrap();
        metrics.metric(name, label)
    };
    wait_until("what is no TLS is counted", || {
        count("notafter_handshake_errors_total", "not_tls") == Some(1)
    });
    // It trusts a CA of the same name with another key.
    wait_until("that our own certificate is refused is counted", || {
        count("notafter_handshake_errors_total", "own_bad_signature") == Some(1)
    });
    assert_eq!(count("notafter_handshake_failures_total", ""), Some(2));
    assert!(service.interrupt());
}

#[test]
fn no_client_stops_it_for_others() {
    let ground = Ground::new();
    ground.deploy(&ground.leaf(-DAY, 80 * DAY));
    let service = ground.serve(&[]);
    let client = ground.client();
    let silent: Vec<_> = (0..50).map(|_| service.connect()).collect();
    for garbage in [
        &b"GET / HTTP/1.1\r\n\r\n"[..],
        b"\x16\x03\x01\xff\xff",
        b"\0",
    ] {
        let mut stream = service.connect();
        stream.write_all(garbage).unwrap();
    }
    let mut cut = service.connect();
    cut.write_all(b"\x16\x03\x01\x02\0\x01").unwrap();
    drop(cut);
    for _ in 0..3 {
        assert_eq!(service.get(&client, "/ready").unwrap().status, 200);
    }
    // A connection that was served and never closed does not hold up the end.
    let name = "localhost".try_into().unwrap();
    let mut connection = rustls::ClientConnection::new(client, name).unwrap();
    let mut socket = service.connect();
    let mut stream = rustls::Stream::new(&mut connection, &mut socket);
    stream
        .write_all(b"GET /ready HTTP/1.1\r\nHost: localhost\r\n\r\n")
        .unwrap();
    assert_eq!(stream.read(&mut [0; 12]).unwrap(), 12);
    assert!(service.interrupt());
    drop(silent);
}

#[test]
fn wrong_arguments_are_told() {
    let ground = Ground::new();
    let crt = ground.path("tls.crt");
    std::fs::write(&crt, pki::pem_bundle([&ground.root.der])).unwrap();
    let key = ground.path("tls.key");
    let cases = [
        (
            &["--cert", crt.as_str()][..],
            "--cert and --key belong together",
        ),
        (&["--poll", "0"], "at least 1"),
        (&["--nonsense"], "invalid option '--nonsense'"),
        (&["--cert", &crt, "--key", &key], "tls.key"),
    ];
    for (args, expected) in cases {
        let (code, error) = Service::refusal(args);
        assert_eq!(code, Some(1), "{error}");
        assert!(error.contains(expected), "{error}");
    }
}

/// A client that accepts any certificate: what an operator's `curl -k` would see.
fn lenient() -> std::sync::Arc<rustls::ClientConfig> {
    let config = rustls::ClientConfig::builder_with_provider(crate::support::tls::ring())
        .with_safe_default_protocol_versions()
        .unwrap()
        .dangerous()
        .with_custom_certificate_verifier(std::sync::Arc::new(Agreeable::default()))
        .with_no_client_auth();
    std::sync::Arc::new(config)
}
