//! Who gets which certificate, in real handshakes.

use std::sync::Arc;

use notafter::cert::Sha256Digest;
use notafter::outlook::Usage;
use notafter::reload::{LostNames, UnknownName};
use notafter::{Certificate, ReloadingKey};
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::WebPkiClientVerifier;
use rustls::{ClientConfig, DigitallySignedStruct, RootCertStore, ServerConfig, SignatureScheme};

use super::scene::{Scene, at, print};
use crate::support::pki::{self, Leaf};
use crate::support::tls::{self, FixedTime, VERSIONS, handshake};

/// Takes any certificate, and remembers it: names are not its business.
#[derive(Debug)]
struct AnyName {
    inner: Arc<WebPkiServerVerifier>,
    seen: std::sync::Mutex<Option<Sha256Digest>>,
    schemes: Vec<SignatureScheme>,
}

impl ServerCertVerifier for AnyName {
    fn verify_server_cert(
        &self,
        leaf: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        *self.seen.lock().unwrap() = Some(Certificate::from_der(leaf).unwrap().fingerprint());
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.inner.verify_tls12_signature(message, cert, dss)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.inner.verify_tls13_signature(message, cert, dss)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.schemes.clone()
    }
}

/// Which leaf a client is shown that asks for `name` (an IP address asks for none) and verifies
/// these schemes; `None` where there is no handshake.
pub fn shown(
    scene: &Scene,
    key: &Arc<ReloadingKey>,
    name: &str,
    schemes: &[SignatureScheme],
) -> Option<Sha256Digest> {
    let roots = Arc::new(RootCertStore::from(&pki::anchors([&scene.root])));
    let inner = WebPkiServerVerifier::builder_with_provider(roots, tls::ring()).build();
    let verifier = Arc::new(AnyName {
        inner: inner.unwrap(),
        seen: std::sync::Mutex::default(),
        schemes: schemes.to_vec(),
    });
    let client = ClientConfig::builder_with_provider(tls::ring())
        .with_safe_default_protocol_versions()
        .unwrap()
        .dangerous()
        .with_custom_certificate_verifier(verifier.clone())
        .with_no_client_auth();
    let server = ServerConfig::builder_with_provider(tls::ring())
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_cert_resolver(key.clone());
    let outcome = handshake(client, server, name);
    let seen = *verifier.seen.lock().unwrap();
    outcome.client.ok().and(seen)
}

fn deploy(scene: &Scene, name: &str, leaf: &Leaf) {
    scene.write(&format!("{name}.crt"), scene.chain(leaf));
    scene.write(&format!("{name}.key"), leaf.key_pair.serialize_pem());
}

fn several(scene: &Scene, pairs: &[(&str, &Leaf)], unknown: UnknownName) -> Arc<ReloadingKey> {
    let builder = scene.builder().with_unknown_name(unknown);
    let mut builder = builder.with_lost_names(LostNames::Tell);
    for (name, leaf) in pairs {
        deploy(scene, name, leaf);
        let (crt, key) = (format!("{name}.crt"), format!("{name}.key"));
        builder = builder.with_pair(scene.path(&crt), scene.path(&key));
    }
    builder.build().unwrap()
}

#[test]
fn a_name_finds_its_certificate_then_a_wildcard_then_the_default() {
    let scene = Scene::new();
    let leaf = |names: &[&str]| scene.issuer.leaf(names, -10, 80);
    let default = leaf(&["a.example"]);
    let wild = leaf(&["*.b.example", "C.Example"]);
    let exact = leaf(&["x.b.example"]);
    let pairs = [("a", &default), ("wild", &wild), ("exact", &exact)];
    let [serving, refusing] = [UnknownName::ServeDefault, UnknownName::Refuse]
        .map(|unknown| several(&scene, &pairs, unknown));
    let cases = [
        ("a.example", Some(&default)),
        ("A.EXAMPLE", Some(&default)),
        ("x.b.example", Some(&exact)),
        ("y.b.example", Some(&wild)),
        ("c.example", Some(&wild)),
        // A wildcard stands for one label, and not for none.
        ("y.x.b.example", None),
        ("b.example", None),
        ("d.example", None),
        // No name at all.
        ("127.0.0.1", Some(&default)),
    ];
    for (name, expected) in cases {
        let expected = expected.map(print);
        let found = shown(&scene, &serving, name, &super::scene::SCHEMES);
        assert_eq!(found, expected.or(Some(print(&default))), "{name}");
        let found = shown(&scene, &refusing, name, &super::scene::SCHEMES);
        assert_eq!(found, expected, "{name}");
    }
    // A swap of one of them, with other names.
    let moved = leaf(&["d.example"]);
    deploy(&scene, "exact", &moved);
    assert_eq!(serving.poll(at(10)).swapped, 1);
    let shown = |name| shown(&scene, &serving, name, &super::scene::SCHEMES);
    assert_eq!(shown("d.example"), Some(print(&moved)));
    assert_eq!(shown("x.b.example"), Some(print(&wild)));
}

