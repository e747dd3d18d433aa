//! SHA-256, as fingerprints are written.

use std::fmt;
use std::str::FromStr;

use base64_simd::STANDARD;
use sha2::{Digest as _, Sha256};
use thiserror::Error;

use crate::text::quoted;

/// A SHA-256 digest, printed as lower-case hexadecimal.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Sha256Digest([u8; 32]);

impl Sha256Digest {
    /// Digests these bytes.
    pub fn of(bytes: &[u8]) -> Self {
        Self(Sha256::digest(bytes).into())
    }

    /// Takes a digest that was computed elsewhere.
    pub const fn from_bytes(digest: [u8; 32]) -> Self {
        Self(digest)
    }

    /// Reads what it prints: 64 lower-case hexadecimal digits.
    #[cfg(feature = "json")]
    pub(crate) fn from_hex(digits: &str) -> Option<Self> {
        let mut bytes = [0; 32];
        let decoded = base16ct::lower::decode(digits, &mut bytes).ok()?.len();
        (decoded == bytes.len()).then_some(Self(bytes))
    }

    /// The 32 bytes.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// Standard base64 with padding, as SPKI pins are written.
    pub fn to_base64(&self) -> String {
        STANDARD.encode_to_string(self.0)
    }
}

impl fmt::Display for Sha256Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&base16ct::lower::encode_string(&self.0))
    }
}

impl fmt::Debug for Sha256Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Sha256Digest({self})")
    }
}

/// A text that is no SHA-256 digest.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{given} is no SHA-256 digest: write 64 hexadecimal digits, with or without colons")]
#[non_exhaustive]
pub struct DigestParseError {
    /// What was given, shortened and escaped.
    pub given: String,
}

/// As it is printed, as the CCADB writes it (upper case), and as OpenSSL does (with colons).
impl FromStr for Sha256Digest {
    type Err = DigestParseError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let digits = text.replace(':', "");
        let mut bytes = [0; 32];
        let decoded = base16ct::mixed::decode(&digits, &mut bytes).map(<[u8]>::len);
        match decoded {
            Ok(32) => Ok(Self(bytes)),
            _ => Err(DigestParseError {
                given: quoted(text, 80),
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_digest_is_read_as_others_write_it_too() {
        let digest = Sha256Digest::of(b"abc");
        let plain = digest.to_string();
        let pairs: Vec<_> = plain
            .as_bytes()
            .chunks(2)
            .map(|pair| str::from_utf8(pair).unwrap())
            .collect();
        for text in [
            plain.clone(),
            plain.to_uppercase(),
            pairs.join(":").to_uppercase(),
        ] {
            assert_eq!(text.parse(), Ok(digest));
        }
        for text in [
            "",
            "ab",
            &plain.replacen('b', "", 1),
            &format!("{plain}00"),
            &plain.replace('b', "g"),
        ] {
            let error = text.parse::<Sha256Digest>().unwrap_err();
            assert!(
                error.to_string().ends_with("with or without colons"),
                "{error}"
            );
        }
    }
}
