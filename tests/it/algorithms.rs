//! ML-DSA, P-521, RSA-PSS and Ed448: each by its name, and told apart from what is broken.

use std::path::Path;
use std::sync::Arc;

use aws_lc_rs::signature::{
    KeyPair as _, ML_DSA_44_SIGNING, ML_DSA_65_SIGNING, ML_DSA_87_SIGNING, PqdsaKeyPair,
    PqdsaSigningAlgorithm,
};
use notafter::cert::{KeyType, Sha256Digest};
use notafter::explain::explain;
use notafter::reload::{ReloadBuildError, ReloadError};
use notafter::self_check::FindingCode;
use notafter::source::SourceContents;
use notafter::verifier::UnguardedSessions;
use notafter::{
    Certificate, ReloadingKey, Report, SelfCheck, Severity, SpkiPin, TrustAnchors,
    WatchingServerVerifier,
};
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::ServerCertVerifier as _;
use rustls::crypto::CryptoProvider;
use rustls::pki_types::CertificateDer;
use rustls::{ClientConfig, RootCertStore, ServerConfig};
use x509_cert::der::asn1::BitString;
use x509_cert::der::{Decode as _, Encode as _};
use x509_cert::spki::{AlgorithmIdentifierOwned, ObjectIdentifier, SubjectPublicKeyInfoOwned};

use crate::support::corpora;
use crate::support::pki::{self, NOW};
use crate::support::tls::{FixedTime, handshake, providers};

const NAME: &str = "a.example";

/// A parameter set, its OID, and the key of the examples in RFC 9881, appendix C.
struct MlDsa {
    name: &'static str,
    oid: &'static str,
    root: CertificateDer<'static>,
    key: PqdsaKeyPair,
}

fn ml_dsa() -> [MlDsa; 3] {
    let sets: [(_, _, _, &'static PqdsaSigningAlgorithm); 3] = [
        (
            "ML-DSA-44",
            "2.16.840.1.101.3.4.3.17",
            "ml-dsa-44.pem",
            &ML_DSA_44_SIGNING,
        ),
        (
            "ML-DSA-65",
            "2.16.840.1.101.3.4.3.18",
            "ml-dsa-65.pem",
            &ML_DSA_65_SIGNING,
        ),
        (
            "ML-DSA-87",
            "2.16.840.1.101.3.4.3.19",
            "ml-dsa-87.pem",
            &ML_DSA_87_SIGNING,
        ),
    ];
    // The seed that all examples of the RFC have.
    let seed: Vec<u8> = (0..32).collect();
    sets.map(|(name, oid, file, algorithm)| MlDsa {
        name,
        oid,
        root: of_file(file),
        key: PqdsaKeyPair::from_seed(algorithm, &seed).unwrap(),
    })
}

impl MlDsa {
    fn algorithm(&self) -> AlgorithmIdentifierOwned {
        AlgorithmIdentifierOwned {
            oid: ObjectIdentifier::new_unwrap(self.oid),
            parameters: None,
        }
    }

    /// A leaf that this root signed, with a key of its own kind or with the key that it has.
    fn leaf(&self, key: Option<&PqdsaKeyPair>) -> CertificateDer<'static> {
        let any = pki::root("Any", -10, 80).leaf(&[NAME], -10, 80);
        let mut leaf = x509_cert::Certificate::from_der(&any.der).unwrap();
        let root = x509_cert::Certificate::from_der(&self.root).unwrap();
        leaf.tbs_certificate.issuer = root.tbs_certificate.subject;
        leaf.tbs_certificate.signature = self.algorithm();
        leaf.signature_algorithm = self.algorithm();
        if let Some(key) = key {
            leaf.tbs_certificate.subject_public_key_info = SubjectPublicKeyInfoOwned {
                algorithm: self.algorithm(),
                subject_public_key: BitString::from_bytes(key.public_key().as_ref()).unwrap(),
            };
        }
        let message = leaf.tbs_certificate.to_der().unwrap();
        let mut signature = vec![0; self.key.algorithm().signature_len()];
        self.key.sign(&message, &mut signature).unwrap();
        leaf.signature = BitString::from_bytes(&signature).unwrap();
        leaf.to_der().unwrap().into()
    }
}

fn of_file(name: &str) -> CertificateDer<'static> {
    let bytes = std::fs::read(corpora::data("algorithms").join(name)).unwrap();
    let contents = SourceContents::from_bytes(name, &bytes);
    assert_eq!(
        (contents.certificates.len(), contents.failures.len()),
        (1, 0)
    );
    contents.certificates[0].certificate.der().clone()
}

