//! OpenSSL's client with its own store of sessions, before and after its root is taken away.

use std::io::Write as _;
use std::process::{Command, Stdio};

use super::ground::{Ground, Service, wait_until};
use crate::support::pki::{self, Leaf};
use crate::support::tools::tool;

const DAY: i64 = 86_400;

/// What `openssl s_client` says about a request with this client's certificate.
fn s_client(ground: &Ground, service: &Service, leaf: &Leaf, more: &[&str]) -> String {
    let (cert, key) = (ground.path("client.crt"), ground.path("client.key"));
    let issuer = ground.path("issuer.crt");
    std::fs::write(&cert, pki::pem_bundle([&leaf.der])).unwrap();
    std::fs::write(&issuer, pki::pem_bundle([&ground.issuer.der])).unwrap();
    std::fs::write(&key, leaf.key_pair.serialize_pem()).unwrap();
    let address = format!("127.0.0.1:{}", service.port);
    let mut client = Command::new("openssl")
        .args(["s_client", "-connect", &address, "-servername", "localhost"])
        .args([
            "-cert",
            &cert,
            "-cert_chain",
            &issuer,
            "-key",
            &key,
            "-ign_eof",
        ])
        .args(more)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let request = b"GET /ready HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    // One that is refused may be gone by now.
    let _ = client.stdin.take().unwrap().write_all(request);
    let output = client.wait_with_output().unwrap();
    String::from_utf8_lossy(&output.stdout).into_owned()
}

#[test]
fn openssl_resumes_no_session_of_a_client_whose_root_was_taken_away() {
    if tool("openssl").is_none() {
        return;
    }
    let ground = Ground::new();
    ground.deploy(&ground.leaf(-DAY, 80 * DAY));
    let other = Ground::new();
    let leaf = ground.leaf(-DAY, 80 * DAY);
    let (ca, session) = (ground.path("clients.pem"), ground.path("session.pem"));
    for version in ["-tls1_2", "-tls1_3"] {
        let both = pki::pem_bundle([&ground.root.der, &other.root.der]);
        std::fs::write(&ca, both).unwrap();
        let service = ground.serve(&["--client-ca", &ca, "--poll", "20"]);
        let said = s_client(&ground, &service, &leaf, &[version, "-sess_out", &session]);
        assert!(
            said.contains("New, TLSv1") && said.contains("200 OK"),
            "{said}"
        );
        let resume = [version, "-sess_in", &session, "-sess_out", &session];
        let said = s_client(&ground, &service, &leaf, &resume);
        assert!(
            said.contains("Reused, TLSv1") && said.contains("200 OK"),
            "{said}"
        );
        let next = ground.path("next.pem");
        std::fs::write(&next, pki::pem_bundle([&other.root.der])).unwrap();
        std::fs::rename(&next, &ca).unwrap();
        let full = ground.client_with(&leaf);
        wait_until("the removed root is refused", || {
            service.get(&full, "/ready").is_err()
        });
        let said = s_client(&ground, &service, &leaf, &resume);
        assert!(
            !said.contains("200 OK") && !said.contains("Reused"),
            "{said}"
        );
    }
}
