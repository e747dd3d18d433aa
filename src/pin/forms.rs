//! The ways in which pins are written down.

use std::str::FromStr;

use base64_simd::STANDARD as BASE64;
use thiserror::Error;

use super::SpkiPin;
use crate::cert::Sha256Digest;

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

impl SpkiPin {
    /// The pin in this form.
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

fn from_base64(base64: &str) -> Result<SpkiPin, PinParseError> {
    let padded = format!("{}=", base64.strip_suffix('=').unwrap_or(base64));
    let digest = BASE64.decode_to_vec(padded.as_bytes());
    from_digest(digest.map_err(|_| PinParseError::NotBase64)?)
}

fn from_hex(hex: &str) -> Result<SpkiPin, PinParseError> {
    let digest = base16ct::mixed::decode_vec(hex.as_bytes());
    from_digest(digest.map_err(|_| PinParseError::NotHex)?)
}

fn from_digest(digest: Vec<u8>) -> Result<SpkiPin, PinParseError> {
    let bytes = digest.len();
    let digest = <[u8; 32]>::try_from(digest).map_err(|_| PinParseError::WrongLength { bytes })?;
    Ok(SpkiPin::from_digest(Sha256Digest::from_bytes(digest)))
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