fn anchors(root: &CertificateDer<'static>) -> TrustAnchors {
    TrustAnchors::builder().with_certificates([root]).build()
}

fn report(
    provider: &Arc<CryptoProvider>,
    root: &CertificateDer<'static>,
    leaf: &CertificateDer<'static>,
) -> Report {
    SelfCheck::builder()
        .with_trust_anchors(anchors(root))
        .with_provider(Arc::clone(provider))
        .with_chain("chain", [leaf.clone()])
        .at(NOW)
        .build()
        .unwrap()
        .run()
}

/// What a self-check says is wrong, but for what is due.
fn said(report: &Report) -> Vec<(FindingCode, Severity, &str)> {
    let findings = report.findings.iter();
    let findings = findings.filter(|f| f.code != FindingCode::Expiring);
    findings
        .map(|f| (f.code, f.severity, f.message.as_str()))
        .collect()
}

#[test]
fn keys_and_signatures_have_their_names_and_sizes() {
    let pss = |hash: &str| KeyType::RsaPss {
        hash: Some(hash.to_owned()),
    };
    let cases = [
        (
            "ml-dsa-44.pem",
            KeyType::MlDsa44,
            "ML-DSA-44",
            10_496,
            "ML-DSA-44",
        ),
        (
            "ml-dsa-65.pem",
            KeyType::MlDsa65,
            "ML-DSA-65",
            15_616,
            "ML-DSA-65",
        ),
        (
            "ml-dsa-87.pem",
            KeyType::MlDsa87,
            "ML-DSA-87",
            20_736,
            "ML-DSA-87",
        ),
        ("ed448-leaf.der", KeyType::Ed448, "Ed448", 448, "Ed448"),
        (
            "p521-leaf.der",
            KeyType::EcP521,
            "EC P-521",
            521,
            "ecdsa-with-SHA512",
        ),
        (
            "p521-sha256-leaf.der",
            KeyType::EcP256,
            "EC P-256",
            256,
            "ecdsa-with-SHA256",
        ),
        (
            "rsa-root.der",
            KeyType::Rsa,
            "RSA",
            2048,
            "sha256WithRSAEncryption",
        ),
        (
            "pss-sha256-leaf.der",
            KeyType::EcP256,
            "EC P-256",
            256,
            "rsassaPss with SHA-256",
        ),
        (
            "pss-sha1-leaf.der",
            KeyType::EcP256,
            "EC P-256",
            256,
            "rsassaPss with SHA-1",
        ),
        (
            "pss-long-salt-leaf.der",
            KeyType::EcP256,
            "EC P-256",
            256,
            "rsassaPss with SHA-256 and a salt of 222 octets instead of 32",
        ),
        (
            "pss-key-leaf.der",
            pss("SHA-384"),
            "RSA for PSS alone, with SHA-384",
            2048,
            "rsassaPss with SHA-384",
        ),
    ];
    for (file, key_type, name, bits, signature) in cases {
        let certificate = Certificate::from_der(of_file(file)).unwrap();
        let details = certificate.details().unwrap();
        assert_eq!(details.key_type.to_string(), name, "{file}");
        assert_eq!(
            (details.key_type, details.key_bits),
            (key_type, bits),
            "{file}"
        );
        assert_eq!(details.signature_algorithm, signature, "{file}");
    }
    let any = include_bytes!("../data/formats/rsa-pss-1024.der");
    let details = Certificate::from_der(&any[..]).unwrap().details().unwrap();
    assert_eq!(details.key_type.to_string(), "RSA for PSS alone");
    for set in ml_dsa() {
        let root = Certificate::from_der(&set.root).unwrap();
        assert_eq!(root.short_name(), "LAMPS WG");
        assert_eq!(root.not_after().to_string(), "2040-01-29T04:32:10Z");
        // Its signature is the RFC's, and the leaves below are signed with the RFC's key.
        let spki = root.facts().spki_der();
        assert!(
            spki.ends_with(set.key.public_key().as_ref()),
            "{}",
            set.name
        );
    }
}

const BY_OTHERS: &str =
    "have it signed with another algorithm, such as sha256WithRSAEncryption or ecdsa-with-SHA256";
const BY_AWS_LC_RS: &str =
    "aws-lc-rs does, so take that provider, or have it signed with another algorithm";

const UNSUPPORTED: &str =
    "by which the crypto provider verifies nothing, so handshakes with it fail";
