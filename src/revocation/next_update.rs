//! When revocation lists and OCSP responses are to be replaced: a fact that webpki keeps to itself.

use crate::cert::CertificateParseError;
use crate::cert::der::{Reader, tag};
use crate::time::Timestamp;

/// nextUpdate of `CertificateList ::= SEQUENCE { tbsCertList, .. }` (RFC 5280, 5.1); `None` where it
/// is absent, or cannot be read.
pub(crate) fn crl_next_update(der: &[u8]) -> Option<Timestamp> {
    of_crl(der).ok()?.1
}

/// thisUpdate of the same; `None` where it cannot be read.
pub(crate) fn crl_this_update(der: &[u8]) -> Option<Timestamp> {
    of_crl(der).ok().map(|(this_update, _)| this_update)
}

fn of_crl(der: &[u8]) -> Result<(Timestamp, Option<Timestamp>), CertificateParseError> {
    let mut tbs = Reader::new(der)
        .enter(tag::SEQUENCE)?
        .enter(tag::SEQUENCE)?;
    if tbs.peek() == Some(tag::INTEGER) {
        tbs.enter(tag::INTEGER)?; // version
    }
    tbs.enter(tag::SEQUENCE)?; // signature
    tbs.enter(tag::SEQUENCE)?; // issuer
    let this_update = tbs.time()?;
    let next_update = match tbs.peek() {
        Some(tag::UTC_TIME | tag::GENERALIZED_TIME) => Some(tbs.time()?),
        _ => None,
    };
    Ok((this_update, next_update))
}

/// The earliest nextUpdate of the answers in an `OCSPResponse` (RFC 6960, 4.2.1); `None` where an
/// answer has none, or where it cannot be read.
pub(crate) fn staple_next_update(der: &[u8]) -> Option<Timestamp> {
    of_staple(der).ok().flatten()
}

fn of_staple(der: &[u8]) -> Result<Option<Timestamp>, CertificateParseError> {
    const FIRST: u8 = 0xa0;
    let mut response = Reader::new(der).enter(tag::SEQUENCE)?;
    response.enter(tag::ENUMERATED)?; // responseStatus
    let mut bytes = response.enter(FIRST)?.enter(tag::SEQUENCE)?;
    bytes.enter(tag::OID)?; // responseType
    let mut basic = bytes.enter(tag::OCTET_STRING)?.enter(tag::SEQUENCE)?;
    let mut data = basic.enter(tag::SEQUENCE)?;
    if data.peek() == Some(FIRST) {
        data.enter(FIRST)?; // version
    }
    data.any()?; // responderID
    data.time()?; // producedAt
    let mut answers = data.enter(tag::SEQUENCE)?;
    let mut earliest = None;
    while !answers.is_at_end() {
        let mut answer = answers.enter(tag::SEQUENCE)?;
        answer.enter(tag::SEQUENCE)?; // certID
        answer.any()?; // certStatus
        answer.time()?; // thisUpdate
        if answer.peek() != Some(FIRST) {
            return Ok(None);
        }
        let next_update = answer.enter(FIRST)?.time()?;
        earliest = Some(earliest.map_or(next_update, |known: Timestamp| known.min(next_update)));
    }
    Ok(earliest)
}

#[cfg(test)]
mod tests {
    use super::crl_next_update;

    fn sequence(content: &[u8]) -> Vec<u8> {
        element(0x30, content)
    }

    fn element(tag: u8, content: &[u8]) -> Vec<u8> {
        [&[tag, u8::try_from(content.len()).unwrap()], content].concat()
    }

    fn utc(text: &str) -> Vec<u8> {
        element(0x17, text.as_bytes())
    }

    fn generalized(text: &str) -> Vec<u8> {
        element(0x18, text.as_bytes())
    }

    #[test]
    fn revocation_lists_say_when_the_next_one_comes() {
        let list = |version: &[u8], times: &[Vec<u8>]| {
            let mut tbs = [version, &sequence(&[0x06, 0x01, 0x2a]), &sequence(&[])].concat();
            tbs.extend(times.concat());
            tbs.extend(sequence(&[])); // revokedCertificates
            sequence(&sequence(&tbs))
        };
        let version = element(0x02, &[1]);
        let (this, next) = (utc("260101000000Z"), generalized("20500101000000Z"));
        let cases = [
            (
                list(&version, &[this.clone(), next.clone()]),
                Some("2050-01-01T00:00:00Z"),
            ),
            (
                list(&[], &[this.clone(), this.clone()]),
                Some("2026-01-01T00:00:00Z"),
            ),
            (list(&version, std::slice::from_ref(&this)), None),
            (list(&version, &[this.clone(), utc("261301000000Z")]), None),
            (list(&version, &[]), None),
            (Vec::new(), None),
        ];
        for (der, expected) in cases {
            let next_update = crl_next_update(&der).map(|t| t.to_string());
            assert_eq!(next_update.as_deref(), expected, "{der:02x?}");
        }
    }
}
