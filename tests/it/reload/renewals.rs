//! Bad renewals: whatever lies on disk, clients go on being served what they accept.

use std::sync::Arc;

use notafter::outlook::{Position, Usage};
use notafter::reload::{ChainCheck, ReloadError, SelfSigned, WrongUsage};
use notafter::{EventCode, ReloadingKey, Severity};
use rcgen::{CustomExtension, ExtendedKeyUsagePurpose, KeyPair};
use rustls::pki_types::CertificateDer;
use rustls::{ClientConfig, RootCertStore, ServerConfig};

use super::scene::{Scene, at, code, error, serves};
use crate::support::pki::{self, Ca, Leaf};
use crate::support::tls::{self, FixedTime, VERSIONS, handshake};

const DAY: i64 = 86_400;

/// Whether clients that trust this root and ask for a.example accept what the key serves, by both
/// versions of TLS.
pub fn accepted(key: &Arc<ReloadingKey>, root: &Ca) -> bool {
    let mut accepted = Vec::new();
    for versions in VERSIONS {
        let clock = Arc::new(FixedTime(pki::now()));
        let client = ClientConfig::builder_with_details(tls::ring(), clock.clone())
            .with_protocol_versions(&[versions])
            .unwrap()
            .with_root_certificates(RootCertStore::from(&pki::anchors([root])))
            .with_no_client_auth();
        let server = ServerConfig::builder_with_details(tls::ring(), clock)
            .with_protocol_versions(&[versions])
            .unwrap()
            .with_no_client_auth()
            .with_cert_resolver(key.clone());
        accepted.push(handshake(client, server, "a.example").client.is_ok());
    }
    assert_eq!(accepted[0], accepted[1]);
    accepted[0]
}

pub fn self_signed(names: &[&str], from: i64, to: i64) -> Leaf {
    let names: Vec<_> = names.iter().map(|name| (*name).to_owned()).collect();
    let mut params = rcgen::CertificateParams::new(names).unwrap();
    pki::validity(&mut params, from, to);
    let key_pair = KeyPair::generate().unwrap();
    let der = params.self_signed(&key_pair).unwrap().der().clone();
    Leaf {
        der,
        key: rustls::pki_types::PrivateKeyDer::Pkcs8(key_pair.serialize_der().into()),
        key_pair,
    }
}

fn with_usages(scene: &Scene, usages: &[ExtendedKeyUsagePurpose]) -> Leaf {
    scene.issuer.leaf_with(&["a.example"], -1, 89, |params| {
        params.extended_key_usages = usages.to_vec();
    })
}

