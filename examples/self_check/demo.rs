//! The demonstration: a small service PKI is minted in memory, checked, and then served once over
//! loopback to a client that watches.

use std::error::Error;
use std::io;
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::sync::Arc;
use std::thread;

use notafter::observer::InlineObserver;
use notafter::{Certificate, Event, SelfCheck, Timestamp, TrustAnchors, WatchingServerVerifier};
use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, KeyUsagePurpose};
use rustls::client::WebPkiServerVerifier;
use rustls::crypto::CryptoProvider;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, ServerConfig, ServerConnection};
use time::{Duration, OffsetDateTime};

use crate::output;

const NAME: &str = "service.example";

pub fn run() -> Result<(), Box<dyn Error>> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let now = OffsetDateTime::now_utc();
    let pki = Pki::mint(now)?;
    output::write(
        "A service loads its leaf (20 days left), its intermediate (9 days left) and a cross-signed twin of\n\
         that intermediate (lives on, but under a root that has expired):\n\n",
    )?;
    let report = SelfCheck::builder()
        .with_chain("service.pem", pki.chain.clone())
        .with_key("service.key", pki.key.clone_key())
        .with_expected_name(NAME)
        .with_trust_anchors(pki.anchors())
        .with_provider(Arc::clone(&provider))
        .at(Timestamp::from_unix_seconds(now.unix_timestamp()))
        .build()?
        .run();
    output::write(&report.to_text())?;
    output::write(
        "\nNow a client connects to it over loopback, its rustls verifier wrapped to tell what it sees:\n\n",
    )?;
    let suite = handshake(&pki, &provider)?;
    output::write(&format!(
        "\nThe handshake succeeded ({suite}): watching never changes the verdict.\n\
         Try your own: cargo run --release --example self_check -- FILE | FOLDER | HOST:PORT\n"
    ))?;
    Ok(())
}

struct Pki {
    chain: Vec<CertificateDer<'static>>,
    key: PrivateKeyDer<'static>,
    roots: [CertificateDer<'static>; 2],
}

impl Pki {
    fn mint(now: OffsetDateTime) -> Result<Self, rcgen::Error> {
        let [old_key, new_key, intermediate_key, leaf_key] = [
            KeyPair::generate()?,
            KeyPair::generate()?,
            KeyPair::generate()?,
            KeyPair::generate()?,
        ];
        let old_root = ca("Example Old Root", now, -3650, -5);
        let new_root = ca("Example New Root", now, -365, 3285);
        let roots = [
            old_root.self_signed(&old_key)?.der().clone(),
            new_root.self_signed(&new_key)?.der().clone(),
        ];
        let old_root = Issuer::new(old_root, old_key);
        let new_root = Issuer::new(new_root, new_key);
        let short = ca("Example Issuing CA", now, -356, 9);
        let twin = ca("Example Issuing CA", now, -30, 700);
        let mut leaf = CertificateParams::new([NAME.to_owned()])?;
        validity(&mut leaf, now, -70, 20);
        leaf.distinguished_name.push(DnType::CommonName, NAME);
        let intermediates = [
            short.signed_by(&intermediate_key, &new_root)?.der().clone(),
            twin.signed_by(&intermediate_key, &old_root)?.der().clone(),
        ];
        let leaf = leaf.signed_by(&leaf_key, &Issuer::new(short, intermediate_key))?;
        let chain = std::iter::once(leaf.der().clone()).chain(intermediates);
        Ok(Self {
            chain: chain.collect(),
            key: PrivateKeyDer::Pkcs8(leaf_key.serialize_der().into()),
            roots,
        })
    }

    fn anchors(&self) -> TrustAnchors {
        TrustAnchors::builder()
            .with_certificates(&self.roots)
            .build()
    }
}

fn ca(name: &str, now: OffsetDateTime, from_days: i64, to_days: i64) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params.distinguished_name.push(DnType::CommonName, name);
    validity(&mut params, now, from_days, to_days);
    params
}

fn validity(params: &mut CertificateParams, now: OffsetDateTime, from_days: i64, to_days: i64) {
    params.not_before = now + Duration::days(from_days);
    params.not_after = now + Duration::days(to_days);
}

fn handshake(pki: &Pki, provider: &Arc<CryptoProvider>) -> Result<String, Box<dyn Error>> {
    let server = ServerConfig::builder_with_provider(Arc::clone(provider))
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(pki.chain.clone(), pki.key.clone_key())?;
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    let address = listener.local_addr()?;
    let serving = thread::spawn(move || -> io::Result<()> {
        let (mut stream, _) = listener.accept()?;
        let mut connection = ServerConnection::new(Arc::new(server)).map_err(io::Error::other)?;
        connection.complete_io(&mut stream).map(|_| ())
    });

    let anchors = pki.anchors();
    let roots = Arc::new(RootCertStore::from(&anchors));
    let inner = WebPkiServerVerifier::builder_with_provider(roots, Arc::clone(provider)).build()?;
    let verifier = WatchingServerVerifier::builder(inner)
        .with_provider(Arc::clone(provider))
        .with_trust_anchors(anchors)
        .with_observer(Arc::new(InlineObserver(|event: &Event| {
            let _ = output::write(&format!("event: {event}\n"));
        })))
        .build()?;
    let config = ClientConfig::builder_with_provider(Arc::clone(provider))
        .with_safe_default_protocol_versions()?
        .dangerous()
        .with_custom_certificate_verifier(verifier)
        .with_no_client_auth();
    let name = ServerName::try_from(NAME)?;
    let mut connection = ClientConnection::new(Arc::new(config), name)?;
    let mut stream = TcpStream::connect(address)?;
    connection.complete_io(&mut stream)?;
    serving
        .join()
        .map_err(|_| "the server's thread panicked")??;
    let leaf = connection.peer_certificates().and_then(<[_]>::first);
    let leaf = Certificate::from_der(leaf.ok_or("the server showed no certificate")?)?;
    let version = connection.protocol_version().ok_or("no protocol version")?;
    Ok(format!("{version:?} with {}", leaf.short_name()))
}
