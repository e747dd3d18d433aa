//! A peer was refused because of its key.

use thiserror::Error;

use super::SpkiPin;

/// Why pins refused a peer. rustls carries it inside of `CertificateError::Other`;
/// [`pin_error`](crate::pin_error) finds it again.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum PinError {
    /// The leaf's key is none of the pinned ones.
    #[error(
        "{} showed the key {presented}, which is not pinned (expected {}): \
         if the peer changed its key on purpose, deploy its new pin, else treat this as an attack",
        peer(.host), one_of(.expected)
    )]
    Mismatch {
        /// The name that the connection was made to; `None` for TLS clients.
        host: Option<String>,
        /// The pin of the key that the peer proved to hold.
        presented: SpkiPin,
        /// The pins that would have been accepted.
        expected: Vec<SpkiPin>,
    },
    /// The leaf's key cannot be read, so it cannot be one of the pinned ones.
    #[error("the key of {} cannot be read, so no pin can match: {reason}", peer(.host))]
    Unreadable {
        /// The name that the connection was made to; `None` for TLS clients.
        host: Option<String>,
        /// What is wrong with the certificate.
        reason: String,
    },
}

fn peer(host: &Option<String>) -> &str {
    host.as_deref().unwrap_or("the client")
}

fn one_of(pins: &[SpkiPin]) -> String {
    let pins: Vec<_> = pins.iter().map(ToString::to_string).collect();
    pins.join(" or ")
}
