//! Counts who signed.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::{Mutex, PoisonError};

use super::{AnnouncementError, AnnouncementKey, Authority, Envelope};
use crate::cert::Sha256Digest;
use crate::cert::SignatureAlgorithms;

/// Who signed something.
pub(crate) trait Signers: fmt::Debug + Send + Sync {
    /// How many distinct keys of the authority did.
    fn signers(&self, authority: &Authority) -> usize;
}

/// An envelope whose signers are counted once for each authority: the same few are asked for again
/// and again.
pub(super) struct EnvelopeSigners {
    envelope: Envelope,
    algorithms: SignatureAlgorithms,
    counted: Mutex<Vec<(Sha256Digest, usize)>>,
}

impl EnvelopeSigners {
    pub(super) const fn new(envelope: Envelope, algorithms: SignatureAlgorithms) -> Self {
        Self {
            envelope,
            algorithms,
            counted: Mutex::new(Vec::new()),
        }
    }

    pub(super) const fn envelope(&self) -> &Envelope {
        &self.envelope
    }

    /// # Errors
    /// `BadSignature` where no key of the authority signed at all, `Threshold` where too few did.
    pub(super) fn require(&self, authority: &Authority) -> Result<(), AnnouncementError> {
        let (found, needed) = (self.signers(authority), authority.threshold());
        if found >= needed {
            return Ok(());
        }
        let signatures = self.envelope.signatures().len();
        Err(match found {
            0 if signatures > 0 => AnnouncementError::BadSignature { signatures },
            _ => AnnouncementError::Threshold { found, needed },
        })
    }

    /// The envelope without the signatures of keys that are not among these, and without handovers
    /// that are not. Nobody can make what is kept cost more than it must.
    pub(super) fn trimmed(
        &self,
        keys: &BTreeSet<AnnouncementKey>,
        handovers: &[Sha256Digest],
    ) -> Envelope {
        let signed_by_them = |envelope: &Envelope, signature: &[u8]| {
            let message = Envelope::pre_authentication_encoding(envelope.payload());
            let mut keys = keys.iter();
            keys.any(|key| key.made(signature, &message, self.algorithms))
        };
        self.envelope.only(signed_by_them, |handover| {
            handovers.contains(&Sha256Digest::of(handover.payload()))
        })
    }

    /// How many distinct keys of the authority signed, whatever the key ids say.
    fn verify(&self, authority: &Authority) -> usize {
        let message = Envelope::pre_authentication_encoding(self.envelope.payload());
        let signed = authority.keys().filter(|key| {
            let mut signatures = self.envelope.signatures().iter();
            signatures.any(|signature| key.made(signature, &message, self.algorithms))
        });
        signed.count()
    }
}

impl Signers for EnvelopeSigners {
    fn signers(&self, authority: &Authority) -> usize {
        let fingerprint = authority.fingerprint();
        let mut counted = self.counted.lock().unwrap_or_else(PoisonError::into_inner);
        let before = counted.iter().find(|(other, _)| *other == fingerprint);
        if let Some((_, signers)) = before {
            return *signers;
        }
        let signers = self.verify(authority);
        counted.push((fingerprint, signers));
        signers
    }
}

impl fmt::Debug for EnvelopeSigners {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("EnvelopeSigners")
            .field(&self.envelope)
            .finish()
    }
}
