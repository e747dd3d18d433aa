//! Counts who signed.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::{Mutex, PoisonError};

use pki_types::{AlgorithmIdentifier, alg_id};

use super::authority::{AnnouncementKey, Authority, KeyAlgorithm};
use super::{Algorithms, AnnouncementError, Envelope};
use crate::cert::{Sha256Digest, fitting_algorithms};

impl Envelope {
    /// How many distinct keys of the authority signed, whatever the key ids say.
    pub(crate) fn signers(&self, authority: &Authority, algorithms: Algorithms) -> usize {
        let message = Self::pre_authentication_encoding(self.payload());
        let signed = authority.keys().filter(|key| {
            let mut signatures = self.signatures().iter();
            signatures.any(|signature| key.made(signature, &message, algorithms))
        });
        signed.count()
    }

    /// # Errors
    /// `BadSignature` where no key of the authority signed at all, `Threshold` where too few did.
    pub(crate) fn require(&self, found: usize, needed: usize) -> Result<(), AnnouncementError> {
        if found >= needed {
            return Ok(());
        }
        let signatures = self.signatures().len();
        Err(match found {
            0 if signatures > 0 => AnnouncementError::BadSignature { signatures },
            _ => AnnouncementError::Threshold { found, needed },
        })
    }
}

/// An envelope whose signatures are counted once for each authority: the same few are asked for again
/// and again.
pub(crate) struct Counted {
    envelope: Envelope,
    algorithms: Algorithms,
    counted: Mutex<Vec<(Sha256Digest, usize)>>,
}

impl Counted {
    pub(super) const fn new(envelope: Envelope, algorithms: Algorithms) -> Self {
        Self {
            envelope,
            algorithms,
            counted: Mutex::new(Vec::new()),
        }
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

    /// How many distinct keys of the authority signed.
    pub(super) fn count(&self, authority: &Authority) -> usize {
        let fingerprint = authority.fingerprint();
        let mut counted = self.counted.lock().unwrap_or_else(PoisonError::into_inner);
        let known = counted.iter().find(|(known, _)| *known == fingerprint);
        if let Some((_, signers)) = known {
            return *signers;
        }
        let signers = self.envelope.signers(authority, self.algorithms);
        counted.push((fingerprint, signers));
        signers
    }
}

impl fmt::Debug for Counted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Counted").field(&self.envelope).finish()
    }
}

impl AnnouncementKey {
    pub(super) fn made(&self, signature: &[u8], message: &[u8], algorithms: Algorithms) -> bool {
        let (key, with) = self.algorithm.identifiers();
        fitting_algorithms(algorithms, &key, &with)
            .any(|a| a.verify_signature(&self.bits, message, signature).is_ok())
    }

    /// Whether the provider can verify what this key signs.
    pub(crate) fn is_usable(&self, algorithms: Algorithms) -> bool {
        let (key, with) = self.algorithm.identifiers();
        fitting_algorithms(algorithms, &key, &with).next().is_some()
    }
}

impl KeyAlgorithm {
    const fn identifiers(self) -> (AlgorithmIdentifier, AlgorithmIdentifier) {
        match self {
            Self::Ed25519 => (alg_id::ED25519, alg_id::ED25519),
            Self::EcdsaP256 => (alg_id::ECDSA_P256, alg_id::ECDSA_SHA256),
        }
    }
}
