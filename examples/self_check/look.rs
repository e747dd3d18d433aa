//! Looking at what an endpoint serves. Whatever certificate it shows is accepted here, for looking
//! only: nothing is sent or read on the connection.

use std::error::Error;
use std::io;
use std::net::{TcpStream, ToSocketAddrs as _};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use notafter::source::{FailureReason, SourceContents};
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, ClientConnection, DigitallySignedStruct, SignatureScheme};

const PATIENCE: Duration = Duration::from_secs(10);

/// What an endpoint shows.
#[derive(Debug, Default, Clone)]
pub struct Served {
    pub chain: Vec<CertificateDer<'static>>,
    pub staple: Vec<u8>,
}

/// What the endpoint shows to a client that asks for `name`.
pub fn served_chain(
    host: &str,
    port: u16,
    name: &str,
    provider: &Arc<CryptoProvider>,
) -> Result<Served, Box<dyn Error>> {
    let looker = Arc::new(Looker {
        provider: Arc::clone(provider),
        seen: Mutex::default(),
    });
    let config = ClientConfig::builder_with_provider(Arc::clone(provider))
        .with_safe_default_protocol_versions()?
        .dangerous()
        .with_custom_certificate_verifier(Arc::clone(&looker) as Arc<dyn ServerCertVerifier>)
        .with_no_client_auth();
    // An unusable --name is reported by the check; the endpoint is asked by its own name then.
    let name =
        ServerName::try_from(name.to_owned()).or_else(|_| ServerName::try_from(host.to_owned()))?;
    let mut connection = ClientConnection::new(Arc::new(config), name)?;
    let mut stream = connect(host, port)?;
    let outcome = connection.complete_io(&mut stream);
    let seen = looker
        .seen
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .clone();
    match outcome {
        // A server that wants a client certificate hangs up on us, but has shown its own.
        Err(error) if seen.chain.is_empty() => Err(error.into()),
        _ => Ok(seen),
    }
}

/// The same as single certificates.
pub fn collection(source: &str, chain: &[CertificateDer<'static>]) -> SourceContents {
    SourceContents::from_certificates(source, chain)
}

/// An endpoint that could not be looked at.
pub fn failure(source: &str, error: &dyn Error) -> SourceContents {
    SourceContents::unreadable(source, FailureReason::Connection, error.to_string())
}

fn connect(host: &str, port: u16) -> io::Result<TcpStream> {
    let mut last = io::Error::new(io::ErrorKind::NotFound, "the name has no address");
    for address in (host, port).to_socket_addrs()? {
        match TcpStream::connect_timeout(&address, PATIENCE) {
            Ok(stream) => {
                stream.set_read_timeout(Some(PATIENCE))?;
                stream.set_write_timeout(Some(PATIENCE))?;
                return Ok(stream);
            }
            Err(error) => last = error,
        }
    }
    Err(last)
}

#[derive(Debug)]
struct Looker {
    provider: Arc<CryptoProvider>,
    seen: Mutex<Served>,
}

impl ServerCertVerifier for Looker {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        ocsp_response: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let all = std::iter::once(end_entity).chain(intermediates);
        let all = all.map(|der| der.clone().into_owned()).collect();
        *self.seen.lock().unwrap_or_else(PoisonError::into_inner) = Served {
            chain: all,
            staple: ocsp_response.to_vec(),
        };
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(
            message,
            cert,
            dss,
            &self.provider.signature_verification_algorithms,
        )
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(
            message,
            cert,
            dss,
            &self.provider.signature_verification_algorithms,
        )
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider
            .signature_verification_algorithms
            .supported_schemes()
    }
}
