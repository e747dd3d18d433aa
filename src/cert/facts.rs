//! The facts that hot paths need, borrowed from the certificate's bytes.

use super::der::{Reader, tag};
use super::layout::Layout;
use super::next_root_key::HASH_OF_ROOT_KEY;
use super::{
    CertificateParseError, NextRootKey, NextRootKeyError, SctList, SctParseError, SubjectAltNames,
    name,
};
use crate::time::Validity;

/// What one certificate states, found by one strict walk over its bytes without allocation.
///
/// # Until when is this certificate valid?
/// ```
/// use notafter::cert::CertificateFacts;
/// # use notafter::source::SourceContents;
/// # let pem = include_bytes!("../../tests/data/incidents/dst-root-x3-2021/certs/isrg-x1-root.pem");
/// # let contents = SourceContents::from_bytes("", pem);
/// # let der = contents.certificates[0].certificate.der().as_ref();
/// let facts = CertificateFacts::parse(der)?;
/// assert_eq!(facts.validity().not_after.to_string(), "2035-06-04T11:04:38Z");
/// assert!(facts.is_ca() && facts.is_self_issued());
/// # Ok::<(), notafter::cert::CertificateParseError>(())
/// ```
#[derive(Debug, Clone, Copy)]
pub struct CertificateFacts<'a> {
    der: &'a [u8],
    layout: Layout,
}

/// One extension as it stands (RFC 5280, 4.1).
pub(crate) struct Extension<'a> {
    /// The content octets of its OID.
    pub(crate) oid: &'a [u8],
    /// Whether who does not understand it must refuse the certificate.
    #[cfg_attr(not(feature = "ocsp"), allow(dead_code))]
    pub(crate) is_critical: bool,
    /// What its OCTET STRING holds.
    pub(crate) value: &'a [u8],
}

pub(crate) const SUBJECT_ALT_NAME: &[u8] = &[0x55, 0x1d, 0x11];
pub(crate) const BASIC_CONSTRAINTS: &[u8] = &[0x55, 0x1d, 0x13];
pub(crate) const KEY_USAGE: &[u8] = &[0x55, 0x1d, 0x0f];
#[cfg(any(feature = "ocsp", feature = "reload"))]
pub(crate) const EXTENDED_KEY_USAGE: &[u8] = &[0x55, 0x1d, 0x25];

impl<'a> CertificateFacts<'a> {
    /// Walks the bytes of one certificate (RFC 5280, 4.1).
    ///
    /// # Errors
    /// [`CertificateParseError`] with the byte offset where the bytes stop being a DER certificate.
    pub fn parse(der: &'a [u8]) -> Result<Self, CertificateParseError> {
        Layout::parse(der).map(|layout| Self { der, layout })
    }

    pub(super) fn from_parts(der: &'a [u8], layout: Layout) -> Self {
        Self { der, layout }
    }

    pub(super) fn layout(&self) -> Layout {
        self.layout
    }

