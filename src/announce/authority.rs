//! Who may announce.

use std::collections::BTreeSet;
use std::fmt;

use pki_types::SubjectPublicKeyInfoDer;
use pki_types::pem::PemObject as _;

use super::AnnouncementError;
use super::points::{is_low_order_ed25519, is_on_p256};
use super::strict_json::Node;
use crate::cert::Sha256Digest;

/// So many keys cost so many verifications for each signature.
const MAX_KEYS: usize = 32;

/// SubjectPublicKeyInfo up to the key's own bytes. There is one DER form of each (RFC 8410, 4;
/// RFC 5480, 2), so nothing else needs to be read.
const ED25519_PREFIX: [u8; 12] = [
    0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00,
];
/// Ends with the sign of an uncompressed point (SEC 1, 2.3.3).
const P256_PREFIX: [u8; 27] = [
    0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a,
    0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00, 0x04,
];

/// A key that may sign announcements.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AnnouncementKey {
    pub(super) algorithm: KeyAlgorithm,
    /// The content of subjectPublicKey.
    pub(super) bits: Vec<u8>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum KeyAlgorithm {
    Ed25519,
    EcdsaP256,
}

impl AnnouncementKey {
    /// Reads a public key as `openssl pkey -pubout` writes it: Ed25519, or ECDSA over P-256 with
    /// an uncompressed point.
    ///
    /// Ed25519 keys of low order, for which anyone could sign, and points off the curve are refused.
    ///
    /// # Errors
    /// [`AnnouncementError::Authority`] for anything else.
    pub fn from_pem(pem: &str) -> Result<Self, AnnouncementError> {
        let unreadable = |error| format!("a key is not the PEM text of a public key ({error})");
        let spki = SubjectPublicKeyInfoDer::from_pem_slice(pem.as_bytes());
        let spki = spki.map_err(|error| AnnouncementError::authority(unreadable(error)))?;
        Self::from_spki_der(&spki)
    }

    /// Reads a DER SubjectPublicKeyInfo.
    ///
    /// # Errors
    /// As [`AnnouncementKey::from_pem`].
    pub fn from_spki_der(spki: &[u8]) -> Result<Self, AnnouncementError> {
        let ed25519 = spki.strip_prefix(&ED25519_PREFIX).filter(|k| k.len() == 32);
        if let Some(key) = ed25519 {
            if is_low_order_ed25519(key) {
                return Err(AnnouncementError::authority(
                    "an Ed25519 key is of low order, so that anyone could sign for it: \
                     no key is made like that, find out who put it there",
                ));
            }
            return Ok(Self {
                algorithm: KeyAlgorithm::Ed25519,
                bits: key.to_vec(),
            });
        }
        let p256 = spki.strip_prefix(&P256_PREFIX).filter(|k| k.len() == 64);
        if let Some(point) = p256 {
            if !is_on_p256(point) {
                return Err(AnnouncementError::authority(
                    "an ECDSA key is no point of P-256: copy it again from where it was made",
                ));
            }
            return Ok(Self {
                algorithm: KeyAlgorithm::EcdsaP256,
                bits: [&[0x04], point].concat(),
            });
        }
        Err(AnnouncementError::authority(
            "a key is neither Ed25519 nor ECDSA over P-256 with an uncompressed point: \
             make it with openssl genpkey -algorithm ed25519",
        ))
    }

    /// The DER SubjectPublicKeyInfo.
    pub fn spki_der(&self) -> Vec<u8> {
        match self.algorithm {
            KeyAlgorithm::Ed25519 => [ED25519_PREFIX.as_slice(), &self.bits].concat(),
            KeyAlgorithm::EcdsaP256 => {
                let point = self.bits.get(1..).unwrap_or_default();
                [P256_PREFIX.as_slice(), point].concat()
            }
        }
    }
}

impl fmt::Debug for AnnouncementKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digest = Sha256Digest::of(&self.spki_der());
        write!(f, "AnnouncementKey({:?}, {digest})", self.algorithm)
    }
}

/// Whose signatures an announcement needs: `threshold` distinct ones of these keys; and
/// `emergency_threshold` of them to skip the hold-down.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Authority {
    keys: BTreeSet<AnnouncementKey>,
    threshold: usize,
    emergency_threshold: Option<usize>,
}