#[test]
fn clients_get_the_kind_of_key_that_they_can_verify() {
    let scene = Scene::new();
    let ecdsa = scene.issuer.leaf(&["a.example"], -10, 80);
    scene.write("a.crt", scene.chain(&ecdsa));
    scene.write("a.key", ecdsa.key_pair.serialize_pem());
    let key_pair = rcgen::KeyPair::generate_for(&rcgen::PKCS_ED25519).unwrap();
    let mut params = rcgen::CertificateParams::new(["a.example".to_owned()]).unwrap();
    pki::validity(&mut params, -10, 80);
    let twin = params.signed_by(&key_pair, &scene.issuer.issuer()).unwrap();
    scene.write("twin.crt", twin.pem());
    scene.write("twin.key", key_pair.serialize_pem());
    let key = scene
        .builder()
        .with_pair(scene.path("a.crt"), scene.path("a.key"))
        .with_pair(scene.path("twin.crt"), scene.path("twin.key"))
        .build()
        .unwrap();
    let twin = Sha256Digest::of(twin.der());
    use SignatureScheme::{ECDSA_NISTP256_SHA256, ED25519};
    for name in ["a.example", "127.0.0.1", "other.example"] {
        let shown = |schemes: &[_]| shown(&scene, &key, name, schemes);
        assert_eq!(
            shown(&[ED25519, ECDSA_NISTP256_SHA256]),
            Some(print(&ecdsa))
        );
        assert_eq!(shown(&[ED25519]), Some(twin), "{name}");
    }
}

#[test]
fn a_client_shows_what_the_server_trusts_and_reloads_it() {
    let scene = Scene::new();
    let other = pki::root("Other Root", -1000, 3000);
    let (first, second) = (other.leaf(&["client.a"], -10, 80), scene.leaf(-10, 80));
    scene.write("one.crt", pki::pem_bundle([&first.der]));
    scene.write("one.key", first.key_pair.serialize_pem());
    deploy(&scene, "two", &second);
    let key = scene
        .builder()
        .with_usage(Usage::ClientAuth)
        .with_pair(scene.path("one.crt"), scene.path("one.key"))
        .with_pair(scene.path("two.crt"), scene.path("two.key"))
        .build()
        .unwrap();
    let serving = scene.issuer.leaf(&["server.example"], -10, 80);
    let roots = Arc::new(RootCertStore::from(&pki::anchors([&scene.root])));
    let connect = || {
        for versions in VERSIONS {
            let verifier =
                WebPkiClientVerifier::builder_with_provider(roots.clone(), tls::ring()).build();
            let clock = Arc::new(FixedTime(pki::now()));
            let server = ServerConfig::builder_with_details(tls::ring(), clock.clone())
                .with_protocol_versions(&[versions])
                .unwrap()
                .with_client_cert_verifier(verifier.unwrap())
                .with_single_cert(
                    vec![serving.der.clone(), scene.issuer.der.clone()],
                    serving.key.clone_key(),
                )
                .unwrap();
            let client = ClientConfig::builder_with_details(tls::ring(), clock)
                .with_protocol_versions(&[versions])
                .unwrap()
                .with_root_certificates(roots.clone())
                .with_client_cert_resolver(key.clone());
            let outcome = handshake(client, server, "server.example");
            assert_eq!((outcome.client, outcome.server), (Ok(()), Ok(())));
        }
    };
    connect();
    deploy(&scene, "two", &scene.leaf(-1, 89));
    assert_eq!(key.poll(at(1)).swapped, 1);
    connect();
    let event = scene.told_once(notafter::EventCode::ReloadSucceeded);
    assert_eq!(event.role, notafter::event::Role::OwnClient);
}
