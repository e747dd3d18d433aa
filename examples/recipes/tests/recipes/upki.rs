//! upki's own data, built here: an index that knows nothing, and a filter that revokes one serial.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use clubcard::builder::{ApproximateRibbon, ClubcardBuilder, ExactRibbon};
use clubcard_crlite::builder::CRLiteBuilderItem;
use clubcard_crlite::{CRLiteClubcard, CRLiteCoverage, CRLiteQuery, Encoding, IssuerSpkiHash};
use notafter::cert::Sha256Digest;
use notafter::outlook::Usage;
use notafter::{Certificate, PinSet, SpkiPin, TrustAnchors};
use notafter_recipes::{client_configs::ClientConfigs, tokio_client, upki_verifier};
use rcgen::{CertificateParams, CustomExtension, Issuer, KeyPair};
use rustls::ServerConfig;
use rustls::pki_types::PrivateKeyDer;
use rustls_upki::{Outcome, Policy};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

use crate::http_peer;
use crate::scenario::{Pool, try_client};
use crate::world::World;

/// A log, and when it says that it took the leaf.
const LOG: u8 = 0xbb;
const TAKEN_MS: u64 = 1_700_000_000_000;

/// A folder with upki's configuration, and its data if there are any.
struct Ground(tempfile::TempDir);

impl Ground {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("revocation")).unwrap();
        let ground = Self(folder);
        let config = format!(
            "cache-dir = {:?}\n[revocation]\nfetch-url = \"https://upki.invalid/\"\n",
            ground.0.path()
        );
        std::fs::write(ground.config(), config).unwrap();
        ground
    }

    fn config(&self) -> PathBuf {
        self.0.path().join("config.toml")
    }

    fn write(&self, name: &str, bytes: &[u8]) {
        std::fs::write(self.0.path().join("revocation").join(name), bytes).unwrap();
    }

    /// As the C2SP specification upki-revocation has it: no files, no logs.
    fn with_empty_index(self) -> Self {
        self.write("index.bin", &[&b"upkiidx1"[..], &[0; 6]].concat());
        self
    }

    /// One filter, which covers `LOG` at all times.
    fn with_filter(self, filter: &[u8]) -> Self {
        let mut name = [0; 32];
        name[..8].copy_from_slice(b"f.filter");
        let entries = 14 + 32 + 42_u64;
        let index = [
            &b"upkiidx1"[..],
            &1_u16.to_be_bytes(),
            &1_u32.to_be_bytes(),
            &name,
            &[LOG; 32],
            &entries.to_be_bytes(),
            &1_u16.to_be_bytes(),
            &0_u16.to_be_bytes(),
            &0_u64.to_be_bytes(),
            &u64::MAX.to_be_bytes(),
        ];
        self.write("index.bin", &index.concat());
        self.write("f.filter", filter);
        self
    }
}

/// A CRLite filter that has heard of one issuer, and in which one of its serials is revoked.
fn filter(issuer: [u8; 32], revoked: &[u8], good: &[u8]) -> Vec<u8> {
    let issuer = IssuerSpkiHash(issuer);
    let items = || {
        let others = (0..256_usize).map(|n| n.to_le_bytes().to_vec());
        let good = std::iter::once(good.to_vec()).chain(others);
        good.map(move |serial| CRLiteBuilderItem::not_revoked(issuer, serial))
    };
    let mut builder = ClubcardBuilder::new();
    let mut approximate = builder.new_approx_builder(&issuer.0);
    approximate.insert(CRLiteBuilderItem::revoked(issuer, revoked.to_vec()));
    approximate.set_universe_size(256);
    builder.collect_approx_ribbons(vec![ApproximateRibbon::from(approximate)]);
    let mut exact = builder.new_exact_builder(&issuer.0);
    exact.insert(CRLiteBuilderItem::revoked(issuer, revoked.to_vec()));
    items().for_each(|item| exact.insert(item));
    builder.collect_exact_ribbons(vec![ExactRibbon::from(exact)]);
    let log = Sha256Digest::from_bytes([LOG; 32]).to_base64();
    let coverage = format!(
        r#"[{{"LogID":"{log}","MaxTimestamp":{},"MinTimestamp":0,"MMD":0,"MinEntry":0}}]"#,
        u64::MAX
    );
    let coverage = CRLiteCoverage::from_mozilla_ct_logs_json(coverage.as_bytes());
    let clubcard = builder.build::<CRLiteQuery<'_>>(coverage, ());
    CRLiteClubcard::from(clubcard)
        .to_bytes(Encoding::V4)
        .unwrap()
}

/// A server's leaf that embeds an SCT of `LOG`, and the server.
struct Logged {
    ca: TrustAnchors,
    issuer_sha256: [u8; 32],
    leaf: Certificate,
    server: ServerConfig,
}

