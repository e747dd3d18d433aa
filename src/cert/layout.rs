//! Where the parts of a certificate lie, found in one walk.

use super::der::{CertificateParseError, DerProblem, Reader, Span, tag};
use crate::time::Validity;

/// Where in a certificate its parts lie.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Layout {
    /// Content octets of the serial number.
    pub(crate) serial: Span,
    /// The issuer's Name, content of its SEQUENCE, as webpki and rustls compare it.
    pub(crate) issuer: Span,
    /// The subject's Name, content of its SEQUENCE.
    pub(crate) subject: Span,
    /// The SubjectPublicKeyInfo with its outer SEQUENCE.
    pub(crate) spki: Span,
    /// The content of the SEQUENCE OF Extension.
    pub(crate) extensions: Option<Span>,
    pub(crate) validity: Validity,
}

impl Layout {
    /// Walks `Certificate ::= SEQUENCE { tbsCertificate, signatureAlgorithm, signatureValue }`
    /// (RFC 5280, 4.1).
    pub(crate) fn parse(der: &[u8]) -> Result<Self, CertificateParseError> {
        let mut outer = Reader::new(der);
        let mut certificate = outer.enter(tag::SEQUENCE)?;
        outer.finish()?;
        let tbs = certificate.enter(tag::SEQUENCE)?;
        certificate.enter(tag::SEQUENCE)?;
        certificate.enter(tag::BIT_STRING)?;
        certificate.finish()?;
        Self::parse_tbs(tbs)
    }

    fn parse_tbs(mut tbs: Reader<'_>) -> Result<Self, CertificateParseError> {
        if tbs.peek() == Some(tag::VERSION) {
            let mut version = tbs.enter(tag::VERSION)?;
            let number = version.enter(tag::INTEGER)?;
            if !matches!(number.content(), [0..=2]) {
                return Err(number.error(DerProblem::BadVersion));
            }
            version.finish()?;
        }
        let serial = tbs.enter(tag::INTEGER)?.span();
        tbs.enter(tag::SEQUENCE)?; // signature
        let issuer = tbs.enter(tag::SEQUENCE)?.span();
        let mut validity = tbs.enter(tag::SEQUENCE)?;
        let not_before = validity.time()?;
        let not_after = validity.time()?;
        validity.finish()?;
        let subject = tbs.enter(tag::SEQUENCE)?.span();
        let spki_start = tbs.pos();
        tbs.enter(tag::SEQUENCE)?;
        let spki = Span::between(spki_start, tbs.pos());
        for unique_id in [tag::ISSUER_UNIQUE_ID, tag::SUBJECT_UNIQUE_ID] {
            if tbs.peek() == Some(unique_id) {
                tbs.enter(unique_id)?;
            }
        }
        let extensions = if tbs.peek() == Some(tag::EXTENSIONS) {
            let mut tagged = tbs.enter(tag::EXTENSIONS)?;
            let list = tagged.enter(tag::SEQUENCE)?.span();
            tagged.finish()?;
            Some(list)
        } else {
            None
        };
        tbs.finish()?;
        Ok(Self {
            serial,
            issuer,
            subject,
            spki,
            extensions,
            validity: Validity {
                not_before,
                not_after,
            },
        })
    }
}
