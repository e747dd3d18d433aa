//! The one fact of a revocation list that webpki keeps to itself.

use super::der::{Reader, tag};
use super::{CertificateParseError, Timestamp};

/// nextUpdate of `CertificateList ::= SEQUENCE { tbsCertList, .. }` (RFC 5280, 5.1); `None` where it
/// is absent, or cannot be read.
pub(crate) fn crl_next_update(der: &[u8]) -> Option<Timestamp> {
    read(der).ok().flatten()
}

fn read(der: &[u8]) -> Result<Option<Timestamp>, CertificateParseError> {
    let mut tbs = Reader::new(der)
        .enter(tag::SEQUENCE)?
        .enter(tag::SEQUENCE)?;
    if tbs.peek() == Some(tag::INTEGER) {
        tbs.enter(tag::INTEGER)?; // version
    }
    tbs.enter(tag::SEQUENCE)?; // signature
    tbs.enter(tag::SEQUENCE)?; // issuer
    tbs.time()?; // thisUpdate
    match tbs.peek() {
        Some(tag::UTC_TIME | tag::GENERALIZED_TIME) => tbs.time().map(Some),
        _ => Ok(None),
    }
}
