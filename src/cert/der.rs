//! The one place that reads and writes DER by hand: strict, total, and read without allocation.
//!
//! Strict means X.690 chapter 10: definite lengths in their shortest form, expected tags in their
//! order, nothing left over. Total means that no input panics. It refuses nothing that webpki
//! accepts, and holds more: version 1 certificates and dates from year 0.

use thiserror::Error;

use crate::time::Timestamp;

/// Why bytes are not a certificate, and where.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error(
    "not a DER certificate: {problem} at byte {offset}; rustls refuses it too: get the certificate again from where it was issued"
)]
#[non_exhaustive]
pub struct CertificateParseError {
    /// The byte, counted from 0, at which reading stopped.
    pub offset: usize,
    /// What was wrong there.
    pub problem: DerProblem,
}

/// What is wrong with a DER element.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum DerProblem {
    /// The bytes end inside of an element.
    #[error("the bytes end too early")]
    Truncated,
    /// Another element stands where a certificate needs this one.
    #[error("tag 0x{found:02x} where 0x{expected:02x} belongs")]
    UnexpectedTag {
        /// The identifier octet that belongs there.
        expected: u8,
        /// The identifier octet that was found.
        found: u8,
    },
    /// A length of indefinite form (X.690, 10.1 forbids it).
    #[error("a length of indefinite form")]
    IndefiniteLength,
    /// A length written longer than it must be (X.690, 10.1).
    #[error("a length that is not in its shortest form")]
    NonMinimalLength,
    /// A length of more than four octets.
    #[error("a length of more than four octets")]
    LengthTooLarge,
    /// Bytes after the last element that belongs there.
    #[error("{count} bytes too many")]
    TrailingBytes {
        /// How many.
        count: usize,
    },
    /// A time that RFC 5280, 4.1.2.5 does not allow, or that no calendar has.
    #[error("a time that is not YYMMDDHHMMSSZ or YYYYMMDDHHMMSSZ")]
    BadTime,
    /// A version other than 1, 2 or 3.
    #[error("an unknown certificate version")]
    BadVersion,
}

pub(crate) mod tag {
    pub(crate) const BOOLEAN: u8 = 0x01;
    pub(crate) const INTEGER: u8 = 0x02;
    pub(crate) const BIT_STRING: u8 = 0x03;
    pub(crate) const OCTET_STRING: u8 = 0x04;
    pub(crate) const NULL: u8 = 0x05;
    pub(crate) const OID: u8 = 0x06;
    pub(crate) const ENUMERATED: u8 = 0x0a;
    pub(crate) const SEQUENCE: u8 = 0x30;
    pub(crate) const SET: u8 = 0x31;
    pub(crate) const UTC_TIME: u8 = 0x17;
    pub(crate) const GENERALIZED_TIME: u8 = 0x18;
    pub(crate) const KEY_IDENTIFIER: u8 = 0x80;
    pub(crate) const VERSION: u8 = 0xa0;
    pub(crate) const ISSUER_UNIQUE_ID: u8 = 0x81;
    pub(crate) const SUBJECT_UNIQUE_ID: u8 = 0x82;
    pub(crate) const EXTENSIONS: u8 = 0xa3;
}

/// A part of the certificate's bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Span {
    start: u32,
    end: u32,
}

impl Span {
    #[inline]
    pub(super) fn between(start: usize, end: usize) -> Self {
        // An input over 4 GiB cannot come here: lengths have at most four octets.
        Self {
            start: u32::try_from(start).unwrap_or(u32::MAX),
            end: u32::try_from(end).unwrap_or(u32::MAX),
        }
    }

    /// The bytes of the span; empty if `bytes` are not those it was found in.
    pub(crate) fn of(self, bytes: &[u8]) -> &[u8] {
        let range = usize::try_from(self.start)
            .ok()
            .zip(usize::try_from(self.end).ok());
        range
            .and_then(|(start, end)| bytes.get(start..end))
            .unwrap_or_default()
    }
}

