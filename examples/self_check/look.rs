//! Looking at what an endpoint serves.

use std::error::Error;
use std::sync::Arc;

use notafter::endpoint::{EndpointAddress, EndpointConnector, PresentedChain};
use notafter::source::{FailureReason, SourceContents};
use rustls::crypto::CryptoProvider;
use rustls::pki_types::{CertificateDer, ServerName};

/// What the endpoint shows to a client that asks for `name`.
pub fn served_chain(
    host: &str,
    port: u16,
    name: &str,
    provider: &Arc<CryptoProvider>,
) -> Result<PresentedChain, Box<dyn Error>> {
    let connector = EndpointConnector::new(Arc::clone(provider));
    // An unusable --name is reported by the check; the endpoint is asked by its own name then.
    let name = ServerName::try_from(name).map_or(host, |_| name);
    Ok(connector.presented_as(&EndpointAddress::new(host, port), name)?)
}

/// The same as single certificates.
pub fn collection(source: &str, chain: &[CertificateDer<'static>]) -> SourceContents {
    SourceContents::from_certificates(source, chain)
}

/// An endpoint that could not be looked at.
pub fn failure(source: &str, error: &dyn Error) -> SourceContents {
    SourceContents::unreadable(source, FailureReason::Connection, error.to_string())
}
