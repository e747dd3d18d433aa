//! One pin.

use std::fmt;
use std::str::FromStr;

use data_encoding::BASE64;
use thiserror::Error;

use crate::cert::{Certificate, Sha256Digest};

/// SHA-256 over a DER SubjectPublicKeyInfo with its outer SEQUENCE (RFC 7469, 2.4), written as
/// `sha256/BASE64`.
///
/// # How do I pin the key of a certificate that I have?
/// ```
/// use notafter::{Certificate, SpkiPin};
/// # use notafter::SourceContents;
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

    /// The digest.
    pub const fn digest(&self) -> &Sha256Digest {
        &self.0
    }
}

impl fmt::Display for SpkiPin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "sha256/{}", self.0.to_base64())
    }
}

impl fmt::Debug for SpkiPin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SpkiPin({self})")
    }
}

impl FromStr for SpkiPin {
    type Err = PinParseError;

    /// Reads `sha256/BASE64`, with or without the base64's padding.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let base64 = text
            .strip_prefix("sha256/")
            .ok_or(PinParseError::UnknownForm)?;
        let padded = format!("{}=", base64.strip_suffix('=').unwrap_or(base64));
        let digest = BASE64
            .decode(padded.as_bytes())
            .map_err(|_| PinParseError::NotBase64)?;
        let bytes = digest.len();
        let digest =
            <[u8; 32]>::try_from(digest).map_err(|_| PinParseError::WrongLength { bytes })?;
        Ok(Self(Sha256Digest::from_bytes(digest)))
    }
}

/// A text that is not a pin.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum PinParseError {
    /// It does not begin with `sha256/`.
    #[error("a pin is written sha256/BASE64; only SHA-256 is supported")]
    UnknownForm,
    /// What follows is not base64 of 32 bytes.
    #[error(
        "what follows sha256/ is not the base64 of a SHA-256 digest: copy the pin again, all 44 characters of it"
    )]
    NotBase64,
    /// The digest has another length than SHA-256 has.
    #[error("the pin's digest has {bytes} bytes, SHA-256 has 32: copy the pin again")]
    WrongLength {
        /// How many bytes it has.
        bytes: usize,
    },
}