/// The content with the header of a SEQUENCE before it.
pub(crate) fn in_sequence(content: &[u8]) -> Vec<u8> {
    element(tag::SEQUENCE, content)
}

/// One element: the one place that writes DER.
pub(crate) fn element(tag: u8, content: &[u8]) -> Vec<u8> {
    let mut der = vec![tag];
    let length = content.len().to_be_bytes();
    let significant: Vec<u8> = length.into_iter().skip_while(|byte| *byte == 0).collect();
    match significant.as_slice() {
        [] => der.push(0),
        [short] if *short < 0x80 => der.push(*short),
        long => {
            // A length has at most eight octets.
            der.push(0x80 | u8::try_from(long.len()).unwrap_or(0));
            der.extend(long);
        }
    }
    der.extend(content);
    der
}

/// Reads elements, remembering where they are in the whole.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Reader<'a> {
    /// What has not been read yet.
    rest: &'a [u8],
    /// Where `rest` ends in the whole.
    end: usize,
}

impl<'a> Reader<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Self {
            rest: bytes,
            end: bytes.len(),
        }
    }

    /// Where in the whole the next byte is. `rest` is a part of what ends at `end`.
    #[inline]
    pub(super) const fn pos(&self) -> usize {
        self.end.wrapping_sub(self.rest.len())
    }

    /// The content that this reader has not read yet.
    pub(crate) fn content(&self) -> &'a [u8] {
        self.rest
    }

    pub(crate) fn is_at_end(&self) -> bool {
        self.rest.is_empty()
    }

    /// The next identifier octet.
    pub(crate) fn peek(&self) -> Option<u8> {
        self.rest.first().copied()
    }

    pub(super) fn error(&self, problem: DerProblem) -> CertificateParseError {
        CertificateParseError {
            offset: self.pos(),
            problem,
        }
    }

    fn byte(&mut self) -> Result<u8, CertificateParseError> {
        let (byte, rest) = self
            .rest
            .split_first()
            .ok_or(self.error(DerProblem::Truncated))?;
        self.rest = rest;
        Ok(*byte)
    }

    /// Splits off the next bytes, if there are so many.
    #[inline]
    fn take(&mut self, length: usize) -> Option<Self> {
        let (content, rest) = self.rest.split_at_checked(length)?;
        let end = self.end.wrapping_sub(rest.len());
        self.rest = rest;
        Some(Self { rest: content, end })
    }

    /// Reads one element with this tag and gives a reader of its content.
    #[inline]
    pub(crate) fn enter(&mut self, expected: u8) -> Result<Self, CertificateParseError> {
        // What nearly every element looks like; all else, and every error, is for the slow walk.
        let (length, rest) = match self.rest {
            [found, length @ ..=0x7f, rest @ ..] if *found == expected => {
                (usize::from(*length), rest)
            }
            [found, 0x82, high @ 1..=0xff, low, rest @ ..] if *found == expected => {
                (usize::from(u16::from_be_bytes([*high, *low])), rest)
            }
            [found, 0x81, length @ 0x80..=0xff, rest @ ..] if *found == expected => {
                (usize::from(*length), rest)
            }
            _ => return self.enter_slowly(expected),
        };
        let mut after = Self {
            rest,
            end: self.end,
        };
        match after.take(length) {
            Some(content) => {
                *self = after;
                Ok(content)
            }
            None => self.enter_slowly(expected),
        }
    }

    #[cold]
    #[inline(never)]
    fn enter_slowly(&mut self, expected: u8) -> Result<Self, CertificateParseError> {
        match self.peek() {
            Some(found) if found != expected => {
                Err(self.error(DerProblem::UnexpectedTag { expected, found }))
            }
            _ => self.any().map(|(_, content)| content),
        }
    }

    /// Reads one element with any tag of a single octet.
    pub(crate) fn any(&mut self) -> Result<(u8, Self), CertificateParseError> {
        let at = *self;
        let found = self.byte()?;
        if found & 0x1f == 0x1f {
            // Multi-octet tags occur in no certificate.
            return Err(at.error(DerProblem::UnexpectedTag {
                expected: tag::SEQUENCE,
                found,
            }));
        }
        let length = self.length()?;
        let content = self.take(length).ok_or(at.error(DerProblem::Truncated))?;
        Ok((found, content))
    }

    fn length(&mut self) -> Result<usize, CertificateParseError> {
        let at = *self;
        let first = self.byte()?;
        let octets = match first {
            0..=0x7f => return Ok(usize::from(first)),
            0x80 => return Err(at.error(DerProblem::IndefiniteLength)),
            0x81..=0x84 => first & 0x7f,
            _ => return Err(at.error(DerProblem::LengthTooLarge)),
        };
        let mut length = 0_u32;
        for _ in 0..octets {
            length = (length << 8) | u32::from(self.byte()?);
        }
        let shortest = match octets {
            1 => length >= 0x80,
            2 => length > 0xff,
            3 => length > 0xffff,
            _ => length > 0x00ff_ffff,
        };
        if !shortest {
            return Err(at.error(DerProblem::NonMinimalLength));
        }
        usize::try_from(length).map_err(|_| at.error(DerProblem::LengthTooLarge))
    }

    /// Refuses anything left over.
    #[inline]
    pub(crate) fn finish(&self) -> Result<(), CertificateParseError> {
        match self.rest.len() {
            0 => Ok(()),
            count => Err(self.error(DerProblem::TrailingBytes { count })),
        }
    }

    pub(super) fn span(&self) -> Span {
        Span::between(self.pos(), self.end)
    }

    /// `Time ::= CHOICE { utcTime, generalTime }` (RFC 5280, 4.1.2.5).
    pub(crate) fn time(&mut self) -> Result<Timestamp, CertificateParseError> {
        let at = *self;
        let found = self.peek().ok_or(self.error(DerProblem::Truncated))?;
        let read: fn(&[u8]) -> Option<Timestamp> = match found {
            tag::UTC_TIME => utc_time,
            tag::GENERALIZED_TIME => generalized_time,
            found => {
                let expected = tag::UTC_TIME;
                return Err(self.error(DerProblem::UnexpectedTag { expected, found }));
            }
        };
        let text = self.enter(found)?.content();
        read(text).ok_or(at.error(DerProblem::BadTime))
    }
}