const OTHER_KEY: &str = "order one with another kind of key, such as EC P-256";
const KEY_OF_AWS_LC_RS: &str =
    "aws-lc-rs does, so take that provider, or order one with another kind of key";

/// Leaf, root, what is not verified and by which providers, and what to do about it.
#[test]
fn what_a_provider_cannot_verify_is_said_as_that_and_by_name() {
    let neither = &["ring", "aws-lc-rs"][..];
    let files = [
        (
            "ed448",
            "ed448-leaf.der",
            "ed448-root.der",
            "Ed448",
            neither,
            BY_OTHERS,
        ),
        (
            "p521",
            "p521-leaf.der",
            "p521-root.der",
            "ecdsa-with-SHA512",
            &["ring"],
            BY_AWS_LC_RS,
        ),
        (
            "p521 by SHA-256",
            "p521-sha256-leaf.der",
            "p521-root.der",
            "ecdsa-with-SHA256 by a key of the kind EC P-521",
            &["ring"],
            BY_AWS_LC_RS,
        ),
        ("pss", "pss-sha256-leaf.der", "rsa-root.der", "", &[], ""),
        ("pss key", "pss-key-leaf.der", "rsa-root.der", "", &[], ""),
        (
            "long salt",
            "pss-long-salt-leaf.der",
            "rsa-root.der",
            "rsassaPss with SHA-256 and a salt of 222 octets instead of 32",
            neither,
            BY_OTHERS,
        ),
        (
            "pss by SHA-1",
            "pss-sha1-leaf.der",
            "rsa-root.der",
            "rsassaPss with SHA-1",
            neither,
            BY_OTHERS,
        ),
    ];
    let files = files.map(|(name, leaf, root, algorithm, unable, remedy)| {
        (
            name,
            of_file(leaf),
            of_file(root),
            algorithm,
            unable,
            remedy,
        )
    });
    let of_ml_dsa = ml_dsa().map(|set| {
        let leaf = set.leaf(None);
        (
            set.name,
            leaf,
            set.root,
            set.name,
            &["ring"][..],
            BY_AWS_LC_RS,
        )
    });
    for (name, leaf, root, algorithm, unable, remedy) in files.into_iter().chain(of_ml_dsa) {
        for (provider_name, provider) in providers() {
            let report = report(&provider, &root, &leaf);
            let message = format!(
                "rustls does not accept the chain: a signature in it is {algorithm}, \
                 which the crypto provider does not verify: {remedy}"
            );
            let mut expected = Vec::new();
            if unable.contains(&provider_name) {
                let code = FindingCode::DoesNotVerify;
                expected.push((code, Severity::Critical, message.as_str()));
            }
            // Only what can be forged is weak, whoever verifies it.
            if name == "pss by SHA-1" {
                expected.push((
                    FindingCode::WeakSignature,
                    Severity::Warning,
                    "its signature is rsassaPss with SHA-1, which can be forged and which rustls refuses: \
                     order a new certificate",
                ));
            }
            // Its own key is Ed448, P-521, or RSA for PSS alone.
            let key = match (name, provider_name) {
                ("ed448", _) => Some(format!("Ed448, {UNSUPPORTED}: {OTHER_KEY}")),
                ("p521", "ring") => Some(format!("EC P-521, {UNSUPPORTED}: {KEY_OF_AWS_LC_RS}")),
                ("pss key", _) => Some(format!(
                    "RSA for PSS alone, with SHA-384, {UNSUPPORTED}: {OTHER_KEY}"
                )),
                _ => None,
            };
            let key = key.map(|key| format!("its key is {key}"));
            let code = FindingCode::UnsupportedKey;
            expected.extend((key.iter()).map(|key| (code, Severity::Warning, key.as_str())));
            assert_eq!(said(&report), expected, "{name}, {provider_name}");
            let end = report.chains[0]
                .rustls
                .as_ref()
                .unwrap()
                .effective_not_after;
            let refused = unable.contains(&provider_name);
            assert_eq!(end.is_none(), refused, "{name}, {provider_name}");
        }
    }
}

