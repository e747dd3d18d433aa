//! Why a leaf has no identity.

use std::fmt;

use thiserror::Error;

use super::spiffe_id::TrustDomain;
use super::text_error::{PeerIdentityError, SpiffeIdError};
use crate::cert::CertificateParseError;
use crate::text::quoted;

/// A leaf that is no X.509-SVID for a workload (SPIFFE, X509-SVID, 5.2).
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum SvidError {
    /// It names no URI.
    #[error(
        "the leaf names no URI, so it is no X.509-SVID: it was issued for something else than SPIFFE"
    )]
    NoUri,
    /// It names several URIs.
    #[error(
        "the leaf names {count} URIs, and an X.509-SVID has exactly one: have it issued with its SPIFFE ID alone"
    )]
    SeveralUris {
        /// How many.
        count: usize,
    },
    /// Its URI is not even text.
    #[error("the URI of the leaf is no ASCII text, so it is no SPIFFE ID: have it issued anew")]
    NotAscii,
    /// Its URI is no SPIFFE ID.
    #[error("the URI of the leaf is no SPIFFE ID: {0}")]
    NotSpiffeId(#[from] SpiffeIdError),
    /// Its SPIFFE ID names a trust domain alone.
    #[error(
        "the leaf has the SPIFFE ID of the trust domain {trust_domain} itself, without a path: that is for its signing certificates"
    )]
    NoPath {
        /// The trust domain.
        trust_domain: TrustDomain,
    },
    /// It is the certificate of a CA.
    #[error(
        "the leaf is the certificate of a CA, which identifies no workload: have a leaf issued by it"
    )]
    IsCa,
    /// Its key may sign certificates or revocation lists.
    #[error(
        "the key usage of the leaf has keyCertSign or cRLSign, which no workload's has: have it issued without them"
    )]
    SignsOthers,
    /// An extension that decides about it cannot be read.
    #[error("the extensions of the leaf cannot be read, so it is no X.509-SVID: {0}")]
    Unreadable(#[from] CertificateParseError),
}

/// Why nobody knows who a peer is. rustls carries it inside of `CertificateError::Other` where such peers
/// are refused; [`identity_error`](crate::verifier::identity_error) finds it again.
///
/// `Debug` prints the sentence too: many clients show nothing else of an error from rustls.
#[derive(Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum IdentityError {
    /// The leaf is no X.509-SVID.
    #[error(transparent)]
    Svid(#[from] SvidError),
    /// What the leaf says is no identity.
    #[error("the leaf says who the peer is in a text that is no identity: {0}")]
    Text(#[from] PeerIdentityError),
    /// The leaf cannot be read.
    #[error("the leaf cannot be read, so nobody knows who the peer is: {0}")]
    Unreadable(#[from] CertificateParseError),
    /// The peer showed a raw public key (RFC 7250), which says nothing of whose it is.
    #[error(
        "a raw public key does not say who the peer is: ask for certificates, or know such peers by their name"
    )]
    RawPublicKey,
    /// What the application's own function says.
    #[error("nobody knows who the peer is: {reason}")]
    Other {
        /// The reason, at most 256 characters of it; invisible ones are escaped.
        reason: String,
    },
}

impl fmt::Debug for IdentityError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl IdentityError {
    /// Says in the words of the application why a leaf does not say who the peer is. At most 256
    /// characters are kept.
    pub fn new(reason: impl AsRef<str>) -> Self {
        Self::Other {
            reason: quoted(reason.as_ref(), 256),
        }
    }
}
