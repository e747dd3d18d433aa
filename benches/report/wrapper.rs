//! What verifiers cost in a handshake: the wrapper, the cache, and hostile peers.

use std::hint::black_box;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use notafter::verifier::VerdictCache;
use notafter::{Event, SpkiPin, Timestamp, WatchingServerVerifier};
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::internal::msgs::codec::{Codec as _, Reader};
use rustls::pki_types::{CertificateDer, PrivatePkcs8KeyDer, ServerName, UnixTime};
use rustls::time_provider::TimeProvider;
use rustls::{
    ClientConfig, ClientConnection, DigitallySignedStruct, Error, RootCertStore, ServerConfig,
    ServerConnection, SignatureScheme, client::Resumption,
};
use sha2::{Digest as _, Sha256};
use x509_parser::prelude::{FromDer as _, X509Certificate};

use super::chains::Chain;
use super::measure::{row, short_row, slow_row};

pub(super) fn rows() {
    let chain = Chain::mint(&[400]);
    let presented = Presented::of(&chain);
    let accepting: Arc<dyn ServerCertVerifier> = Arc::new(Accepting);
    let watching = watching(&chain, accepting.clone());
    presented.prove(&*watching);
    let webpki = webpki(&chain);
    let by_hand = ByHand(Sha256::digest(chain.certificates[0].facts().spki_der()).into());

    // The inner verifier costs nothing here: what is left is the wrapper.
    row(
        "wrapper_seen",
        "a verifier that parses and hashes (x509-parser, sha2)",
        || presented.ask(&*watching).unwrap(),
        || presented.ask(&by_hand).unwrap(),
    );
    short_row(
        "wrapper_seen_two_threads",
        "half as much by one thread",
        || on_two_threads(&presented, &*watching),
        || {
            for _ in 0..BATCH {
                presented.ask(&*watching).unwrap();
            }
        },
    );
    let around_webpki = self::watching(&chain, any_signature(&webpki));
    presented.prove(&*around_webpki);
    row(
        "wrapper_around_webpki",
        "webpki verify",
        || presented.ask(&*around_webpki).unwrap(),
        || presented.ask(&*webpki).unwrap(),
    );
    let cache = VerdictCache::builder(any_signature(&webpki))
        .build()
        .unwrap();
    presented.prove(&*cache);
    row(
        "verdict_cache",
        "webpki verify",
        || presented.ask(&*cache).unwrap(),
        || presented.ask(&*webpki).unwrap(),
    );
    let cache = VerdictCache::builder(webpki.clone()).build().unwrap();
    let server = server(&chain);
    let (cached, plain) = (client(&chain, cache), client(&chain, webpki.clone()));
    short_row(
        "handshake_cached",
        "the same handshake with webpki alone",
        || handshake(&cached, &server),
        || handshake(&plain, &server),
    );

    let ladder = Chain::ladder();
    let climbing = Presented::of(&ladder);
    let (guarded, unguarded) = (self::watching(&ladder, accepting), self::webpki(&ladder));
    short_row(
        "hostile_ladder_to_an_anchor",
        "rustls on the same chain",
        || drop(climbing.ask(&*guarded).unwrap_err()),
        || drop(climbing.ask(&*unguarded).unwrap_err()),
    );
    // Nothing of it leads to an anchor: no signature is ever looked at, and rustls climbs on.
    let stranger = ladder.for_a_stranger();
    let unguarded = self::webpki(&stranger);
    slow_row(
        "hostile_ladder",
        "rustls on the same chain",
        || drop(climbing.ask(&*guarded).unwrap_err()),
        || drop(climbing.ask(&*unguarded).unwrap_err()),
    );
}

/// So often each of two threads asks.
const BATCH: usize = 5_000;

fn on_two_threads(presented: &Presented, verifier: &dyn ServerCertVerifier) {
    let done = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                for _ in 0..BATCH {
                    presented.ask(verifier).unwrap();
                }
                done.fetch_add(BATCH, Ordering::Relaxed);
            });
        }
    });
    assert_eq!(done.into_inner(), 2 * BATCH);
}

/// What a server presents.
struct Presented {
    certificates: Vec<CertificateDer<'static>>,
    name: ServerName<'static>,
    now: UnixTime,
}

impl Presented {
    fn of(chain: &Chain) -> Self {
        let certificates = chain.certificates.iter().map(|c| c.der().clone());
        Self {
            certificates: certificates.collect(),
            name: "a.example".try_into().unwrap(),
            now: chain.now.to_unix_time().unwrap(),
        }
    }

    /// The server proves that it has its key: from now on it is remembered.
    fn prove(&self, verifier: &dyn ServerCertVerifier) {
        self.ask(verifier).unwrap();
        let leaf = self.certificates.first().unwrap();
        let proven = verifier.verify_tls13_signature(&[], leaf, &signature());
        proven.unwrap();
    }

    fn ask(&self, verifier: &dyn ServerCertVerifier) -> Result<(), Error> {
        let (leaf, rest) = black_box(&self.certificates).split_first().unwrap();
        let verified = verifier.verify_server_cert(leaf, rest, &self.name, &[], self.now);
        verified.map(|_| ())
    }
}

fn watching(chain: &Chain, inner: Arc<dyn ServerCertVerifier>) -> Arc<WatchingServerVerifier> {
    let pin = SpkiPin::from_certificate(chain.certificates.first().unwrap());
    let verifier = WatchingServerVerifier::builder(inner)
        .with_trust_anchors(chain.anchors.clone())
        .with_provider(rustls::crypto::ring::default_provider().into())
        .with_leaf_pin(pin)
        .with_successor_pin(SpkiPin::from_spki_der(b"the next key"))
        .with_observer(Arc::new(|event: &Event| drop(black_box(event.clone()))));
    verifier.build().unwrap()
}

