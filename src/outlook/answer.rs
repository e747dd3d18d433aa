//! What the judge answers: until when, because of which certificate, or why not.

use super::{Position, Refusal};
use crate::cert::{Certificate, Sha256Digest};
use crate::time::Timestamp;

/// Until when a chain verifies for one relying party.
///
/// All instants are last good seconds.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Outlook {
    /// The last second at which some path still verifies, from the asked instant on without a
    /// gap; `None` where it does not verify at that instant.
    pub effective_not_after: Option<Timestamp>,
    /// The certificate that ends it.
    pub limiting: Option<LimitingCertificate>,
    /// The last second before the set of verifying paths shrinks, even if another survives.
    pub next_cliff: Option<Timestamp>,
    /// How many paths verify at the asked instant.
    pub paths: usize,
    /// Whether everything was looked at. If not, a budget ended the search, webpki's or the
    /// [judge's own](super::ChainJudge#bounds): what verifies does, but there may be more paths and a
    /// later end, and where none was found, there may be one.
    pub complete: bool,
    /// Why it does not verify.
    pub refusal: Option<Refusal>,
}

impl Outlook {
    /// Whether it verifies at the asked instant.
    pub fn verifies(&self) -> bool {
        self.refusal.is_none()
    }

    pub(crate) fn refused(refusal: Refusal, paths: usize, complete: bool) -> Self {
        Self {
            effective_not_after: None,
            limiting: None,
            next_cliff: None,
            paths,
            complete,
            refusal: Some(refusal),
        }
    }
}

/// The certificate that ends an effective notAfter.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct LimitingCertificate {
    /// Its position in the path that it ends.
    pub position: Position,
    /// The certificate.
    pub certificate: Certificate,
    /// What of it ends.
    pub cause: LimitingCause,
}

/// What ends with a limiting certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum LimitingCause {
    /// Its own validity, at its notAfter.
    NotAfter,
    /// The revocation list that speaks for it, where lists must be current: the certificate itself
    /// is valid for longer, and with the next list the chain is, too.
    RevocationList {
        /// The list's nextUpdate (RFC 5280, 5.1.2.5): the first instant at which it does not count.
        next_update: Timestamp,
    },
}

impl LimitingCertificate {
    pub(super) fn by_date(position: Position, certificate: &Certificate) -> Self {
        Self {
            position,
            certificate: certificate.clone(),
            cause: LimitingCause::NotAfter,
        }
    }

    /// SHA-256 over the certificate.
    pub fn sha256(&self) -> Sha256Digest {
        self.certificate.fingerprint()
    }
}

/// What a chain looks like for both relying parties.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ChainOutlook {
    /// For rustls, which does not look at an anchor's dates.
    pub rustls: Outlook,
    /// For those that count the anchor's dates too (pyca-cryptography, Go, OpenSSL); `None` where
    /// an anchor's dates are unknown.
    pub strict: Option<Outlook>,
    /// The certificates of the path that lasts longest for rustls, leaf first, without its
    /// anchor; empty where no path verifies.
    pub longest_path: Vec<Certificate>,
}

/// What a handshake wants to know: until when, and because of which certificate.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct PeerOutlook {
    /// As in [`Outlook::effective_not_after`], for the relying party rustls.
    pub effective_not_after: Timestamp,
    /// The certificate that ends it.
    pub limiting: LimitingCertificate,
    /// Whether everything that could last longer was looked at.
    pub complete: bool,
    /// The certificates of the path that lasts longest, leaf first, without its anchor.
    pub path: Vec<Certificate>,
}

/// One path that webpki accepted.
pub(crate) struct VerifiedCertificates<'s> {
    /// Leaf first, without the anchor.
    pub(crate) certificates: Vec<&'s Certificate>,
    /// The anchor's SubjectPublicKeyInfo, in its outer SEQUENCE.
    pub(crate) anchor_spki: Vec<u8>,
}
