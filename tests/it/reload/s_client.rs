//! OpenSSL's client at a service whose renewals go wrong.

use std::io::Read as _;
use std::net::{Ipv4Addr, TcpListener};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::thread;

use notafter::ReloadingKey;
use notafter::reload::{ChainCheck, LostNames, SelfSigned, WrongUsage};
use rcgen::{CustomExtension, ExtendedKeyUsagePurpose};
use rustls::pki_types::CertificateDer;
use rustls::{ClientConfig, RootCertStore, ServerConfig, ServerConnection, StreamOwned};

use super::renewals::self_signed;
use super::scene::{Scene, at, code};
use crate::support::pki::{self, Leaf};
use crate::support::tls::{FixedTime, VERSIONS, handshake, ring};

/// What `openssl s_client` makes of one connection by this version: whether it verified the chain and
/// the name, and what it said. `None`, with a line, where there is no openssl; in CI there must be.
fn s_client(scene: &Scene, server: &Arc<ServerConfig>, version: &str) -> Option<(bool, String)> {
    scene.write("root.pem", pki::pem_bundle([&scene.root.der]));
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let client = Command::new("openssl")
        .args(["s_client", "-connect", &address, "-servername", "a.example"])
        .args([
            "-verify_hostname",
            "a.example",
            "-verify_return_error",
            "-status",
        ])
        .args([version, "-CAfile"])
        .arg(scene.path("root.pem"))
        .args(["-attime", &pki::NOW.as_unix_seconds().to_string()])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn();
    let client = match client {
        Ok(client) => client,
        Err(error) => {
            assert!(
                std::env::var_os("CI").is_none(),
                "openssl is missing: {error}"
            );
            println!("skipped: there is no openssl here ({error})");
            return None;
        }
    };
    let server = server.clone();
    let serving = thread::spawn(move || {
        let (stream, _) = listener.accept().unwrap();
        let connection = ServerConnection::new(server).unwrap();
        // Until it closes, or refuses.
        let _ = StreamOwned::new(connection, stream).read_to_end(&mut Vec::new());
    });
    let output = client.wait_with_output().unwrap();
    serving.join().unwrap();
    let said = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
    let verified = output.status.success() && said.contains("Verify return code: 0 (ok)");
    Some((verified, said.into_owned()))
}

/// Both versions; `None` where there is no openssl.
fn verified(scene: &Scene, key: &Arc<ReloadingKey>) -> Option<[(bool, String); 2]> {
    let server = ServerConfig::builder_with_details(ring(), Arc::new(FixedTime(pki::now())))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_cert_resolver(key.clone());
    let server = Arc::new(server);
    let by_1_2 = s_client(scene, &server, "-tls1_2")?;
    Some([by_1_2, s_client(scene, &server, "-tls1_3")?])
}