fn webpki(chain: &Chain) -> Arc<dyn ServerCertVerifier> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let roots = Arc::new(RootCertStore::from(&chain.anchors));
    let verifier = WebPkiServerVerifier::builder_with_provider(roots, provider);
    verifier.build().unwrap()
}

/// A signature of nothing, as it comes from a server.
pub(super) fn signature() -> DigitallySignedStruct {
    DigitallySignedStruct::read(&mut Reader::init(&[8, 7, 0, 1, 0])).unwrap()
}

/// Around a verifier whose verdicts count, but not those about signatures.
pub(super) fn any_signature(verifier: &Arc<dyn ServerCertVerifier>) -> Arc<dyn ServerCertVerifier> {
    Arc::new(AnySignature(Arc::clone(verifier)))
}

/// Takes any signature for a proof.
#[derive(Debug)]
struct AnySignature(Arc<dyn ServerCertVerifier>);

#[derive(Debug)]
struct Now(Timestamp);

impl TimeProvider for Now {
    fn current_time(&self) -> Option<UnixTime> {
        self.0.to_unix_time()
    }
}

fn client(chain: &Chain, verifier: Arc<dyn ServerCertVerifier>) -> Arc<ClientConfig> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut config = ClientConfig::builder_with_details(provider, Arc::new(Now(chain.now)))
        .with_protocol_versions(&[&rustls::version::TLS13])
        .unwrap()
        .dangerous()
        .with_custom_certificate_verifier(verifier)
        .with_no_client_auth();
    config.resumption = Resumption::disabled();
    Arc::new(config)
}

fn server(chain: &Chain) -> Arc<ServerConfig> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let certificates = chain.certificates.iter().map(|c| c.der().clone());
    let key = PrivatePkcs8KeyDer::from(chain.key.clone());
    let config = ServerConfig::builder_with_details(provider, Arc::new(Now(chain.now)))
        .with_protocol_versions(&[&rustls::version::TLS13])
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(certificates.collect(), key.into());
    Arc::new(config.unwrap())
}

/// Both sides in memory, until both are done.
fn handshake(client: &Arc<ClientConfig>, server: &Arc<ServerConfig>) {
    let name = ServerName::try_from("a.example").unwrap();
    let mut client = ClientConnection::new(client.clone(), name).unwrap();
    let mut server = ServerConnection::new(server.clone()).unwrap();
    let mut bytes = Vec::new();
    while client.is_handshaking() || server.is_handshaking() {
        bytes.clear();
        while client.wants_write() {
            client.write_tls(&mut bytes).unwrap();
        }
        let mut sent = bytes.as_slice();
        while !sent.is_empty() {
            server.read_tls(&mut sent).unwrap();
            server.process_new_packets().unwrap();
        }
        bytes.clear();
        while server.wants_write() {
            server.write_tls(&mut bytes).unwrap();
        }
        let mut sent = bytes.as_slice();
        while !sent.is_empty() {
            client.read_tls(&mut sent).unwrap();
            client.process_new_packets().unwrap();
        }
    }
}

/// Accepts everybody at once.
#[derive(Debug)]
struct Accepting;

/// What people write by hand to pin a key.
#[derive(Debug)]
struct ByHand([u8; 32]);

impl ByHand {
    fn judge(&self, leaf: &[u8]) -> Result<ServerCertVerified, Error> {
        let (_, parsed) = X509Certificate::from_der(leaf).unwrap();
        let digest: [u8; 32] = Sha256::digest(parsed.public_key().raw).into();
        match digest == self.0 {
            true => Ok(ServerCertVerified::assertion()),
            false => Err(Error::General("not pinned".to_owned())),
        }
    }
}

macro_rules! verifier {
    ($name:ident, |$self:ident, $leaf:ident, $rest:ident, $host:ident, $now:ident| $verdict:expr) => {
        impl ServerCertVerifier for $name {
            fn verify_server_cert(
                &$self,
                $leaf: &CertificateDer<'_>,
                $rest: &[CertificateDer<'_>],
                $host: &ServerName<'_>,
                _: &[u8],
                $now: UnixTime,
            ) -> Result<ServerCertVerified, Error> {
                $verdict
            }

            fn verify_tls12_signature(
                &self,
                _: &[u8],
                _: &CertificateDer<'_>,
                _: &DigitallySignedStruct,
            ) -> Result<HandshakeSignatureValid, Error> {
                Ok(HandshakeSignatureValid::assertion())
            }

            fn verify_tls13_signature(
                &self,
                _: &[u8],
                _: &CertificateDer<'_>,
                _: &DigitallySignedStruct,
            ) -> Result<HandshakeSignatureValid, Error> {
                Ok(HandshakeSignatureValid::assertion())
            }

            fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
                vec![SignatureScheme::ECDSA_NISTP256_SHA256]
            }
        }
    };
}

verifier!(Accepting, |self, _leaf, _rest, _host, _now| Ok(
    ServerCertVerified::assertion()
));
verifier!(ByHand, |self, leaf, _rest, _host, _now| self.judge(leaf));
verifier!(AnySignature, |self, leaf, rest, host, now| self
    .0
    .verify_server_cert(leaf, rest, host, &[], now));