/// `YYMMDDHHMMSSZ`.
fn utc_time(text: &[u8]) -> Option<Timestamp> {
    let ([y1, y2], rest) = text.split_first_chunk()?;
    // RFC 5280, 4.1.2.5.1: two digits from 50 on are 19xx.
    let year = match two_digits(*y1, *y2)? {
        year @ 50.. => 1900 + u16::from(year),
        year => 2000 + u16::from(year),
    };
    in_year(year, rest)
}

/// `YYYYMMDDHHMMSSZ`.
fn generalized_time(text: &[u8]) -> Option<Timestamp> {
    let ([y1, y2, y3, y4], rest) = text.split_first_chunk()?;
    let century = u16::from(two_digits(*y1, *y2)?);
    in_year(century * 100 + u16::from(two_digits(*y3, *y4)?), rest)
}

/// `MMDDHHMMSSZ` of a year.
fn in_year(year: u16, rest: &[u8]) -> Option<Timestamp> {
    let [mo1, mo2, d1, d2, h1, h2, mi1, mi2, s1, s2, b'Z'] = *rest else {
        return None;
    };
    Timestamp::from_calendar(
        year,
        two_digits(mo1, mo2)?,
        two_digits(d1, d2)?,
        [
            two_digits(h1, h2)?,
            two_digits(mi1, mi2)?,
            two_digits(s1, s2)?,
        ],
    )
}

/// The number below 100 that two decimal digits write.
#[inline]
fn two_digits(tens: u8, ones: u8) -> Option<u8> {
    let (tens, ones) = (tens.wrapping_sub(b'0'), ones.wrapping_sub(b'0'));
    (tens < 10 && ones < 10).then(|| tens * 10 + ones)
}
