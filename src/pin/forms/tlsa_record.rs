//! One TLSA record (RFC 6698, 2): its wire form, how it is presented, and the pin that it is, if any.

use std::fmt;
use std::str::FromStr;

use super::error::FormProblem;
use super::no_pin_record::NoPinRecord;
use crate::cert::Sha256Digest;
use crate::pin::{Pin, PinPosition, PinState, SpkiPin};

/// The data of a TLSA record.
///
/// # Which pin is this record?
/// ```
/// use notafter::pin::PinPosition;
/// use notafter::pin::forms::tlsa::TlsaRecord;
/// let record: TlsaRecord =
///     "3 1 1 0b9fa5a59eed715c26c1020c711b4f6ec42d58b0015e14337a39dad301c5afc3".parse()?;
/// let pin = record.to_pin()?;
/// assert_eq!(pin.position, PinPosition::Leaf);
/// assert_eq!(TlsaRecord::from_wire(&record.to_wire())?, record);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct TlsaRecord {
    /// Certificate usage: 0 PKIX-TA, 1 PKIX-EE, 2 DANE-TA, 3 DANE-EE (RFC 7218).
    pub usage: u8,
    /// Selector: 0 the certificate, 1 its SubjectPublicKeyInfo.
    pub selector: u8,
    /// Matching type: 0 all of it, 1 SHA-256, 2 SHA-512.
    pub matching_type: u8,
    /// The certificate association data.
    pub data: Vec<u8>,
}

impl TlsaRecord {
    /// Reads the record's data as they are on the wire (RFC 6698, 2.1).
    ///
    /// # Errors
    /// [`FormProblem::Missing`] where they are shorter than the three bytes that every record has, and one of data.
    pub fn from_wire(rdata: &[u8]) -> Result<Self, FormProblem> {
        let what = "the association data of a TLSA record";
        match rdata {
            [usage, selector, matching_type, data @ ..] if !data.is_empty() => Ok(Self {
                usage: *usage,
                selector: *selector,
                matching_type: *matching_type,
                data: data.to_vec(),
            }),
            _ => Err(FormProblem::Missing { what }),
        }
    }

    /// Writes the record's data as they are on the wire.
    pub fn to_wire(&self) -> Vec<u8> {
        let mut rdata = vec![self.usage, self.selector, self.matching_type];
        rdata.extend(&self.data);
        rdata
    }

    /// Makes the pin of it: of the leaf for `3 1 1`, of a CA or the anchor for `2 1 1`.
    ///
    /// RFC 7671, 5.1 has clients look at nothing but the key where the usage is 3; a verifier of this crate
    /// asks its inner one for names, dates and a path all the same.
    ///
    /// # Errors
    /// [`NoPinRecord`] for all others, with the reason.
    pub fn to_pin(&self) -> Result<Pin, NoPinRecord> {
        let position = match self.usage {
            3 => PinPosition::Leaf,
            2 => PinPosition::Ca,
            usage @ (0 | 1) => return Err(NoPinRecord::Pkix { usage }),
            usage => return Err(NoPinRecord::UnknownUsage { usage }),
        };
        if self.selector != 1 {
            let selector = self.selector;
            return Err(NoPinRecord::Selector { selector });
        }
        if self.matching_type != 1 {
            let matching_type = self.matching_type;
            return Err(NoPinRecord::MatchingType { matching_type });
        }
        let key = crate::pin::key::from_digest(self.data.clone())?;
        Ok(Pin::new(key, PinState::Current).with_position(position))
    }

    /// The record of a key of the leaf.
    pub fn of_leaf(key: &SpkiPin) -> Self {
        Self::of(3, key.digest())
    }

    /// The record of a key of a CA or an anchor.
    pub fn of_ca(key: &SpkiPin) -> Self {
        Self::of(2, key.digest())
    }

    fn of(usage: u8, digest: &Sha256Digest) -> Self {
        Self {
            usage,
            selector: 1,
            matching_type: 1,
            data: digest.as_bytes().to_vec(),
        }
    }
}

impl fmt::Display for TlsaRecord {
    /// As zone files have it: `3 1 1 HEX`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} {} {} ",
            self.usage, self.selector, self.matching_type
        )?;
        for byte in &self.data {
            write!(f, "{byte:02x}")?;
        }
        Ok(())
    }
}

impl FromStr for TlsaRecord {
    type Err = FormProblem;

    /// Reads what zone files have behind `TLSA`: numbers or the words of RFC 7218, and hexadecimal, within which
    /// white space is none of it; or the form of RFC 3597, `\# 35 HEX`.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let fields: Vec<&str> = text.split_ascii_whitespace().collect();
        match fields.as_slice() {
            [r"\#", length, hex @ ..] => {
                let rdata = from_hex(hex)?;
                match length.parse() == Ok(rdata.len()) {
                    true => Self::from_wire(&rdata),
                    false => Err(FormProblem::unexpected(length, "the number of bytes")),
                }
            }
            [usage, selector, matching_type, hex @ ..] if !hex.is_empty() => Ok(Self {
                usage: number(usage, &["PKIX-TA", "PKIX-EE", "DANE-TA", "DANE-EE"])?,
                selector: number(selector, &["Cert", "SPKI"])?,
                matching_type: number(matching_type, &["Full", "SHA2-256", "SHA2-512"])?,
                data: from_hex(hex)?,
            }),
            _ => Err(FormProblem::unexpected(
                text,
                "a TLSA record like 3 1 1 HEX",
            )),
        }
    }
}

/// A number of one byte, or a word in its place.
fn number(field: &str, words: &[&str]) -> Result<u8, FormProblem> {
    let word = words
        .iter()
        .position(|word| word.eq_ignore_ascii_case(field));
    let number = match word {
        Some(number) => u8::try_from(number).ok(),
        None => field.parse().ok(),
    };
    number.ok_or_else(|| FormProblem::unexpected(field, "a number from 0 to 255"))
}

fn from_hex(pieces: &[&str]) -> Result<Vec<u8>, FormProblem> {
    let hex = pieces.concat();
    let bytes = base16ct::mixed::decode_vec(hex.as_bytes());
    bytes.map_err(|_| FormProblem::unexpected(&hex, "hexadecimal"))
}