impl Authority {
    /// An authority. A key given twice counts once; without an emergency threshold nothing skips
    /// the hold-down.
    ///
    /// # Errors
    /// [`AnnouncementError::Authority`] unless `1 <= threshold < emergency_threshold <= number of
    /// distinct keys <= 32`.
    pub fn new(
        keys: impl IntoIterator<Item = AnnouncementKey>,
        threshold: usize,
        emergency_threshold: Option<usize>,
    ) -> Result<Self, AnnouncementError> {
        let keys: BTreeSet<_> = keys.into_iter().collect();
        let refuse = |reason: String| Err(AnnouncementError::authority(reason));
        if threshold == 0 {
            return refuse("its threshold is 0, so nobody would have to sign".to_owned());
        }
        if let Some(emergency) = emergency_threshold.filter(|e| *e <= threshold) {
            return refuse(format!(
                "its emergency threshold {emergency} is not above its threshold {threshold}, so hold-downs would mean nothing"
            ));
        }
        let needed = emergency_threshold.unwrap_or(threshold);
        if keys.len() < needed {
            return refuse(format!(
                "it has {} distinct keys, fewer than its thresholds need ({needed})",
                keys.len()
            ));
        }
        if keys.len() > MAX_KEYS {
            return refuse(format!(
                "it has {} keys, at most {MAX_KEYS} are taken",
                keys.len()
            ));
        }
        Ok(Self {
            keys,
            threshold,
            emergency_threshold,
        })
    }

    /// The distinct keys.
    pub fn keys(&self) -> impl ExactSizeIterator<Item = &AnnouncementKey> {
        self.keys.iter()
    }

    /// How many distinct keys must sign an announcement.
    pub const fn threshold(&self) -> usize {
        self.threshold
    }

    /// How many distinct keys must sign one that skips the hold-down.
    pub const fn emergency_threshold(&self) -> Option<usize> {
        self.emergency_threshold
    }

    /// Whether so many distinct keys skip the hold-down.
    pub(crate) fn is_emergency(&self, signers: usize) -> bool {
        self.emergency_threshold.is_some_and(|e| signers >= e)
    }

    /// # Errors
    /// Where fewer signatures would do than under the floor.
    pub(crate) fn is_not_below(&self, floor: &Self) -> Result<(), AnnouncementError> {
        let (threshold, least) = (self.threshold, floor.threshold);
        if threshold < least {
            return Err(AnnouncementError::authority(format!(
                "its threshold {threshold} is below the {least} that is compiled in"
            )));
        }
        match (self.emergency_threshold, floor.emergency_threshold) {
            (Some(emergency), None) => Err(AnnouncementError::authority(format!(
                "it has an emergency threshold ({emergency}), where none is compiled in"
            ))),
            (Some(emergency), Some(least)) if emergency < least => {
                Err(AnnouncementError::authority(format!(
                    "its emergency threshold {emergency} is below the {least} that is compiled in"
                )))
            }
            _ => Ok(()),
        }
    }

    /// Tells authorities apart in what is remembered.
    pub(crate) fn fingerprint(&self) -> Sha256Digest {
        let mut text = format!("{} {:?}", self.threshold, self.emergency_threshold).into_bytes();
        for key in &self.keys {
            text.extend(key.spki_der());
        }
        Sha256Digest::of(&text)
    }

    pub(super) fn parse(node: &Node<'_>) -> Result<Self, AnnouncementError> {
        let number = |node: &Node<'_>| {
            let number = node.integer()?;
            usize::try_from(number).map_err(|_| node.malformed("it is too large"))
        };
        let threshold = number(&node.field("threshold")?)?;
        let emergency = node.optional("emergency_threshold")?;
        let emergency = emergency.map(|node| number(&node)).transpose()?;
        let keys = node.field("keys")?.list()?;
        let keys = keys
            .iter()
            .map(|key| AnnouncementKey::from_pem(key.text()?));
        Self::new(keys.collect::<Result<Vec<_>, _>>()?, threshold, emergency)
    }
}
