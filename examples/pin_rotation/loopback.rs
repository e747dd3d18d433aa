//! A server on loopback that can change its key, and a client with a clock that can be set.

use std::error::Error;
use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use notafter::{SpkiPin, Timestamp, pin_error};
use rcgen::{CertificateParams, KeyPair, PublicKeyData as _};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::time_provider::TimeProvider;
use rustls::{ClientConfig, ClientConnection, HandshakeKind, ServerConfig, ServerConnection};
use time::OffsetDateTime;

pub const NAME: &str = "api.example.com";

const PATIENCE: Duration = Duration::from_secs(10);

/// A clock for the story.
#[derive(Debug)]
pub struct Clock(Mutex<Timestamp>);

impl Clock {
    pub fn at(now: Timestamp) -> Arc<Self> {
        Arc::new(Self(Mutex::new(now)))
    }

    pub fn now(&self) -> Timestamp {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn set(&self, now: Timestamp) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = now;
    }
}

impl TimeProvider for Clock {
    fn current_time(&self) -> Option<UnixTime> {
        self.now().to_unix_time()
    }
}

/// A server's identity: a key and a certificate of the CA for it.
pub struct Identity {
    pub pin: SpkiPin,
    pub server: Arc<ServerConfig>,
}

/// The CA that everybody trusts.
pub struct Ca {
    pub root: CertificateDer<'static>,
    params: CertificateParams,
    key: KeyPair,
}

impl Ca {
    pub fn mint(around: Timestamp) -> Result<Self, Box<dyn Error>> {
        let mut params = CertificateParams::default();
        params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
        validity(&mut params, around)?;
        let key = KeyPair::generate()?;
        let root = params.self_signed(&key)?.der().clone();
        Ok(Self { root, params, key })
    }

    pub fn identity(&self, clock: &Arc<Clock>) -> Result<Identity, Box<dyn Error>> {
        let mut params = CertificateParams::new(vec![NAME.to_owned()])?;
        validity(&mut params, clock.now())?;
        let key = KeyPair::generate()?;
        let issuer = rcgen::Issuer::from_params(&self.params, &self.key);
        let leaf = params.signed_by(&key, &issuer)?.der().clone();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let server = ServerConfig::builder_with_details(provider, clock.clone())
            .with_safe_default_protocol_versions()?
            .with_no_client_auth()
            .with_single_cert(vec![leaf], PrivateKeyDer::Pkcs8(key.serialize_der().into()))?;
        Ok(Identity {
            pin: SpkiPin::from_spki_der(&key.subject_public_key_info()),
            server: Arc::new(server),
        })
    }
}

fn validity(params: &mut CertificateParams, around: Timestamp) -> Result<(), Box<dyn Error>> {
    let around = OffsetDateTime::from_unix_timestamp(around.as_unix_seconds())?;
    params.not_before = around - time::Duration::days(1);
    params.not_after = around + time::Duration::days(300);
    Ok(())
}

/// One connection, in words.
pub fn connect(client: Arc<ClientConfig>, server: &Identity) -> Result<String, Box<dyn Error>> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    let address = listener.local_addr()?;
    let config = Arc::clone(&server.server);
    let serving = thread::spawn(move || -> std::io::Result<()> {
        let mut stream = patient(listener.accept()?.0)?;
        let mut connection = ServerConnection::new(config).map_err(std::io::Error::other)?;
        let mut tls = rustls::Stream::new(&mut connection, &mut stream);
        tls.read_exact(&mut [0])?;
        tls.write_all(b".")
    });
    let name = ServerName::try_from(NAME)?;
    let mut connection = ClientConnection::new(client, name)?;
    let mut stream = patient(TcpStream::connect(address)?)?;
    let mut tls = rustls::Stream::new(&mut connection, &mut stream);
    let outcome = tls.write_all(b".").and_then(|()| tls.read_exact(&mut [0]));
    drop(stream);
    // A refused handshake is an error on the server's side too.
    let _ = serving.join();
    let Err(error) = outcome else {
        let resumed = connection.handshake_kind() == Some(HandshakeKind::Resumed);
        return Ok(match resumed {
            true => "accepted, by a resumed session".to_owned(),
            false => "accepted".to_owned(),
        });
    };
    let tls = error.get_ref().and_then(|inner| inner.downcast_ref());
    let Some(refusal) = tls.and_then(pin_error) else {
        return Err(error.into());
    };
    Ok(match refusal.accepted_from() {
        Some(from) => format!("REFUSED: its key is announced, accepted from {from}"),
        None => "REFUSED: its key is not pinned (any more)".to_owned(),
    })
}

fn patient(stream: TcpStream) -> std::io::Result<TcpStream> {
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    Ok(stream)
}
