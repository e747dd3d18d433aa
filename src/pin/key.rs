//! The digest of a public key, and the ways in which it is written down.

use std::fmt;
use std::str::FromStr;

use base64_simd::STANDARD as BASE64;
use pki_types::pem::{PemObject as _, SectionKind};
use thiserror::Error;

use crate::cert::{
    Certificate, CertificateFacts, CertificateParseError, NextRootKey, RootKeyHash, Sha256Digest,
};

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
/// let pin = SpkiPin::from_certificate(&Certificate::from_der(der)?);
/// assert_eq!(pin.to_string(), "sha256/C5+lpZ7tcVwmwQIMcRtPbsQtWLABXhQzejna0wHFr8M=");
/// assert_eq!(pin, pin.to_string().parse()?);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SpkiPin(Sha256Digest);

impl SpkiPin {
    /// Pins a certificate's public key.
    pub fn from_certificate(certificate: &Certificate) -> Self {
        Self(certificate.spki_sha256())
    }

    /// Pins a SubjectPublicKeyInfo, given with its outer SEQUENCE. A raw public key
    /// (RFC 7250) is one.
    pub fn from_spki_der(spki: &[u8]) -> Self {
        Self(Sha256Digest::of(spki))
    }

    /// Pins the key that a root names as its next one (RFC 8649). `None` where it names that by another hash than
    /// SHA-256: then the key itself must be known.
    pub fn from_next_root_key(next: &NextRootKey) -> Option<Self> {
        let digest = next.digest().try_into().ok()?;
        let is_pin = next.hash() == RootKeyHash::Sha256;
        is_pin.then(|| Self(Sha256Digest::from_bytes(digest)))
    }

    /// Pins the first certificate or public key in a PEM text.
    ///
    /// # Errors
    /// [`PinSourceError`] where there is none, or it cannot be read. For private keys see
    /// `SpkiPin::from_private_key_pem`, which needs a crypto provider.
    pub fn from_pem(pem: &[u8]) -> Result<Self, PinSourceError> {
        for section in <(SectionKind, Vec<u8>)>::pem_slice_iter(pem) {
            let (kind, der) = section.map_err(|error| PinSourceError::Pem {
                reason: error.to_string(),
            })?;
            match kind {
                SectionKind::Certificate => {
                    let facts = CertificateFacts::parse(&der);
                    return Ok(Self::from_spki_der(facts?.spki_der()));
                }
                SectionKind::PublicKey => return Ok(Self::from_spki_der(&der)),
                _ => {}
            }
        }
        Err(PinSourceError::NothingFound)
    }

    /// Says whether it stands where a pin should be, and no key has it: one digit all along, in base64 or
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

    /// Writes the pin in this form.
    ///
    /// # How do I hand this pin to curl?
    /// ```
    /// use notafter::pin::PinForm;
    /// use notafter::SpkiPin;
    /// let pin: SpkiPin = "sha256/C5+lpZ7tcVwmwQIMcRtPbsQtWLABXhQzejna0wHFr8M=".parse()?;
    /// assert_eq!(pin.to_form(PinForm::Curl), "sha256//C5+lpZ7tcVwmwQIMcRtPbsQtWLABXhQzejna0wHFr8M=");
    /// # Ok::<(), notafter::pin::PinParseError>(())
    /// ```
    pub fn to_form(&self, form: PinForm) -> String {
        let digest = self.digest();
        match form {
            PinForm::OkHttp => format!("sha256/{}", digest.to_base64()),
            PinForm::Curl => format!("sha256//{}", digest.to_base64()),
            PinForm::Hpkp => format!("pin-sha256=\"{}\"", digest.to_base64()),
            PinForm::Base64 => digest.to_base64(),
            PinForm::Hex => digest.to_string(),
            PinForm::TlsaLeaf => format!("3 1 1 {digest}"),
            PinForm::TlsaCa => format!("2 1 1 {digest}"),
        }
    }

    /// Reads a list of pins between semicolons, each in any form: what curl takes, or the value
    /// of a `Public-Key-Pins` header (RFC 7469), whose other directives are passed over.
    ///
    /// # Errors
    /// [`PinParseError`] of the first part that is no pin.
    pub fn parse_list(text: &str) -> Result<Vec<Self>, PinParseError> {
        let parts = text
            .split(';')
            .map(str::trim)
            .filter(|part| !part.is_empty());
        let pins = parts.filter(|part| !is_other_directive(part));
        pins.map(str::parse).collect()
    }

