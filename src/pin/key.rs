//! One pin.

use std::fmt;

use pki_types::pem::{PemObject as _, SectionKind};
use thiserror::Error;

use super::PinForm;
use crate::cert::{Certificate, CertificateFacts, CertificateParseError, Sha256Digest};

/// SHA-256 of nothing, of a line end, of an empty SEQUENCE, and of a SubjectPublicKeyInfo that is
/// empty within.
const DIGESTS_OF_NO_KEY: [&str; 4] = [
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "01ba4719c80b6fe911b091a7c05124b64eeece964e09c058ef8f9805daca546b",
    "e4f60d0aa6d7f3d3b6a6494b1c861b99f649c6f9ec51abaf201b20f297327c95",
    "7a5ff431c1e7c29b8d576bcbf4fac539a09444d1fcc68d8aabf4f63abef8b7c9",
];

/// SHA-256 over a DER SubjectPublicKeyInfo with its outer SEQUENCE (RFC 7469, 2.4), written as
/// `sha256/BASE64`.
///
/// # How do I pin the key of a certificate that I have?
/// ```
/// use notafter::{Certificate, SpkiPin};
/// # use notafter::source::SourceContents;
/// # let pem = include_bytes!("../../tests/data/incidents/dst-root-x3-2021/certs/isrg-x1-root.pem");
/// # let contents = SourceContents::from_bytes("", pem);
/// # let der = contents.certificates[0].certificate.der().as_ref();
/// let pin = SpkiPin::of_certificate(&Certificate::from_der(der)?);
/// assert_eq!(pin.to_string(), "sha256/C5+lpZ7tcVwmwQIMcRtPbsQtWLABXhQzejna0wHFr8M=");
/// assert_eq!(pin, pin.to_string().parse()?);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SpkiPin(Sha256Digest);

impl SpkiPin {
    /// The pin of a certificate's public key.
    pub fn of_certificate(certificate: &Certificate) -> Self {
        Self(certificate.spki_sha256())
    }

    /// The pin of a SubjectPublicKeyInfo, given with its outer SEQUENCE. A raw public key
    /// (RFC 7250) is one.
    pub fn of_spki_der(spki: &[u8]) -> Self {
        Self(Sha256Digest::of(spki))
    }

    /// The pin of the first certificate or public key in a PEM text.
    ///
    /// # Errors
    /// [`PinSourceError`] where there is none, or it cannot be read. For private keys see
    /// `SpkiPin::of_private_key_pem`, which needs a crypto provider.
    pub fn of_pem(pem: &[u8]) -> Result<Self, PinSourceError> {
        for section in <(SectionKind, Vec<u8>)>::pem_slice_iter(pem) {
            let (kind, der) = section.map_err(|error| PinSourceError::Pem {
                reason: error.to_string(),
            })?;
            match kind {
                SectionKind::Certificate => {
                    let facts = CertificateFacts::parse(&der);
                    return Ok(Self::of_spki_der(facts?.spki_der()));
                }
                SectionKind::PublicKey => return Ok(Self::of_spki_der(&der)),
                _ => {}
            }
        }
        Err(PinSourceError::NothingFound)
    }

    /// Whether it stands where a pin should be, and no key has it: one digit all along, in base64 or
    /// in hexadecimal, as examples write it; or the digest of nothing, of a line end, or of an empty
    /// SubjectPublicKeyInfo, as a command computes it that was given no key.
    pub fn is_placeholder(&self) -> bool {
        let one_digit = |text: &str| {
            let mut digits = text.trim_end_matches('=').chars();
            // The last digit of base64 holds fewer bits, so it may be another one.
            let first = digits.next();
            digits.next_back();
            first.is_some_and(|first| digits.all(|digit| digit == first))
        };
        let digest = self.digest();
        one_digit(&digest.to_base64())
            || one_digit(&digest.to_string())
            || DIGESTS_OF_NO_KEY.contains(&digest.to_string().as_str())
    }

    pub(super) const fn from_digest(digest: Sha256Digest) -> Self {
        Self(digest)
    }

    /// The digest.
    pub const fn digest(&self) -> &Sha256Digest {
        &self.0
    }
}

impl fmt::Display for SpkiPin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.to_form(PinForm::OkHttp))
    }
}

impl fmt::Debug for SpkiPin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SpkiPin({self})")
    }
}

/// Something that no pin can be made of.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum PinSourceError {
    /// The PEM text holds neither a certificate nor a key of the kind asked for.
    #[error(
        "there is no certificate and no key in the PEM text: give the file of the certificate or key to be pinned"
    )]
    NothingFound,
    /// The PEM text is damaged.
    #[error("the PEM text is damaged ({reason}): write it again from its source")]
    Pem {
        /// What rustls-pki-types says.
        reason: String,
    },
    /// The certificate is not well-formed.
    #[error(transparent)]
    Certificate(#[from] CertificateParseError),
    /// The crypto provider cannot use the private key, or not say its public key.
    #[error(
        "the private key cannot be used: {reason}; use a key type that the crypto provider supports"
    )]
    Key {
        /// What the provider says; never anything of the key.
        reason: String,
    },
}