    /// The whole certificate.
    pub fn der(&self) -> &'a [u8] {
        self.der
    }

    /// notBefore and notAfter (RFC 5280, 4.1.2.5).
    pub fn validity(&self) -> Validity {
        self.layout.validity
    }

    /// The serial number's content octets, big-endian two's complement, as they are.
    pub fn serial(&self) -> &'a [u8] {
        self.layout.serial.of(self.der)
    }

    /// The issuer's Name as DER without its outer SEQUENCE (as webpki's trust anchors hold it).
    pub fn issuer_der(&self) -> &'a [u8] {
        self.layout.issuer.of(self.der)
    }

    /// The subject's Name as DER without its outer SEQUENCE.
    pub fn subject_der(&self) -> &'a [u8] {
        self.layout.subject.of(self.der)
    }

    /// The SubjectPublicKeyInfo as DER *with* its outer SEQUENCE: what SPKI pins hash
    /// (RFC 7469, 2.4).
    pub fn spki_der(&self) -> &'a [u8] {
        self.layout.spki.of(self.der)
    }

    /// The issuer for people: `C=US, O=Let's Encrypt, CN=R3`; control characters are escaped.
    pub fn issuer(&self) -> String {
        name::readable(self.issuer_der())
    }

    /// The subject for people.
    pub fn subject(&self) -> String {
        name::readable(self.subject_der())
    }

    /// Whether issuer and subject are the same bytes (RFC 5280, 3.2); says nothing of the signature.
    pub fn is_self_issued(&self) -> bool {
        self.issuer_der() == self.subject_der()
    }

    /// Whether basicConstraints says cA (RFC 5280, 4.2.1.9); an unreadable extension says no.
    pub fn is_ca(&self) -> bool {
        self.extension(BASIC_CONSTRAINTS).is_some_and(|value| {
            let content = Reader::new(value)
                .enter(tag::SEQUENCE)
                .and_then(|mut sequence| sequence.enter(tag::BOOLEAN));
            content.is_ok_and(|boolean| matches!(boolean.content(), [flag] if *flag != 0))
        })
    }

    /// The authority key identifier (RFC 5280, 4.2.1.1), where it has one that can be read.
    pub fn authority_key_id(&self) -> Option<&'a [u8]> {
        const AUTHORITY_KEY_IDENTIFIER: &[u8] = &[0x55, 0x1d, 0x23];
        let value = self.extension(AUTHORITY_KEY_IDENTIFIER)?;
        let mut sequence = Reader::new(value).enter(tag::SEQUENCE).ok()?;
        Some(sequence.enter(tag::KEY_IDENTIFIER).ok()?.content())
    }

    /// The subject key identifier (RFC 5280, 4.2.1.2), where it has one that can be read.
    pub fn subject_key_id(&self) -> Option<&'a [u8]> {
        const SUBJECT_KEY_IDENTIFIER: &[u8] = &[0x55, 0x1d, 0x0e];
        let value = self.extension(SUBJECT_KEY_IDENTIFIER)?;
        Some(Reader::new(value).enter(tag::OCTET_STRING).ok()?.content())
    }

    /// Whether it asks for a stapled OCSP response: TLS feature 5, status_request (RFC 7633).
    pub fn must_staple(&self) -> bool {
        const TLS_FEATURE: &[u8] = &[0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x01, 0x18];
        let features = self
            .extension(TLS_FEATURE)
            .and_then(|value| Reader::new(value).enter(tag::SEQUENCE).ok());
        features.is_some_and(|mut features| {
            std::iter::from_fn(|| features.enter(tag::INTEGER).ok())
                .any(|feature| feature.content() == [5])
        })
    }

    /// The hash of the key that will follow this root's own (RFC 8649), as
    /// [`Certificate::next_root_key`](super::Certificate::next_root_key) gives it.
    ///
    /// # Errors
    /// [`NextRootKeyError`] where it has the extension, and states no key that can be relied on.
    pub fn next_root_key(&self) -> Result<Option<NextRootKey>, NextRootKeyError> {
        let extensions = self.extensions().map_while(Result::ok);
        let mut stated = extensions.filter(|extension| extension.oid == HASH_OF_ROOT_KEY);
        match (stated.next(), stated.next()) {
            (None, _) => Ok(None),
            (Some(only), None) => NextRootKey::from_extension_value(only.value).map(Some),
            // RFC 5280, 4.2.
            (Some(_), Some(_)) => Err(NextRootKeyError::Repeated),
        }
    }

    /// The signed certificate timestamps that it embeds (RFC 6962, 3.3); none where it has no such extension.
    ///
    /// # Errors
    /// [`SctParseError`] where the extension holds no list of them; all else of the certificate counts.
    pub fn embedded_scts(&self) -> Result<SctList, SctParseError> {
        const EMBEDDED_SCTS: &[u8] = &[0x2b, 0x06, 0x01, 0x04, 0x01, 0xd6, 0x79, 0x02, 0x04, 0x02];
        let value = self.extension(EMBEDDED_SCTS);
        value.map_or_else(|| Ok(SctList::default()), SctList::from_extension)
    }

    /// Whether it is a precertificate, which CAs hand to logs and nobody may accept: it has the poison
    /// extension (RFC 6962, 3.1).
    pub fn is_precertificate(&self) -> bool {
        const POISON: &[u8] = &[0x2b, 0x06, 0x01, 0x04, 0x01, 0xd6, 0x79, 0x02, 0x04, 0x03];
        self.extension(POISON).is_some()
    }

    /// The content of subjectAltName (RFC 5280, 4.2.1.6) as it stands.
    pub(super) fn subject_alt_name(&self) -> Option<&'a [u8]> {
        self.extension(SUBJECT_ALT_NAME)
    }

    /// The names of every subjectAltName that can be read.
    pub(super) fn subject_alt_names(&self) -> SubjectAltNames {
        let mut names = SubjectAltNames::default();
        for extension in self.extensions().map_while(Result::ok) {
            if extension.oid == SUBJECT_ALT_NAME {
                names.add(extension.value);
            }
        }
        names
    }

    /// How many names it has for name constraints to be compared with: those of subjectAltName, and
    /// the subject.
    pub(crate) fn name_count(&self) -> usize {
        let names = self
            .subject_alt_name()
            .map(|value| Reader::new(value).enter(tag::SEQUENCE));
        let names = names.and_then(Result::ok).map_or(0, count_elements);
        names.saturating_add(1)
    }

    /// How many subtrees its nameConstraints name (RFC 5280, 4.2.1.10).
    pub(crate) fn constraint_count(&self) -> usize {
        const NAME_CONSTRAINTS: &[u8] = &[0x55, 0x1d, 0x1e];
        let value = self.extension(NAME_CONSTRAINTS);
        let content = value.and_then(|value| Reader::new(value).enter(tag::SEQUENCE).ok());
        content.map_or(0, |content| count_constraints(content.content()))
    }

    /// How many extensions there are, up to the first that is not well-formed.
    pub(crate) fn extension_count(&self) -> usize {
        self.extensions().map_while(Result::ok).count()
    }

    /// The algorithm that its signed part names: the content of its AlgorithmIdentifier (RFC 5280,
    /// 4.1.2.3).
    #[cfg(feature = "ocsp")]
    pub(crate) fn signed_algorithm(&self) -> Option<&'a [u8]> {
        let mut certificate = Reader::new(self.der).enter(tag::SEQUENCE).ok()?;
        let mut tbs = certificate.enter(tag::SEQUENCE).ok()?;
        if tbs.peek() == Some(tag::VERSION) {
            tbs.enter(tag::VERSION).ok()?;
        }
        tbs.enter(tag::INTEGER).ok()?; // serialNumber
        Some(tbs.enter(tag::SEQUENCE).ok()?.content())
    }

    /// The purposes of its extended key usage (RFC 5280, 4.2.1.12), the content octets of their
    /// OIDs; none where the extension cannot be read, `None` where there is no such extension.
    #[cfg(feature = "reload")]
    pub(crate) fn extended_key_usage(&self) -> Option<Vec<&'a [u8]>> {
        let value = self.extension(EXTENDED_KEY_USAGE)?;
        Some(purposes(value).unwrap_or_default())
    }

    fn extension(&self, oid: &[u8]) -> Option<&'a [u8]> {
        let mut extensions = self.extensions().map_while(Result::ok);
        extensions.find(|e| e.oid == oid).map(|e| e.value)
    }

    /// The extensions, up to the first that is not well-formed, which is the last that is given.
    pub(crate) fn extensions(
        &self,
    ) -> impl Iterator<Item = Result<Extension<'a>, CertificateParseError>> {
        let list = self.layout.extensions.map(|span| span.of(self.der));
        let mut reader = Reader::new(list.unwrap_or_default());
        std::iter::from_fn(move || {
            if reader.is_at_end() {
                return None;
            }
            let extension = Extension::read(&mut reader);
            if extension.is_err() {
                reader = Reader::new(&[]);
            }
            Some(extension)
        })
    }
}