    pub(super) const fn from_digest(digest: Sha256Digest) -> Self {
        Self(digest)
    }

    /// Returns the digest.
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

/// A way to write down a pin.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum PinForm {
    /// `sha256/BASE64`, as OkHttp and this crate write it.
    #[default]
    OkHttp,
    /// `sha256//BASE64`, as curl's `--pinnedpubkey` takes it.
    Curl,
    /// `pin-sha256="BASE64"` (RFC 7469, 2.1).
    Hpkp,
    /// The base64 alone, as TrustKit takes it.
    Base64,
    /// Lower-case hexadecimal.
    Hex,
    /// `3 1 1 HEX`: a TLSA record's data for a leaf (RFC 6698, 2.2; DANE-EE).
    TlsaLeaf,
    /// `2 1 1 HEX`: for a CA or an anchor (DANE-TA).
    TlsaCa,
}

/// Directives of RFC 7469, 2.1 that are no pins.
fn is_other_directive(part: &str) -> bool {
    let name = part.split('=').next().unwrap_or_default().trim();
    let others = ["max-age", "includeSubDomains", "report-uri"];
    others.iter().any(|other| name.eq_ignore_ascii_case(other))
}

impl FromStr for SpkiPin {
    type Err = PinParseError;

    /// Reads a pin in any [`PinForm`]; the base64's padding may be missing, hexadecimal may be in
    /// upper case and with colons.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let text = text.trim();
        if let Some(base64) = text.strip_prefix("sha256/") {
            // A slash is a digit of base64: only the length says whether the second one is curl's.
            let curl = base64.strip_prefix('/');
            let okhttp = from_base64(base64);
            return curl.filter(|_| okhttp.is_err()).map_or(okhttp, from_base64);
        }
        if let Some(quoted) = text.strip_prefix("pin-sha256=") {
            let base64 = quoted
                .strip_prefix('"')
                .and_then(|rest| rest.strip_suffix('"'));
            return from_base64(base64.ok_or(PinParseError::UnknownForm)?);
        }
        let fields: Vec<_> = text.split_whitespace().collect();
        match fields.as_slice() {
            // Selector 1 is the SPKI, matching type 1 is SHA-256 (RFC 6698, 2.1).
            ["2" | "3", "1", "1", hex @ ..] if !hex.is_empty() => from_hex(&hex.concat()),
            [alone] if alone.len() >= 64 => from_hex(&alone.replace(':', "")),
            [alone] if matches!(alone.len(), 43 | 44) => from_base64(alone),
            _ => Err(PinParseError::UnknownForm),
        }
    }
}

pub(super) fn from_base64(base64: &str) -> Result<SpkiPin, PinParseError> {
    let padded = format!("{}=", base64.strip_suffix('=').unwrap_or(base64));
    let digest = BASE64.decode_to_vec(padded.as_bytes());
    from_digest(digest.map_err(|_| PinParseError::NotBase64)?)
}

fn from_hex(hex: &str) -> Result<SpkiPin, PinParseError> {
    let digest = base16ct::mixed::decode_vec(hex.as_bytes());
    from_digest(digest.map_err(|_| PinParseError::NotHex)?)
}

pub(super) fn from_digest(digest: Vec<u8>) -> Result<SpkiPin, PinParseError> {
    let bytes = digest.len();
    let digest = <[u8; 32]>::try_from(digest).map_err(|_| PinParseError::WrongLength { bytes })?;
    Ok(SpkiPin::from_digest(Sha256Digest::from_bytes(digest)))
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

/// A text that is not a pin.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum PinParseError {
    /// It has none of the known forms.
    #[error(
        "a pin is written sha256/BASE64 (or sha256//BASE64, pin-sha256=\"BASE64\", the base64 or hexadecimal digest alone, \
         3 1 1 HEX, 2 1 1 HEX); only SHA-256 over the public key is supported"
    )]
    UnknownForm,
    /// What should be base64 is not.
    #[error(
        "it is not the base64 of a SHA-256 digest: copy the pin again, all 44 characters of it"
    )]
    NotBase64,
    /// What should be hexadecimal is not.
    #[error(
        "it is not the hexadecimal form of a SHA-256 digest: copy the pin again, all 64 digits of it"
    )]
    NotHex,
    /// The digest has another length than SHA-256 has.
    #[error("the pin's digest has {bytes} bytes, SHA-256 has 32: copy the pin again")]
    WrongLength {
        /// How many bytes it has.
        bytes: usize,
    },
}