#[test]
fn why_a_client_refuses_such_a_chain_is_explained_by_name() {
    let cases = [
        (
            of_file("ed448-leaf.der"),
            of_file("ed448-root.der"),
            "Ed448",
            BY_OTHERS,
        ),
        (
            of_file("p521-leaf.der"),
            of_file("p521-root.der"),
            "ecdsa-with-SHA512",
            BY_AWS_LC_RS,
        ),
        (
            of_file("pss-sha1-leaf.der"),
            of_file("rsa-root.der"),
            "rsassaPss with SHA-1",
            BY_OTHERS,
        ),
    ];
    let [(_, ring), _] = providers();
    for (leaf, root, algorithm, remedy) in cases {
        let mut roots = RootCertStore::empty();
        roots.add(root).unwrap();
        let verifier = WebPkiServerVerifier::builder_with_provider(roots.into(), Arc::clone(&ring));
        let name = NAME.try_into().unwrap();
        let at = pki::now();
        let error = (verifier.build().unwrap())
            .verify_server_cert(&leaf, &[], &name, &[], at)
            .unwrap_err();
        let explanation = explain(&error).unwrap();
        assert_eq!(
            explanation.code(),
            "peer_unsupported_algorithm",
            "{algorithm}"
        );
        assert_eq!(
            explanation.to_string(),
            format!(
                "the peer's chain does not verify: a signature in it is {algorithm}, \
                 which the crypto provider does not verify: {remedy}"
            )
        );
    }
}

#[test]
fn a_signature_that_is_wrong_is_not_called_unsupported() {
    let [_, aws_lc_rs] = providers();
    for set in ml_dsa() {
        let mut leaf = set.leaf(None).to_vec();
        *leaf.last_mut().unwrap() ^= 1;
        let report = report(&aws_lc_rs.1, &set.root, &leaf.into());
        let codes: Vec<_> = said(&report).iter().map(|(code, ..)| *code).collect();
        assert_eq!(codes, [FindingCode::BadSignature], "{}", set.name);
    }

    // Another root of the same name has a key that makes no such signatures.
    let real = pki::root("Root", -1000, 3000);
    let leaf = real.leaf(&[NAME], -10, 80).der;
    let subject = x509_cert::Certificate::from_der(&real.der).unwrap();
    let subject = subject.tbs_certificate.subject;
    let mut other = x509_cert::Certificate::from_der(&of_file("rsa-root.der")).unwrap();
    other.tbs_certificate.subject = subject.clone();
    other.tbs_certificate.issuer = subject;
    let root = other.to_der().unwrap().into();
    for (name, provider) in providers() {
        let report = report(&provider, &root, &leaf);
        assert_eq!(
            said(&report),
            [(
                FindingCode::DoesNotVerify,
                Severity::Critical,
                "rustls does not accept the chain: a signature in it is ecdsa-with-SHA256, which a key of the kind \
                 RSA, its issuer's, never makes: serve the intermediates that belong to this leaf"
            )],
            "{name}"
        );
    }
}

fn reloading(
    folder: &Path,
    provider: &Arc<CryptoProvider>,
) -> Result<Arc<ReloadingKey>, ReloadError> {
    ReloadingKey::builder()
        .with_provider(Arc::clone(provider))
        .with_clock(Arc::new(FixedTime(pki::now())))
        .with_pair(folder.join("tls.crt"), folder.join("tls.key"))
        .build()
        .map_err(|error| {
            let ReloadBuildError::Pair { error } = error else {
                panic!("{error}");
            };
            error
        })
}

