//! Signed bytes and the keys that may have signed them.

use der::asn1::{AnyRef, BitStringRef, ObjectIdentifier};
use der::{Decode as _, Reader as _, SliceReader, Tag, Tagged as _};

use super::{SignatureProblem, StapleStatus};
use crate::cert::{Certificate, SignatureAlgorithms, algorithm, fitting_algorithms};
use crate::text::quoted;

/// So many characters of an algorithm's name count: its writer is not ours.
const MAX_NAME: usize = 128;

const UNREADABLE: &str = "an unreadable algorithm";

/// The shape that certificates and OCSP responses share: bytes, algorithm, signature.
pub(super) struct SignedBytes<'a> {
    /// Exactly as received, with its own header.
    pub(super) message: &'a [u8],
    /// The content of the AlgorithmIdentifier, as pki-types holds it.
    pub(super) algorithm: &'a [u8],
    signature: &'a [u8],
}

impl<'a> SignedBytes<'a> {
    /// Also gives what follows the signature.
    pub(super) fn parse(der: &'a [u8]) -> der::Result<(Self, &'a [u8])> {
        let mut reader = SliceReader::new(sequence(der)?)?;
        let message = reader.tlv_bytes()?;
        let algorithm = sequence(reader.tlv_bytes()?)?;
        let signature = whole_octets(reader.decode()?)?;
        let rest = reader.read_slice(reader.remaining_len())?;
        let signed = Self {
            message,
            algorithm,
            signature,
        };
        Ok((signed, rest))
    }

    /// # Errors
    /// Whether the algorithm is not there, or the signature is not the key's.
    pub(super) fn verify(
        &self,
        key: &PublicKey<'_>,
        algorithms: SignatureAlgorithms,
    ) -> Result<(), Fault> {
        let mut fault = Fault::Unsupported;
        for algorithm in fitting_algorithms(algorithms, key.algorithm, self.algorithm) {
            let verified = algorithm.verify_signature(key.bits, self.message, self.signature);
            if verified.is_ok() {
                return Ok(());
            }
            fault = Fault::Wrong;
        }
        Err(fault)
    }

    /// What a staple comes to by this fault, where a wrong signature means `wrong`.
    pub(super) fn refusal(&self, fault: Fault, wrong: SignatureProblem) -> StapleStatus {
        match fault {
            Fault::Wrong => wrong.into(),
            Fault::Unsupported => {
                let oid = SliceReader::new(self.algorithm)
                    .and_then(|mut reader| reader.decode::<ObjectIdentifier>());
                match oid {
                    Ok(oid) => StapleStatus::UnsupportedSignature {
                        algorithm: oid.to_string(),
                        name: quoted(&algorithm::signature_name(self.algorithm), MAX_NAME),
                    },
                    Err(_) => StapleStatus::UnsupportedSignature {
                        algorithm: UNREADABLE.to_owned(),
                        name: UNREADABLE.to_owned(),
                    },
                }
            }
        }
    }
}

/// Why a signature does not verify.
#[derive(Clone, Copy)]
pub(super) enum Fault {
    /// The provider has no such algorithm for such a key.
    Unsupported,
    /// The key did not make it.
    Wrong,
}

/// A SubjectPublicKeyInfo in its two parts.
pub(super) struct PublicKey<'a> {
    /// The content of the AlgorithmIdentifier.
    algorithm: &'a [u8],
    /// The content of subjectPublicKey.
    pub(super) bits: &'a [u8],
}

impl<'a> PublicKey<'a> {
    pub(super) fn of(certificate: &'a Certificate) -> der::Result<Self> {
        let mut reader = SliceReader::new(sequence(certificate.facts().spki_der())?)?;
        let algorithm = sequence(reader.tlv_bytes()?)?;
        let bits = whole_octets(reader.decode()?)?;
        reader.finish(Self { algorithm, bits })
    }
}

fn sequence(der: &[u8]) -> der::Result<&[u8]> {
    let any = AnyRef::from_der(der)?;
    any.tag().assert_eq(Tag::Sequence)?;
    Ok(any.value())
}

fn whole_octets(bits: BitStringRef<'_>) -> der::Result<&[u8]> {
    bits.as_bytes().ok_or(Tag::BitString.value_error())
}
