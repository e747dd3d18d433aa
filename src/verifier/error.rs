//! Why a verifier refuses a peer, as rustls carries it, and why one cannot be built.

use std::sync::Arc;

use rustls::{CertificateError, OtherError};

use super::bounds::PresentedError;
use crate::identity::IdentityError;
use crate::pin::{PinError, PinSetError};
use crate::provider;

/// Finds the pin refusal inside of a rustls error, if it is one.
///
/// # Did this handshake fail because of a pin?
/// ```
/// # let error = rustls::Error::General("another".to_owned());
/// match notafter::pin_error(&error) {
///     Some(refusal) => eprintln!("{refusal}"),
///     None => eprintln!("not a matter of pins: {error}"),
/// }
/// ```
pub fn pin_error(error: &rustls::Error) -> Option<&PinError> {
    carried_in(error)
}

/// Finds the refusal of a peer of which nobody knows who it is inside of a rustls error, if it is one.
///
/// # Did this handshake fail because the peer's leaf has no identity?
/// ```
/// # let error = rustls::Error::General("another".to_owned());
/// if let Some(refusal) = notafter::verifier::identity_error(&error) {
///     eprintln!("{refusal}");
/// }
/// ```
pub fn identity_error(error: &rustls::Error) -> Option<&IdentityError> {
    carried_in(error)
}

/// Finds the refusal of a peer that presented too much inside of a rustls error, if it is one.
///
/// # Did this handshake fail because the peer sent too much?
/// ```
/// # let error = rustls::Error::General("another".to_owned());
/// if let Some(refusal) = notafter::verifier::presented_error(&error) {
///     eprintln!("{refusal}");
/// }
/// ```
pub fn presented_error(error: &rustls::Error) -> Option<&PresentedError> {
    carried_in(error)
}

/// The rustls error that carries a refusal of our own; its alert is `certificate_unknown`.
pub(super) fn carried(refusal: impl std::error::Error + Send + Sync + 'static) -> rustls::Error {
    let other = OtherError(Arc::new(refusal));
    rustls::Error::InvalidCertificate(CertificateError::Other(other))
}

pub(super) fn carried_in<E: std::error::Error + 'static>(error: &rustls::Error) -> Option<&E> {
    match error {
        rustls::Error::InvalidCertificate(CertificateError::Other(other)) => other.0.downcast_ref(),
        _ => None,
    }
}

/// A wrapper that cannot be built as asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum VerifierBuildError {
    /// The wrapper has neither anchors nor pins, and nobody is told.
    #[error(
        "this wrapper would refuse nobody and tell nobody: give it trust anchors, pins, or an observer \
         (with_trust_age, where it only guards sessions)"
    )]
    NothingToDo,
    /// There is no provider to take signature algorithms from.
    #[error(
        "no crypto provider to judge by the trust anchors or by staples: {}",
        provider::why_none()
    )]
    NoProvider,
    /// The trust anchors given are none.
    #[error(
        "the trust anchors given are empty, so nothing could be judged by them: look at TrustAnchors::errors"
    )]
    NoTrustAnchors,
    /// What the inner verifier rests on was given, and where to find it.
    #[error(
        "with_trust_in_force stands in for with_trust_anchors and with_crls, and both were called: keep with_trust_in_force"
    )]
    TrustTwice,
    /// What only the inner verifier knows would hold for more than a minute.
    #[error(
        "what only the inner verifier knows may hold for 60 seconds at the most, not for {seconds}: give a shorter age"
    )]
    TrustAgeTooLong {
        /// The seconds asked for.
        seconds: u64,
    },
    /// The leaf pins given one by one cannot be a set.
    #[error(transparent)]
    Pins(#[from] PinSetError),
    /// Leaf pins were given one by one, and pins from elsewhere.
    #[error("with_leaf_pin and with_pins were both called: put the leaf pins into the pin set too")]
    PinsTwice,
    /// Pins of CAs or anchors can only be matched on paths that verified, and a rustls verifier
    /// does not tell which path that was.
    #[error(
        "pins of CAs or anchors are matched on verified paths, which the inner verifier does not reveal: call with_trust_anchors with the anchors that it has, or pin leaves only"
    )]
    PinsNeedTrustAnchors,
    /// Pins are for identities, and nobody said how peers are known by those: they would never count.
    #[error(
        "pins are for identities (spiffe:// and the like), and this verifier knows peers by their name alone: call with_peer_identity on a wrapper, or name hosts"
    )]
    PinsNeedPeerIdentity,
    /// Where nothing but pins vouches for a server, they cannot only report.
    #[error(
        "pins that only report vouch for nobody: enforce them, or keep a verifier that asks a CA"
    )]
    NothingButReports,
    /// A grace is for pinned peers only.
    #[error("a grace is for pinned peers only: pin the leaf's key too")]
    GraceWithoutPins,
    /// The pins are for hosts, and clients have none.
    #[error(
        "no pins are for clients: give a pin set without hosts, or say with_clients_pinned_as whose pins are theirs"
    )]
    NoPinsForClients,
}

/// A cache that would remember for too long.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum VerdictCacheError {
    /// The age is longer than a minute.
    #[error(
        "what only the inner verifier knows may hold for 60 seconds at the most, not for {seconds}: give a shorter age"
    )]
    AgeTooLong {
        /// The seconds asked for.
        seconds: u64,
    },
    /// The `ttl` is longer than an hour.
    #[error(
        "verdicts may count for 3600 seconds at the most, not for {seconds}: give a shorter ttl"
    )]
    TtlTooLong {
        /// The seconds asked for.
        seconds: u64,
    },
}
