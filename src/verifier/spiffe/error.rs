//! Why a peer with an X.509-SVID is refused, and why a verifier of those cannot be built.

use std::fmt;

use thiserror::Error;

use super::super::error::carried_in;
use crate::identity::{PeerIdentity, SpiffeId, SvidError};
use crate::provider;

/// Why a peer is refused for what its X.509-SVID says; where it does not verify, rustls's own error says
/// so instead. [`spiffe_error`] finds it inside of a rustls error. `Debug` prints the sentence too: many
/// clients show nothing else of an error from rustls.
#[derive(Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum SpiffePeerError {
    /// The leaf is no X.509-SVID.
    #[error(transparent)]
    Svid(#[from] SvidError),
    /// The trust domain of the peer has no bundle, or an empty one.
    #[error(
        "nobody vouches for {}, for there is no bundle of the trust domain {}: give SpiffeBundles its anchors, \
         if peers of that domain are to be spoken to",
        brief(.id), .id.trust_domain()
    )]
    NoBundle {
        /// The SPIFFE ID that the peer says it has.
        id: SpiffeId,
    },
    /// The peer is who it says, as far as its trust domain vouches for it, and nobody accepts it.
    #[error(
        "{} is not one of the peers to be spoken to: accept its SPIFFE ID if it should be, else look why it is here",
        brief(.id)
    )]
    NotAccepted {
        /// The peer's SPIFFE ID.
        id: SpiffeId,
    },
}

impl fmt::Debug for SpiffePeerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

fn brief(id: &SpiffeId) -> String {
    PeerIdentity::from(id).brief().into_owned()
}

/// Finds the refusal of a peer for what its X.509-SVID says inside of a rustls error, if it is one.
///
/// # Did this handshake fail because of the peer's SPIFFE ID?
/// ```
/// # let error = rustls::Error::General("another".to_owned());
/// if let Some(refusal) = notafter::verifier::spiffe_error(&error) {
///     eprintln!("{refusal}");
/// }
/// ```
pub fn spiffe_error(error: &rustls::Error) -> Option<&SpiffePeerError> {
    carried_in(error)
}

/// A verifier of X.509-SVIDs that cannot be built as asked.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum SpiffeVerifierError {
    /// There is no provider to verify with.
    #[error("no crypto provider to verify with: {}", provider::why_none())]
    NoProvider,
    /// No trust domain has a bundle.
    #[error(
        "no trust domain has a bundle, so that nobody would be trusted: give SpiffeBundles one first"
    )]
    NoBundle,
    /// Nobody said whom to accept.
    #[error(
        "nobody is accepted: say whom with with_accepted_id, with_accepted_domain or with_accepted_by"
    )]
    NobodyAccepted,
}