#[test]
fn a_pair_of_ml_dsa_is_served_by_aws_lc_rs_and_refused_by_its_name_with_ring() {
    let folder = tempfile::tempdir().unwrap();
    let [ring, aws_lc_rs] = providers().map(|(_, provider)| provider);
    for set in ml_dsa() {
        let seed: Vec<u8> = (32..64).collect();
        let key = PqdsaKeyPair::from_seed(set.key.algorithm(), &seed).unwrap();
        let leaf = set.leaf(Some(&key));
        let key_pem = pki::pem("PRIVATE KEY", key.to_pkcs8v1().unwrap().as_ref());
        std::fs::write(folder.path().join("tls.crt"), pki::pem_bundle([&leaf])).unwrap();
        std::fs::write(folder.path().join("tls.key"), &key_pem).unwrap();

        let reason = format!(
            "it is {}, which aws-lc-rs takes and ring does not",
            set.name
        );
        let error = reloading(folder.path(), &ring).unwrap_err();
        assert!(
            matches!(&error, ReloadError::KeyUnusable { reason: said, .. } if *said == reason),
            "{error}"
        );
        let by_ring = SpkiPin::from_private_key_pem(key_pem.as_bytes(), &ring).unwrap_err();
        assert!(by_ring.to_string().contains(&reason), "{by_ring}");

        // A pin is a hash of the key, whatever its kind and whoever verifies with it.
        let certificate = Certificate::from_der(&leaf).unwrap();
        let pin = SpkiPin::from_certificate(&certificate);
        assert_eq!(
            SpkiPin::from_private_key_pem(key_pem.as_bytes(), &aws_lc_rs).unwrap(),
            pin
        );
        let spki = x509_cert::Certificate::from_der(&leaf).unwrap();
        let spki = spki
            .tbs_certificate
            .subject_public_key_info
            .to_der()
            .unwrap();
        let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, &spki);
        let sha256 = format!("sha256/{}", data_encoding::BASE64.encode(digest.as_ref()));
        assert_eq!(pin.to_string(), sha256);

        for (pin, agreed) in [(pin, true), (SpkiPin::from_spki_der(b"another"), false)] {
            let key = reloading(folder.path(), &aws_lc_rs).unwrap();
            let clock = || Arc::new(FixedTime(pki::now()));
            let server = ServerConfig::builder_with_details(Arc::clone(&aws_lc_rs), clock())
                .with_safe_default_protocol_versions()
                .unwrap()
                .with_no_client_auth()
                .with_cert_resolver(key);
            let verifier = WatchingServerVerifier::for_anchors_with_provider(
                anchors(&set.root),
                Arc::clone(&aws_lc_rs),
            )
            .unwrap()
            .with_leaf_pin(pin)
            .with_unguarded_sessions(UnguardedSessions::Accept)
            .build()
            .unwrap();
            let client = ClientConfig::builder_with_details(Arc::clone(&aws_lc_rs), clock())
                .with_safe_default_protocol_versions()
                .unwrap()
                .dangerous()
                .with_custom_certificate_verifier(verifier)
                .with_no_client_auth();
            let outcome = handshake(client, server, NAME);
            assert_eq!(
                outcome.client.is_ok(),
                agreed,
                "{}: {:?}",
                set.name,
                outcome.client
            );
            let refusal = outcome.client.err();
            let by_pin = refusal.as_ref().and_then(notafter::pin_error).is_some();
            assert_eq!(by_pin, !agreed, "{}: {refusal:?}", set.name);
        }
    }
}

#[test]
fn a_leaf_whose_key_no_provider_verifies_with_is_not_served() {
    let folder = tempfile::tempdir().unwrap();
    let any = pki::root("Any", -10, 80).leaf(&[NAME], -10, 80);
    std::fs::write(folder.path().join("tls.key"), any.key_pair.serialize_pem()).unwrap();
    let (neither, ring): (&[_], &[_]) = (&["ring", "aws-lc-rs"], &["ring"]);
    let cases = [
        ("ed448-leaf.der", "Ed448", neither),
        (
            "pss-key-leaf.der",
            "RSA for PSS alone, with SHA-384",
            neither,
        ),
        ("p521-leaf.der", "EC P-521", ring),
        ("ml-dsa-65.pem", "ML-DSA-65", ring),
    ];
    for (file, name, unable) in cases {
        let leaf = of_file(file);
        std::fs::write(folder.path().join("tls.crt"), pki::pem_bundle([&leaf])).unwrap();
        for (provider_name, provider) in providers() {
            let error = reloading(folder.path(), &provider).unwrap_err();
            let expected = match unable.contains(&provider_name) {
                true => ReloadError::LeafUnusable {
                    file: folder.path().join("tls.crt").to_str().unwrap().to_owned(),
                    reason: format!(
                        "its key is {name}, by which the crypto provider verifies nothing"
                    ),
                },
                // Otherwise the key is compared: it is another one.
                false => ReloadError::KeyMismatch {
                    file: folder.path().join("tls.crt").to_str().unwrap().to_owned(),
                    key_file: folder.path().join("tls.key").to_str().unwrap().to_owned(),
                    belongs_to: None,
                },
            };
            assert_eq!(error, expected, "{file}, {provider_name}");
        }
    }
}

#[test]
fn a_pin_of_such_a_key_is_a_hash_like_any_other() {
    for file in [
        "ml-dsa-44.pem",
        "ml-dsa-87.pem",
        "ed448-leaf.der",
        "p521-leaf.der",
        "pss-key-leaf.der",
    ] {
        let certificate = Certificate::from_der(of_file(file)).unwrap();
        let spki = Sha256Digest::of(certificate.facts().spki_der());
        let pin = SpkiPin::from_certificate(&certificate);
        let digest = data_encoding::BASE64.encode(spki.as_bytes());
        assert_eq!(pin.to_string(), format!("sha256/{digest}"), "{file}");
        assert_eq!(pin.to_string().parse::<SpkiPin>().unwrap(), pin, "{file}");
    }
}
