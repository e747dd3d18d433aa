//! Signed certificate timestamps: what they claim.

use thiserror::Error;

use super::Sha256Digest;
use super::der::{DerProblem, Reader, tag};
use crate::time::Timestamp;

/// One signed certificate timestamp, as its bytes claim it (RFC 6962, 3.2).
///
/// Nothing here was verified: log id and timestamp are **claims until the signature is verified** by the
/// log's key, over the precertificate that the CA handed in. That is for others, see the page
/// [transparency](crate::guide::transparency).
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Sct {
    /// SHA-256 over the log's SubjectPublicKeyInfo; lists of logs write it in base64
    /// ([`Sha256Digest::to_base64`]).
    pub log_id: Sha256Digest,
    /// When the log took the certificate, in milliseconds since 1970-01-01T00:00:00Z, as it stands.
    pub timestamp_ms: u64,
    /// CtExtensions, which RFC 6962 leaves empty; logs of the static-ct-api put an index there.
    pub extensions: Vec<u8>,
    /// By what it is signed: the octets of SignatureAndHashAlgorithm (RFC 5246, 7.4.1.4.1), which are those
    /// of TLS 1.3's SignatureScheme too: `0x0403` for ECDSA with SHA-256, `0x0401` for RSA.
    pub signature_scheme: u16,
    /// The signature, which nobody has verified.
    pub signature: Vec<u8>,
}

impl Sct {
    /// When the log took the certificate, without the milliseconds; [`Timestamp::MAX`] for what lies beyond.
    pub fn timestamp(&self) -> Timestamp {
        let seconds = i64::try_from(self.timestamp_ms / 1_000);
        Timestamp::from_unix_seconds(seconds.unwrap_or(i64::MAX))
    }

    /// Whether it is earlier than the first millisecond of this second.
    pub fn is_before(&self, instant: Timestamp) -> bool {
        i128::from(self.timestamp_ms) < milliseconds(instant)
    }

    /// Whether it is later than the first millisecond of this second, as those compare who hold instants of
    /// whole seconds against SCTs.
    pub fn is_after(&self, instant: Timestamp) -> bool {
        i128::from(self.timestamp_ms) > milliseconds(instant)
    }
}

fn milliseconds(instant: Timestamp) -> i128 {
    i128::from(instant.as_unix_seconds()) * 1_000
}

/// The signed certificate timestamps of one list (RFC 6962, 3.3), in their order.
///
/// What cannot be read of it loses nothing else: each SCT has its own length, so that one that is damaged,
/// or of a version that is not known yet, is passed over and counted.
///
/// # Which logs took this certificate, and when?
/// ```
/// # use notafter::source::SourceContents;
/// # let pem = include_bytes!("../../tests/data/incidents/dst-root-x3-2021/certs/leaf.pem");
/// # let contents = SourceContents::from_bytes("", pem);
/// # let leaf = &contents.certificates[0].certificate;
/// let list = leaf.embedded_scts()?;
/// let first = &list.scts[0];
/// assert_eq!(first.log_id.to_base64(), "RJRlLrDuzq/EQAfYqP4owNrmgr7YyzG1P9MzlrW2gag=");
/// assert_eq!(first.timestamp_ms, 1_632_843_988_765);
/// assert_eq!(first.timestamp().to_string(), "2021-09-28T15:46:28Z");
/// # Ok::<(), notafter::cert::SctParseError>(())
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct SctList {
    /// Those of version 1.
    pub scts: Vec<Sct>,
    /// How many are of a version that is not known.
    pub unknown_versions: usize,
    /// What is wrong with those that are damaged.
    pub damaged: Vec<SctParseError>,
}

/// Why bytes are no list of signed certificate timestamps, or no SCT of one, and where.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error(
    "no signed certificate timestamps: {problem} at byte {offset} of them; browsers count none either: have the certificate issued anew"
)]
#[non_exhaustive]
pub struct SctParseError {
    /// The byte, counted from 0 in what was given, at which reading stopped.
    pub offset: usize,
    /// What was wrong there.
    pub problem: SctProblem,
}

/// What is wrong with a list of signed certificate timestamps.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum SctProblem {
    /// The OCTET STRING around the list is none.
    #[error("{0}")]
    Der(DerProblem),
    /// The bytes end before what a length promises.
    #[error("the bytes end too early")]
    Truncated,
    /// Bytes after the last one that belongs there.
    #[error("{count} bytes too many")]
    TrailingBytes {
        /// How many.
        count: usize,
    },
    /// A list without any, or an SCT without a byte: either has one at least (RFC 6962, 3.3).
    #[error("nothing where something belongs")]
    Empty,
}

