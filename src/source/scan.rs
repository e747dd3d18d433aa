//! A stream of PEM, one finding at a time.

use std::fmt;
use std::io::Read;
use std::sync::Arc;

use super::foreign_format::ForeignFormat;
use super::pem::{self, Block, Blocks};
use super::{FailureReason, Place, SourceFailure};
use crate::cert::Certificate;

/// Reads PEM from a file, a socket or memory and gives what it finds in its order, while holding
/// no more than one block: a bundle of 100 MB takes no more memory than one certificate.
///
/// It finds what rustls-pki-types finds, with any text around the blocks; a damaged block is a
/// finding too and hides nothing. A block of more than 16 MiB is damaged. DER is not looked for:
/// [`SourceContents::from_bytes`](crate::source::SourceContents::from_bytes) does that.
///
/// # How do I look through a huge bundle without holding it?
/// ```
/// use notafter::source::{CertificateScan, Scanned};
/// # let pem = include_bytes!("../../tests/data/incidents/dst-root-x3-2021/certs/leaf.pem");
/// # let file = &pem[..];
/// let mut ends = Vec::new();
/// for found in CertificateScan::new("bundle.pem", file) {
///     match found {
///         Scanned::Certificate(found) => ends.push(found.certificate.not_after()),
///         Scanned::Failure(failure) => eprintln!("{failure}"),
///         _ => {}
///     }
/// }
/// assert_eq!(ends[0].to_string(), "2021-12-27T14:46:27Z");
/// ```
#[must_use]
pub struct CertificateScan<R> {
    source: Arc<str>,
    blocks: Blocks<R>,
    /// Where blocks are decoded.
    der: Vec<u8>,
    failed: bool,
}

/// One finding of a [`CertificateScan`].
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Scanned {
    /// A certificate.
    Certificate(FoundCertificate),
    /// Where a private key lies; its bytes are not kept.
    PrivateKey(Place),
    /// A PEM block of another kind.
    OtherBlock(OtherBlock),
    /// Something that could not be read. After [`FailureReason::Io`] nothing more comes.
    Failure(SourceFailure),
}

/// A certificate and where it was found.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct FoundCertificate {
    /// The certificate.
    pub certificate: Certificate,
    /// Where it stands.
    pub place: Place,
}

/// A PEM block that is neither a certificate nor a private key.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct OtherBlock {
    /// Its label, as in `-----BEGIN label-----`, at most 64 characters.
    pub label: String,
    /// Where it stands.
    pub place: Place,
}

impl<R: Read> CertificateScan<R> {
    /// Scans what `reader` gives. `source` is what places call it: a path, or any name.
    ///
    /// Reads 64 KiB at a time: there is no need for a `BufReader`.
    pub fn new(source: impl Into<Arc<str>>, reader: R) -> Self {
        Self {
            source: source.into(),
            blocks: Blocks::new(reader),
            der: Vec::new(),
            failed: false,
        }
    }
}

impl<R: Read> Iterator for CertificateScan<R> {
    type Item = Scanned;

    fn next(&mut self) -> Option<Scanned> {
        if self.failed {
            return None;
        }
        match self.blocks.next() {
            Ok(block) => Some(read(&self.source, &block?, &mut self.der)),
            Err(error) => {
                self.failed = true;
                let (reason, detail) = (FailureReason::Io, error.to_string());
                let failure = SourceFailure::whole(&self.source, reason, detail);
                Some(Scanned::Failure(failure))
            }
        }
    }
}

impl<R> fmt::Debug for CertificateScan<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // What is being read may be a private key.
        let mut debug = f.debug_struct("CertificateScan");
        debug.field("source", &self.source).finish_non_exhaustive()
    }
}

pub(super) fn read(source: &Arc<str>, block: &Block<'_>, der: &mut Vec<u8>) -> Scanned {
    let place = Place {
        source: Arc::clone(source),
        block: Some(block.number),
        line: Some(block.line),
        offset: block.offset,
    };
    if block.label.ends_with(b"PRIVATE KEY") {
        // Not even decoded: presence is all that we want to know.
        return Scanned::PrivateKey(place);
    }
    if block.is_marked {
        let format = ForeignFormat::MarkedUtf8;
        let failure = SourceFailure::at(place, FailureReason::BadPem, format.what());
        return Scanned::Failure(failure.with_advice(format.to_certificates()));
    }
    match &block.body {
        Err(detail) => damaged(place, detail),
        Ok(body) if block.label == b"CERTIFICATE" => match pem::decode(body, der) {
            Some(der) => certificate(place, der),
            None => damaged_base64(place),
        },
        Ok(_) => {
            let label = String::from_utf8_lossy(block.label);
            Scanned::OtherBlock(OtherBlock {
                label: label.chars().take(64).collect(),
                place,
            })
        }
    }
}

pub(super) fn damaged_base64(place: Place) -> Scanned {
    damaged(place, "the base64 between BEGIN and END is damaged")
}

fn damaged(place: Place, detail: &str) -> Scanned {
    Scanned::Failure(SourceFailure::at(place, FailureReason::BadPem, detail))
}

/// What these bytes are as a certificate.
pub(super) fn certificate(place: Place, der: &[u8]) -> Scanned {
    match Certificate::from_der(der) {
        Ok(certificate) => Scanned::Certificate(FoundCertificate { certificate, place }),
        Err(error) => {
            let detail = format!("{} at byte {} of its DER", error.problem, error.offset);
            Scanned::Failure(SourceFailure::at(place, FailureReason::BadDer, detail))
        }
    }
}