fn deploy(scene: &Scene, leaf: &Leaf, issuers: &[&CertificateDer<'static>]) {
    let chain = [&leaf.der].into_iter().chain(issuers.iter().copied());
    scene.write("tls.crt", pki::pem_bundle(chain));
    scene.write("tls.key", leaf.key_pair.serialize_pem());
}

#[test]
fn every_connection_of_openssl_verifies_before_and_after_each_bad_renewal() {
    let scene = Scene::new();
    let issuer = &scene.issuer.der;
    // A: the CA took a new key under its old name, and the old intermediate is still sent along.
    let rekeyed = scene.root.intermediate("Issuing CA", -2, 1500);
    let of_rekeyed = rekeyed.leaf(&["a.example"], -1, 89);
    // B: a certificate for clients.
    let for_clients = scene.issuer.leaf_with(&["a.example"], -1, 89, |params| {
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
    });
    // C: another service's.
    let others = scene.issuer.leaf(&["b.example"], -1, 89);
    // D: what a service makes for itself, and what the CA's staging environment issues.
    let own = self_signed(&["a.example"], -1, 89);
    let staging = pki::root("Staging root", -1000, 3000);
    let staging_issuer = staging.intermediate("Staging CA", -300, 1500);
    let staged = staging_issuer.leaf(&["a.example"], -1, 89);
    let cases = [
        ("not_signed_by_issuer", &of_rekeyed, vec![issuer]),
        ("wrong_usage", &for_clients, vec![issuer]),
        ("names_lost", &others, vec![issuer]),
        ("self_signed", &own, vec![]),
        ("no_longer_verifies", &staged, vec![&staging_issuer.der]),
    ];
    let anchors = Arc::new(pki::anchors([&scene.root]));
    let good = scene.leaf(-10, 80);
    deploy(&scene, &good, &[issuer]);
    let key = scene.with(|builder| {
        let builder = builder.with_trust_anchors(anchors.clone());
        builder.with_settle_seconds(0)
    });
    for (number, (expected, bad, issuers)) in cases.into_iter().enumerate() {
        let now = i64::try_from(number).unwrap() * 10;
        let must = |key| {
            let outcomes = verified(&scene, key)?;
            for (verified, said) in &outcomes {
                assert!(verified, "{expected}: {said}");
            }
            Some(outcomes)
        };
        if must(&key).is_none() {
            return;
        }
        // The same renewal at a service that takes everything: clients do refuse it.
        let careless = scene.with(|builder| {
            builder
                .with_chain_check(ChainCheck::Tell)
                .with_wrong_usage(WrongUsage::Tell)
                .with_lost_names(LostNames::Tell)
                .with_self_signed(SelfSigned::Tell)
        });
        deploy(&scene, bad, &issuers);
        assert_eq!(code(&key.poll(at(now))), expected);
        assert_eq!(careless.poll(at(now)).swapped, 1, "{expected}");
        must(&key).unwrap();
        for (verified, said) in verified(&scene, &careless).unwrap() {
            assert!(!verified, "{expected}: {said}");
        }
        // The right one at last.
        deploy(
            &scene,
            &scene.leaf(-9 + i64::try_from(number).unwrap(), 89),
            &[issuer],
        );
        assert_eq!(key.poll(at(now + 1)).swapped, 1, "{expected}");
        must(&key).unwrap();
    }
}

/// OpenSSL takes 100 kB of the message of TLS 1.3 that a staple counts in, and 16,384 bytes of the one that
/// it has for itself in TLS 1.2; rustls buffers 65,535 bytes of both. Asked with bytes that are no
/// staple.
#[test]
fn openssl_and_rustls_count_staples_as_the_bound_has_it() {
    let scene = Scene::new();
    let leaf_of = |padding: usize| {
        scene.issuer.leaf_with(&["a.example"], -1, 89, |params| {
            let oid = [1, 3, 6, 1, 4, 1, 32473, 1];
            let extension = CustomExtension::from_oid_content(&oid, vec![0; padding]);
            params.custom_extensions.push(extension);
        })
    };
    let (small, large) = (leaf_of(1), leaf_of(60_000));
    // OpenSSL by TLS 1.2 and by 1.3, rustls by both.
    let cases = [
        (&small, 16_380, [true, true], [true, true]),
        (&small, 16_381, [false, true], [true, true]),
        (&large, 3_000, [true, true], [true, true]),
        (&large, 6_000, [true, true], [false, false]),
    ];
    for (leaf, staple, by_openssl, by_rustls) in cases {
        for (number, version) in ["-tls1_2", "-tls1_3"].into_iter().enumerate() {
            let (openssl, rustls) = (by_openssl[number], by_rustls[number]);
            let label = format!("{} {staple} {version}", leaf.der.len());
            let chain = vec![leaf.der.clone(), scene.issuer.der.clone()];
            let server = |clock| {
                ServerConfig::builder_with_details(ring(), clock)
                    .with_protocol_versions(&[VERSIONS[number]])
                    .unwrap()
                    .with_no_client_auth()
                    .with_single_cert_with_ocsp(
                        chain.clone(),
                        leaf.key.clone_key(),
                        vec![0x30; staple],
                    )
                    .unwrap()
            };
            let clock = Arc::new(FixedTime(pki::now()));
            let Some((_, said)) = s_client(&scene, &Arc::new(server(clock.clone())), version)
            else {
                return;
            };
            // It is not a staple, which OpenSSL finds once it took the message.
            assert_eq!(
                said.contains("invalid status response"),
                openssl,
                "{label}: {said}"
            );
            assert_eq!(
                said.contains("excessive message size"),
                !openssl,
                "{label}: {said}"
            );
            let client = ClientConfig::builder_with_details(ring(), clock.clone())
                .with_safe_default_protocol_versions()
                .unwrap()
                .with_root_certificates(RootCertStore::from(&pki::anchors([&scene.root])))
                .with_no_client_auth();
            let outcome = handshake(client, server(clock), "a.example").client;
            assert_eq!(outcome.is_ok(), rustls, "{label}: {outcome:?}");
        }
    }
}