fn deploy(scene: &Scene, leaf: &Leaf, issuers: &[&CertificateDer<'static>]) {
    let chain = [&leaf.der].into_iter().chain(issuers.iter().copied());
    scene.write("tls.crt", pki::pem_bundle(chain));
    scene.write("tls.key", leaf.key_pair.serialize_pem());
}

#[test]
fn the_four_bad_renewals_keep_the_good_pair_served() {
    let scene = Scene::new();
    // A: the CA took a new key under its old name, and the old intermediate is still sent along.
    let rekeyed = scene.root.intermediate("Issuing CA", -2, 1500);
    let of_rekeyed = rekeyed.leaf(&["a.example"], -1, 89);
    // B: a certificate for clients.
    let for_clients = with_usages(&scene, &[ExtendedKeyUsagePurpose::ClientAuth]);
    // C: another service's.
    let others = scene.issuer.leaf(&["b.example"], -1, 89);
    // D: what a service makes for itself when its CA is out of reach.
    let own = self_signed(&["a.example"], -1, 89);
    let issuer = &scene.issuer.der;
    let cases = [
        ("not_signed_by_issuer", &of_rekeyed, vec![issuer]),
        ("wrong_usage", &for_clients, vec![issuer]),
        ("names_lost", &others, vec![issuer]),
        ("self_signed", &own, vec![]),
    ];
    for (expected, bad, issuers) in cases {
        let (old, new) = (scene.leaf(-10, 80), scene.leaf(0, 90));
        scene.deploy(&old);
        let key = scene.key();
        assert!(accepted(&key, &scene.root));
        deploy(&scene, bad, &issuers);
        assert_eq!(code(&key.poll(at(1))), expected);
        assert!(serves(&key, &old), "{expected}");
        assert!(accepted(&key, &scene.root), "{expected}");
        // At once: none of these is how a half-written file looks.
        let event = scene.told_once(EventCode::ReloadFailed);
        assert_eq!(event.severity, Severity::Warning);
        scene.deploy(&new);
        assert_eq!(key.poll(at(2)).swapped, 1, "{expected}");
        assert_eq!(scene.told(), ["reload_succeeded"]);
    }
    // With the intermediate that made it, the first is as good as any.
    scene.deploy(&scene.leaf(-10, 80));
    let key = scene.key();
    deploy(&scene, &of_rekeyed, &[&rekeyed.der]);
    assert_eq!(key.poll(at(1)).swapped, 1);
    assert!(accepted(&key, &scene.root));
}

#[test]
fn every_signature_of_the_chain_is_checked() {
    let scene = Scene::new();
    let (old, new) = (scene.leaf(-10, 80), scene.leaf(-1, 89));
    let (issuer, root) = (&scene.issuer.der, &scene.root.der);
    let same_root = pki::root("Root", -1000, 3000);
    let same_issuer = same_root.intermediate("Issuing CA", -300, 1500);
    let (twin, twin_root) = (&same_issuer.der, &same_root.der);
    let cases = [
        (vec![issuer, root], None),
        (vec![twin], Some((Position::Leaf, "a.example"))),
        (
            vec![issuer, twin_root],
            Some((Position::in_chain(1), "Issuing CA")),
        ),
        // One of several is enough: peers take the one that fits.
        (vec![twin, issuer], None),
        (vec![issuer, twin_root, root], None),
        (vec![twin, issuer, twin_root, root], None),
        (vec![twin, twin_root], Some((Position::Leaf, "a.example"))),
    ];
    for (issuers, expected) in cases {
        scene.deploy(&old);
        let key = scene.key();
        deploy(&scene, &new, &issuers);
        let summary = key.poll(at(1));
        let Some((expected, its_name)) = expected else {
            assert_eq!(summary.swapped, 1, "{summary:?}");
            continue;
        };
        let error = error(&summary);
        let ReloadError::NotSignedByIssuer { position, name, .. } = &error else {
            panic!("{error}");
        };
        assert_eq!((*position, name.as_str()), (expected, its_name));
        assert!(error.to_string().contains("did not sign it"), "{error}");
        assert!(serves(&key, &old));
    }
    // Nor does a service start with one, unless told to.
    deploy(&scene, &new, &[twin]);
    let pair = |builder: notafter::reload::ReloadingKeyBuilder| {
        builder.with_pair(scene.path("tls.crt"), scene.path("tls.key"))
    };
    let refused = pair(scene.builder()).build().unwrap_err();
    assert!(refused.to_string().contains("did not sign it"), "{refused}");
    scene.events.take();
    scene.with(|builder| builder.with_chain_check(ChainCheck::Tell));
    assert_eq!(
        scene.told_once(EventCode::ReloadSucceeded).severity,
        Severity::Warning
    );
}

#[test]
fn the_extended_key_usage_fits_what_the_key_is_for() {
    use ExtendedKeyUsagePurpose::{Any, ClientAuth, CodeSigning, ServerAuth};
    let scene = Scene::new();
    let cases: [(&[ExtendedKeyUsagePurpose], bool, bool); 6] = [
        (&[], true, true),
        (&[ServerAuth, ClientAuth], true, true),
        (&[ServerAuth], true, false),
        (&[CodeSigning, ClientAuth], false, true),
        (&[CodeSigning], false, false),
        // As webpki has it.
        (&[Any], false, false),
    ];
    for (usages, server, client) in cases {
        for (usage, fits) in [(Usage::ServerAuth, server), (Usage::ClientAuth, client)] {
            scene.deploy(&scene.leaf(-10, 80));
            let key = scene.with(|builder| builder.with_usage(usage));
            let telling = scene.with(|builder| {
                let builder = builder.with_usage(usage);
                builder.with_wrong_usage(WrongUsage::Tell)
            });
            let new = with_usages(&scene, usages);
            scene.deploy(&new);
            let expected = if fits { "" } else { "wrong_usage" };
            assert_eq!(code(&key.poll(at(1))), expected, "{usages:?} {usage:?}");
            assert_eq!(serves(&key, &new), fits);
            assert_eq!(telling.poll(at(1)).swapped, 1);
        }
    }
    let file = scene.path("tls.crt").display().to_string();
    scene.deploy(&scene.leaf(-10, 80));
    let key = scene.key();
    scene.deploy(&with_usages(&scene, &[CodeSigning, ClientAuth]));
    assert_eq!(
        error(&key.poll(at(1))).to_string(),
        format!(
            "{file}: the extended key usage of the leaf 'a.example' is '1.3.6.1.5.5.7.3.3', \
             'clientAuth', without serverAuth: order a certificate with that usage, or set what \
             this key is for with with_usage"
        )
    );
    // An intermediate's counts too.
    let narrow = pki::root_with("Issuing CA", -300, 1500, |params| {
        params.extended_key_usages = vec![ClientAuth];
    });
    let new = narrow.leaf(&["a.example"], -1, 89);
    deploy(&scene, &new, &[&narrow.der]);
    let ReloadError::WrongUsage { position, .. } = error(&key.poll(at(3))) else {
        panic!("{key:?}");
    };
    assert_eq!(position, Position::in_chain(1));
}

#[test]
fn a_self_signed_certificate_replaces_no_issued_one_unless_told_to() {
    let scene = Scene::new();
    let old = scene.leaf(-10, 80);
    let own = self_signed(&["a.example"], -1, 200);
    scene.deploy(&old);
    let key = scene.key();
    let telling = scene.with(|builder| builder.with_self_signed(SelfSigned::Tell));
    deploy(&scene, &own, &[]);
    let expected = format!(
        "{}: 'rcgen self signed cert' is self-signed, and 'Issuing CA' issued the served \
         certificate: deploy the one that the CA issued, or allow it with SelfSigned::Tell",
        scene.path("tls.crt").display()
    );
    assert_eq!(error(&key.poll(at(1))).to_string(), expected);
    scene.events.take();
    assert_eq!(telling.poll(at(1)).swapped, 1);
    let event = scene.told_once(EventCode::ReloadSucceeded);
    assert!(event.message.contains("is self-signed"), "{event}");
    // Among themselves they are renewed, and any replaces one that is over.
    let next = self_signed(&["a.example"], 0, 201);
    deploy(&scene, &next, &[]);
    assert_eq!(telling.poll(at(2)).swapped, 1);
    assert_eq!(
        scene.told_once(EventCode::ReloadSucceeded).severity,
        Severity::Info
    );
    assert_eq!(code(&key.poll(at(80 * DAY))), "self_signed");
    assert_eq!(key.poll(at(80 * DAY + 1)).swapped, 1);
    // Issued again, it is only better.
    scene.deploy(&scene.leaf(1, 300));
    assert_eq!(key.poll(at(80 * DAY + 2)).swapped, 1);
}

#[test]
fn a_root_that_is_no_longer_sent_along_is_not_missed() {
    let scene = Scene::new();
    let (old, new) = (scene.leaf(-10, 80), scene.leaf(-1, 89));
    deploy(&scene, &old, &[&scene.issuer.der, &scene.root.der]);
    let key = scene.key();
    scene.deploy(&new);
    assert_eq!(key.poll(at(1)).swapped, 1);
    assert_eq!(
        scene.told_once(EventCode::ReloadSucceeded).severity,
        Severity::Info
    );
    // Nor where it issued the leaf itself.
    let direct = scene.root.leaf(&["a.example"], -10, 80);
    deploy(&scene, &direct, &[&scene.root.der]);
    let key = scene.key();
    deploy(&scene, &scene.root.leaf(&["a.example"], -1, 89), &[]);
    assert_eq!(key.poll(at(1)).swapped, 1);
}

#[test]
fn a_chain_that_clients_do_not_take_is_refused() {
    let scene = Scene::new();
    let (old, new) = (scene.leaf(-10, 80), scene.leaf(-1, 89));
    let twin = || scene.root.cross_sign(&scene.issuer, -300, 900);
    // Certificates by number: 100 and one more.
    for (twins, expected) in [(98, ""), (99, "chain_too_large")] {
        scene.deploy(&old);
        let key = scene.key();
        let twins: Vec<_> = (0..twins).map(|_| twin()).collect();
        let issuers: Vec<_> = [&scene.issuer.der].into_iter().chain(&twins).collect();
        deploy(&scene, &new, &issuers);
        let summary = key.poll(at(1));
        assert_eq!(code(&summary), expected);
        if !expected.is_empty() {
            let ReloadError::ChainTooLarge {
                certificates,
                most_certificates,
                ..
            } = error(&summary)
            else {
                panic!("{summary:?}");
            };
            assert_eq!((certificates, most_certificates), (101, 100));
        }
    }
    // By bytes: rustls's clients take one of 64,000 for sure.
    let padded = |bytes: usize| {
        let leaf = scene.issuer.leaf_with(&["a.example"], -1, 89, |params| {
            let oid = [1, 3, 6, 1, 4, 1, 32473, 1];
            let mut padding = vec![0x04, 0x82, 0, 0];
            padding.resize(bytes, 0);
            let length = u16::try_from(bytes - 4).unwrap().to_be_bytes();
            padding[2..4].copy_from_slice(&length);
            params
                .custom_extensions
                .push(CustomExtension::from_oid_content(&oid, padding));
        });
        let message = 4 + 5 + leaf.der.len() + 5 + scene.issuer.der.len();
        (leaf, message)
    };
    let fitted = |most: usize| {
        // Signatures differ by a byte or two in length.
        for _ in 0..200 {
            let (_, first) = padded(60_000);
            let (leaf, message) = padded(60_000 + most - first);
            if message == most {
                return leaf;
            }
        }
        panic!("no certificate of this size")
    };
    for (most, expected) in [(64_000, ""), (64_001, "chain_too_large")] {
        let leaf = fitted(most);
        scene.deploy(&old);
        let key = scene.key();
        scene.deploy(&leaf);
        assert_eq!(code(&key.poll(at(1))), expected);
        assert_eq!(serves(&key, &leaf), expected.is_empty());
        assert!(accepted(&key, &scene.root));
    }
}
