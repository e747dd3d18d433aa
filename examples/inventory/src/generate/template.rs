//! One certificate of the corpora, and where in it stands what differs from one to the next.

use std::ops::Range;

use notafter::Certificate;
use notafter::time::Timestamp;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::RngCore as _;
use x509_parser::prelude::{FromDer as _, X509Certificate};
use x509_parser::public_key::PublicKey;

use super::moment::overwrite;

/// Bytes with their places.
pub(super) struct Template {
    der: Vec<u8>,
    lifetime: i64,
    /// What is random in every copy: the serial number, the middle of an RSA modulus, the signature.
    random: Vec<Range<usize>>,
    not_before: Range<usize>,
    not_after: Range<usize>,
    pub(super) is_ca: bool,
}

impl Template {
    /// `None` for what only one of the two parsers reads.
    pub(super) fn of(certificate: &Certificate) -> Option<Self> {
        let der = certificate.der().as_ref();
        let (_, parsed) = X509Certificate::from_der(der).ok()?;
        let mut random = Vec::new();
        let serial = place(der, parsed.raw_serial())?;
        if serial.len() >= 8 {
            // The first octets have the sign, and are as short as they may be.
            random.push(serial.start + 2..serial.end);
        }
        if let Ok(PublicKey::RSA(key)) = parsed.public_key().parsed() {
            let modulus = place(der, key.modulus)?;
            // The first octets and the last keep the size, and that it is odd.
            random.push(modulus.start + modulus.len() / 8..modulus.end - modulus.len() / 8);
        }
        let signature = place(der, &parsed.signature_value.data)?;
        // Bits of the last octet that are not used must be zero.
        let whole = signature.end - usize::from(parsed.signature_value.unused_bits > 0);
        random.push(signature.start..whole.max(signature.start));
        let [not_before, not_after] = times(der, certificate)?;
        let validity = certificate.validity();
        Some(Self {
            lifetime: validity.not_after.seconds_since(validity.not_before).max(0),
            random,
            not_before,
            not_after,
            is_ca: certificate.is_ca(),
            der: der.to_vec(),
        })
    }

    /// As it is in the corpora, or with the dates that it was given.
    pub(super) fn bytes(&self) -> &[u8] {
        &self.der
    }

    /// Gives it another end for good, and the same lifetime.
    pub(super) fn end_at(&mut self, not_after: Timestamp) {
        let mut der = std::mem::take(&mut self.der);
        self.date(&mut der, not_after);
        self.der = der;
    }

    /// A copy with random octets where copies differ.
    pub(super) fn copy(&self, rng: &mut ChaCha8Rng, der: &mut Vec<u8>) {
        der.clear();
        der.extend_from_slice(&self.der);
        for place in &self.random {
            rng.fill_bytes(&mut der[place.clone()]);
        }
    }

    /// Writes these dates over a copy.
    pub(super) fn date(&self, der: &mut [u8], not_after: Timestamp) {
        let not_before = not_after.saturating_add(-self.lifetime);
        overwrite(&mut der[self.not_before.clone()], not_before);
        overwrite(&mut der[self.not_after.clone()], not_after);
    }
}

/// Where a part lies that was borrowed from the whole.
fn place(whole: &[u8], part: &[u8]) -> Option<Range<usize>> {
    let start = part.as_ptr().addr().checked_sub(whole.as_ptr().addr())?;
    let end = start.checked_add(part.len())?;
    (end <= whole.len()).then_some(start..end)
}

/// The contents of notBefore and notAfter: they stand between issuer and subject, a SEQUENCE of two times.
fn times(der: &[u8], certificate: &Certificate) -> Option<[Range<usize>; 2]> {
    let facts = certificate.facts();
    let start = place(der, facts.issuer_der())?.end + 2;
    let first = content(der, start)?;
    let second = content(der, first.end)?;
    let subject = place(der, facts.subject_der())?;
    (second.end < subject.start).then_some([first, second])
}

/// The content of an element with a short length.
fn content(der: &[u8], start: usize) -> Option<Range<usize>> {
    let length = usize::from(*der.get(start + 1)?);
    let content = start + 2..start + 2 + length;
    (length < 0x80 && content.end <= der.len()).then_some(content)
}