impl Logged {
    fn new() -> Self {
        let key = KeyPair::generate().unwrap();
        let mut root = CertificateParams::default();
        root.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
        let der = root.self_signed(&key).unwrap().der().clone();
        let root = Issuer::new(root, key);
        let mut params = CertificateParams::new(["localhost".to_owned()]).unwrap();
        params.custom_extensions = vec![sct_extension()];
        let key = KeyPair::generate().unwrap();
        let leaf = params.signed_by(&key, &root).unwrap().der().clone();
        let ca = Certificate::from_der(&der).unwrap();
        let chain = vec![leaf.clone()];
        Self {
            ca: TrustAnchors::builder().with_certificates([&der]).build(),
            issuer_sha256: *ca.spki_sha256().as_bytes(),
            leaf: Certificate::from_der(&leaf).unwrap(),
            server: ServerConfig::builder()
                .with_no_client_auth()
                .with_single_cert(chain, PrivateKeyDer::Pkcs8(key.serialize_der().into()))
                .unwrap(),
        }
    }
}

/// RFC 6962, 3.3, with a signature of nobody: upki reads log and date alone.
fn sct_extension() -> CustomExtension {
    let sct = [
        &[0][..],
        &[LOG; 32],
        &TAKEN_MS.to_be_bytes(),
        &[0, 0, 4, 3, 0, 1, 0],
    ]
    .concat();
    let length = |n: usize| u16::try_from(n).unwrap().to_be_bytes();
    let list = [&length(sct.len() + 2)[..], &length(sct.len()), &sct].concat();
    let octets = u8::try_from(list.len()).unwrap();
    let value = [&[4, octets][..], &list].concat();
    CustomExtension::from_oid_content(&[1, 3, 6, 1, 4, 1, 11129, 2, 4, 2], value)
}

/// What a client of the recipe gets of the server with that leaf.
async fn ask(logged: &Logged, world: &World, config: &Path, policy: Policy) -> Result<(), String> {
    let (pins, own, told) = (world.pins.clone(), world.own.clone(), world.told.clone());
    pins.replace(pin_of(&logged.leaf));
    let configs = upki_verifier::client_configs(
        logged.ca.clone(),
        config.to_owned(),
        policy,
        pins,
        own,
        told,
    )
    .map_err(|error| error.to_string())?;
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let acceptor = TlsAcceptor::from(Arc::new(logged.server.clone()));
    tokio::spawn(async move {
        let (stream, _) = listener.accept().await.unwrap();
        if let Ok(mut tls) = acceptor.accept(stream).await {
            let _ = tls.shutdown().await;
        }
    });
    let connected = tokio_client::connect(&configs, "localhost", port).await;
    connected.map(|_| ()).map_err(|error| error.to_string())
}

fn pin_of(leaf: &Certificate) -> PinSet {
    let pin = SpkiPin::from_certificate(leaf);
    PinSet::builder().with_current(pin).build().unwrap()
}

fn client(world: &World, ground: &Ground) -> ClientConfigs {
    let (pins, own, told) = (world.pins.clone(), world.own.clone(), world.told.clone());
    let anchors = world.ca.anchors();
    let policy = Policy::default();
    upki_verifier::client_configs(anchors, ground.config(), policy, pins, own, told).unwrap()
}

/// Leaves of a private CA embed no SCT: upki lets them pass by default, and pins and events come upon that.
#[tokio::test]
async fn pins_and_events_come_upon_what_upki_accepts() {
    let world = World::of(Usage::ClientAuth);
    let port = http_peer::serve(&world, &["http/1.1"]).await;
    let configs = client(&world, &Ground::new().with_empty_index());
    try_client(&world, Pool::None, async || {
        let mut tls = tokio_client::connect(&configs, "localhost", port).await?;
        tls.write_all(http_peer::REQUEST).await?;
        let mut answer = String::new();
        tls.read_to_string(&mut answer).await?;
        Ok(http_peer::seen(
            answer.rsplit('\n').next().unwrap(),
            "HTTP/1.1",
        ))
    })
    .await;
}

/// What upki refuses stays refused, though the pin fits.
#[tokio::test]
async fn what_upki_refuses_is_refused() {
    let (world, logged) = (World::of(Usage::ClientAuth), Logged::new());
    let serial = logged.leaf.facts().serial().to_vec();
    let of = |revoked: &[u8], good: &[u8]| {
        Ground::new().with_filter(&filter(logged.issuer_sha256, revoked, good))
    };
    let strict = || Policy {
        cert_not_covered: Outcome::TreatAsRevoked,
        ..Policy::default()
    };
    let revoked = Err("invalid peer certificate: Revoked");
    let cases = [
        ("revoked", of(&serial, b"other"), Policy::default(), revoked),
        ("not revoked", of(b"other", &serial), strict(), Ok(())),
        (
            "unknown",
            Ground::new().with_empty_index(),
            Policy::default(),
            Ok(()),
        ),
        (
            "unknown, and strict",
            Ground::new().with_empty_index(),
            strict(),
            revoked,
        ),
        (
            "no data",
            Ground::new(),
            Policy::default(),
            Err("unexpected error: upki data is missing"),
        ),
    ];
    for (what, ground, policy, expected) in cases {
        let got = ask(&logged, &world, &ground.config(), policy).await;
        let got = got.as_ref().copied().map_err(String::as_str);
        assert_eq!(got, expected, "{what}");
    }
}