impl SctList {
    /// Reads the value of an extension that holds such a list in an OCTET STRING: 1.3.6.1.4.1.11129.2.4.2 of
    /// certificates, 1.3.6.1.4.1.11129.2.4.5 of OCSP responses (RFC 6962, 3.3).
    ///
    /// # Errors
    /// [`SctParseError`] where the list is none as a whole.
    pub fn from_extension(value: &[u8]) -> Result<Self, SctParseError> {
        let mut outer = Reader::new(value);
        let list = outer.enter(tag::OCTET_STRING).and_then(|list| {
            outer.finish()?;
            Ok(list)
        });
        let list = list.map_err(|error| SctParseError {
            offset: error.offset,
            problem: SctProblem::Der(error.problem),
        })?;
        Self::read(Octets {
            rest: list.content(),
            offset: list.pos(),
        })
    }

    /// Reads a SignedCertificateTimestampList as TLS writes it, which is what the extension
    /// signed_certificate_timestamp of a handshake holds (RFC 6962, 3.3 and 3.3.1).
    ///
    /// # Errors
    /// [`SctParseError`] where the list is none as a whole.
    pub fn from_tls(bytes: &[u8]) -> Result<Self, SctParseError> {
        Self::read(Octets {
            rest: bytes,
            offset: 0,
        })
    }

    fn read(mut bytes: Octets<'_>) -> Result<Self, SctParseError> {
        let mut list = bytes.prefixed()?;
        bytes.finish()?;
        if list.rest.is_empty() {
            return Err(list.error(SctProblem::Empty));
        }
        let mut read = Self::default();
        while !list.rest.is_empty() {
            match Sct::read(list.prefixed()?) {
                Ok(Some(sct)) => read.scts.push(sct),
                Ok(None) => read.unknown_versions += 1,
                Err(error) => read.damaged.push(error),
            }
        }
        Ok(read)
    }
}

impl Sct {
    /// `None` where it is of another version than 1.
    fn read(mut bytes: Octets<'_>) -> Result<Option<Self>, SctParseError> {
        const VERSION_1: u8 = 0;
        if bytes.rest.is_empty() {
            return Err(bytes.error(SctProblem::Empty));
        }
        let [version] = bytes.take()?;
        if version != VERSION_1 {
            return Ok(None);
        }
        let sct = Self {
            log_id: Sha256Digest::from_bytes(bytes.take()?),
            timestamp_ms: u64::from_be_bytes(bytes.take()?),
            extensions: bytes.prefixed()?.rest.to_vec(),
            signature_scheme: u16::from_be_bytes(bytes.take()?),
            signature: bytes.prefixed()?.rest.to_vec(),
        };
        bytes.finish()?;
        Ok(Some(sct))
    }
}

/// What has not been read yet, and where it begins in the whole.
struct Octets<'a> {
    rest: &'a [u8],
    offset: usize,
}

impl<'a> Octets<'a> {
    const fn error(&self, problem: SctProblem) -> SctParseError {
        SctParseError {
            offset: self.offset,
            problem,
        }
    }

    fn take<const N: usize>(&mut self) -> Result<[u8; N], SctParseError> {
        let (taken, rest) =
            (self.rest.split_first_chunk()).ok_or(self.error(SctProblem::Truncated))?;
        self.rest = rest;
        self.offset = self.offset.saturating_add(N);
        Ok(*taken)
    }

    /// `opaque content<..2^16-1>`: as many bytes as the two before them say.
    fn prefixed(&mut self) -> Result<Self, SctParseError> {
        let promise = self.error(SctProblem::Truncated);
        let length = usize::from(u16::from_be_bytes(self.take()?));
        let (content, rest) = self.rest.split_at_checked(length).ok_or(promise)?;
        let offset = self.offset;
        self.rest = rest;
        self.offset = offset.saturating_add(length);
        Ok(Self {
            rest: content,
            offset,
        })
    }

    fn finish(&self) -> Result<(), SctParseError> {
        match self.rest.len() {
            0 => Ok(()),
            count => Err(self.error(SctProblem::TrailingBytes { count })),
        }
    }
}
