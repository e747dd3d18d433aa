//! How much a peer may present before anybody looks at it.

use std::fmt;

use thiserror::Error;

use super::peer::Peer;
use crate::cert::{CertificateFacts, name_for_people};

/// How much a peer may present. Who presents more is refused before any signature is verified:
/// the time that path building takes multiplies with the certificates of the same name, and they
/// need not even have valid signatures.
///
/// Nothing presented is ever left out: a chain passes as a whole, or is refused as a whole.
/// Without limits (`usize::MAX` everywhere) the inner verifier sees everything.
///
/// # How do I let a peer through that presents a whole bundle?
/// ```
/// use notafter::verifier::PresentedBounds;
/// let bounds = PresentedBounds {
///     certificates: 60,
///     ..PresentedBounds::default()
/// };
/// assert_eq!(bounds.same_subject, 4);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(clippy::exhaustive_structs)] // The three sizes that a chain has.
pub struct PresentedBounds {
    /// The most certificates, the leaf included: 16 by default. Real chains had at
    /// most 8, and webpki follows no path of more.
    pub certificates: usize,
    /// The most certificates behind the leaf with the same subject: 4 by default. Of 487 real
    /// chains none had more than 3.
    pub same_subject: usize,
    /// The most bytes of all certificates together: 65,536 by default, about as much as rustls
    /// takes in one handshake message; real chains had less than 10,000.
    pub bytes: usize,
}

impl Default for PresentedBounds {
    fn default() -> Self {
        Self {
            certificates: 16,
            same_subject: 4,
            bytes: 65_536,
        }
    }
}

/// A peer presented more than the [`PresentedBounds`]; found in a rustls error by
/// [`presented_error`](crate::verifier::presented_error). `Debug` prints the sentence too: many clients
/// show nothing else of an error from rustls.
#[derive(Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum PresentedError {
    /// Too many certificates.
    #[error(
        "the peer presented {count} certificates, the bound is {bound}: it should serve its leaf and the intermediates \
         that lead to an anchor; if it is right, raise PresentedBounds::certificates"
    )]
    TooMany {
        /// How many.
        count: usize,
        /// How many may be.
        bound: usize,
    },
    /// Too many certificates with the same subject.
    #[error(
        "the peer presented {count} certificates of '{subject}', the bound is {bound}: every one of them multiplies \
         the work of path building; if it is right, raise PresentedBounds::same_subject"
    )]
    TooManyOfOneSubject {
        /// The subject, for people; at most 128 characters.
        subject: String,
        /// How many.
        count: usize,
        /// How many may be.
        bound: usize,
    },
    /// Too many bytes.
    #[error(
        "the peer presented {count} bytes of certificates, the bound is {bound}: if it is right, raise \
         PresentedBounds::bytes"
    )]
    TooLarge {
        /// How many.
        count: usize,
        /// How many may be.
        bound: usize,
    },
}

impl fmt::Debug for PresentedError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl PresentedBounds {
    /// # Errors
    /// The first bound that does not hold.
    pub(super) fn check(&self, peer: &Peer<'_>) -> Result<(), PresentedError> {
        let behind_leaf = peer.intermediates.len();
        let (count, bound) = (behind_leaf.saturating_add(1), self.certificates);
        if count > bound {
            return Err(PresentedError::TooMany { count, bound });
        }
        let (count, bound) = (peer.certificate_bytes(), self.bytes);
        if count > bound {
            return Err(PresentedError::TooLarge { count, bound });
        }
        if behind_leaf <= self.same_subject {
            return Ok(());
        }
        // What cannot be read has no subject, and cannot be an intermediate either.
        let readable = peer.facts().iter().skip(1).flatten();
        let mut subjects: Vec<_> = readable.map(CertificateFacts::subject_der).collect();
        subjects.sort_unstable();
        let mut crowds = subjects.chunk_by(|one, other| one == other);
        match crowds.find(|crowd| crowd.len() > self.same_subject) {
            Some(crowd) => Err(PresentedError::TooManyOfOneSubject {
                subject: subject(crowd.first().copied().unwrap_or_default()),
                count: crowd.len(),
                bound: self.same_subject,
            }),
            None => Ok(()),
        }
    }
}

/// At most 128 characters of it.
fn subject(der: &[u8]) -> String {
    name_for_people(der).chars().take(128).collect()
}