impl<'a> Extension<'a> {
    fn read(list: &mut Reader<'a>) -> Result<Self, CertificateParseError> {
        let mut extension = list.enter(tag::SEQUENCE)?;
        let oid = extension.enter(tag::OID)?.content();
        let mut is_critical = false;
        if extension.peek() == Some(tag::BOOLEAN) {
            is_critical = extension.enter(tag::BOOLEAN)?.content() != [0];
        }
        let value = extension.enter(tag::OCTET_STRING)?.content();
        Ok(Self {
            oid,
            is_critical,
            value,
        })
    }
}

/// The OIDs of an extended key usage (RFC 5280, 4.2.1.12).
#[cfg(any(feature = "ocsp", feature = "reload"))]
pub(crate) fn purposes(value: &[u8]) -> Option<Vec<&[u8]>> {
    let mut outer = Reader::new(value);
    let mut list = outer.enter(tag::SEQUENCE).ok()?;
    outer.finish().ok()?;
    let mut purposes = Vec::new();
    while !list.is_at_end() {
        purposes.push(list.enter(tag::OID).ok()?.content());
    }
    Some(purposes)
}

/// How many subtrees this content of a `NameConstraints` names, as trust anchors hold it too.
pub(crate) fn count_constraints(content: &[u8]) -> usize {
    let mut lists = Reader::new(content);
    let mut count = 0_usize;
    while let Ok((_, subtrees)) = lists.any() {
        count = count.saturating_add(count_elements(subtrees));
    }
    count
}

fn count_elements(mut list: Reader<'_>) -> usize {
    std::iter::from_fn(|| list.any().ok()).count()
}
