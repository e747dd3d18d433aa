//! A certificate that owns its bytes.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use base64_simd::URL_SAFE_NO_PAD;
use pki_types::CertificateDer;

use super::digest::Sha256Digest;
use super::layout::Layout;
#[cfg(feature = "details")]
use super::{CertificateDetails, DetailsError};
use super::{
    CertificateFacts, CertificateParseError, NextRootKey, NextRootKeyError, SctList, SctParseError,
    SubjectAltNames, alt_names, name,
};
use crate::time::{Timestamp, Validity};

/// One X.509 certificate with its bytes; cheap to clone.
///
/// # What does this certificate say?
/// ```
/// use notafter::Certificate;
/// # use notafter::source::SourceContents;
/// # let pem = include_bytes!("../../tests/data/incidents/dst-root-x3-2021/certs/leaf.pem");
/// # let contents = SourceContents::from_bytes("", pem);
/// # let der = contents.certificates[0].certificate.der().as_ref();
/// let certificate = Certificate::from_der(der)?;
/// assert_eq!(certificate.not_after().to_string(), "2021-12-27T14:46:27Z");
/// assert_eq!(certificate.issuer(), "C=US, O=Let's Encrypt, CN=R3");
/// assert_eq!(certificate.short_name(), "corti.li");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct Certificate {
    der: Arc<CertificateDer<'static>>,
    layout: Layout,
}

impl Certificate {
    /// Takes the DER bytes of exactly one certificate; slices are copied, vectors and
    /// `CertificateDer<'static>` are kept.
    ///
    /// # Errors
    /// [`CertificateParseError`] with the byte offset where the bytes stop being a certificate.
    pub fn from_der(der: impl CertificateBytes) -> Result<Self, CertificateParseError> {
        let der = der.into_certificate_der();
        let layout = CertificateFacts::parse(&der)?.layout();
        Ok(Self {
            der: Arc::new(der),
            layout,
        })
    }

    /// Copies the bytes that these facts were read from.
    pub(crate) fn from_facts(facts: CertificateFacts<'_>) -> Self {
        Self {
            layout: facts.layout(),
            der: Arc::new(CertificateDer::from(facts.der().to_vec())),
        }
    }

    /// The same certificate as borrowed facts.
    pub fn facts(&self) -> CertificateFacts<'_> {
        CertificateFacts::from_parts(&self.der, self.layout)
    }

    /// The whole certificate, as rustls and webpki take it.
    pub fn der(&self) -> &CertificateDer<'static> {
        &self.der
    }

    /// notBefore and notAfter (RFC 5280, 4.1.2.5).
    pub fn validity(&self) -> Validity {
        self.layout.validity
    }

    /// The first second at which it is valid.
    pub fn not_before(&self) -> Timestamp {
        self.layout.validity.not_before
    }

    /// The last second at which it is valid.
    pub fn not_after(&self) -> Timestamp {
        self.layout.validity.not_after
    }

    /// `not_after - not_before`; zero where it states its end before its start.
    pub fn lifetime(&self) -> Duration {
        self.layout.validity.lifetime()
    }

    /// The subject for people: `C=US, O=Internet Security Research Group, CN=ISRG Root X1`.
    pub fn subject(&self) -> String {
        self.facts().subject()
    }

    /// The issuer for people.
    pub fn issuer(&self) -> String {
        self.facts().issuer()
    }

    /// What people call it: the common name, else the first name of subjectAltName, else the
    /// whole subject, else its fingerprint. At most 128 characters.
    pub fn short_name(&self) -> String {
        let subject = || Some(self.subject()).filter(|subject| !subject.is_empty());
        name::common_name(self.facts().subject_der())
            .or_else(|| alt_names::first(self.facts().subject_alt_name()?))
            .or_else(subject)
            .map_or_else(|| format!("sha256 {}", self.fingerprint()), brief)
    }

    /// What people call its issuer: the common name, else the whole name. At most 128 characters.
    pub fn issuer_short_name(&self) -> String {
        brief(name::common_name(self.facts().issuer_der()).unwrap_or_else(|| self.issuer()))
    }

    /// The names of its subjectAltName (RFC 5280, 4.2.1.6); none where it has no such extension, or
    /// one that cannot be read.
    ///
    /// # Which names does this certificate have?
    /// ```
    /// # use notafter::source::SourceContents;
    /// # let pem = include_bytes!("../../tests/data/incidents/dst-root-x3-2021/certs/leaf.pem");
    /// # let contents = SourceContents::from_bytes("", pem);
    /// # let certificate = &contents.certificates[0].certificate;
    /// let names = certificate.subject_alt_names();
    /// assert!(names.dns.contains(&"corti.li".to_owned()));
    /// ```
    pub fn subject_alt_names(&self) -> SubjectAltNames {
        self.facts().subject_alt_names()
    }

    /// The signed certificate timestamps that it embeds (RFC 6962, 3.3), as they claim it; none where it has
    /// no such extension.
    ///
    /// # Errors
    /// [`SctParseError`] where the extension holds no list of them; all else of the certificate counts.
    pub fn embedded_scts(&self) -> Result<SctList, SctParseError> {
        self.facts().embedded_scts()
    }

    /// Whether it is a precertificate, which CAs hand to logs and nobody may accept (RFC 6962, 3.1).
    pub fn is_precertificate(&self) -> bool {
        self.facts().is_precertificate()
    }

    /// The serial number's content octets in lower-case hexadecimal, as they stand in the bytes
    /// (a leading `00` belongs to a positive number whose first bit is set).
    pub fn serial_hex(&self) -> String {
        base16ct::lower::encode_string(self.facts().serial())
    }

    /// SHA-256 over the whole certificate.
    pub fn fingerprint(&self) -> Sha256Digest {
        Sha256Digest::of(&self.der)
    }

    /// SHA-256 over the SubjectPublicKeyInfo with its outer SEQUENCE (RFC 7469, 2.4).
    pub fn spki_sha256(&self) -> Sha256Digest {
        Sha256Digest::of(self.facts().spki_der())
    }

    /// Whether basicConstraints says cA (RFC 5280, 4.2.1.9).
    pub fn is_ca(&self) -> bool {
        self.facts().is_ca()
    }

    /// Whether issuer and subject are the same name.
    pub fn is_self_issued(&self) -> bool {
        self.facts().is_self_issued()
    }

    /// The hash of the key that will follow this root's own (RFC 8649): a claim, until the certificate's
    /// signature by its own key, and that key, are known to be right. `None` where it states none.
    ///
    /// Whether the extension is critical decides nothing here (the RFC wants it not to be).
    ///
    /// # Errors
    /// [`NextRootKeyError`] where it has the extension, and states no key that can be relied on.
    pub fn next_root_key(&self) -> Result<Option<NextRootKey>, NextRootKeyError> {
        self.facts().next_root_key()
    }

    /// The certificate's identifier for ACME Renewal Information (RFC 9773, 4.1): the base64url
    /// of the authority key identifier, a dot, the base64url of the serial number. `None` where
    /// the certificate has no authority key identifier.
    pub fn ari_cert_id(&self) -> Option<String> {
        let facts = self.facts();
        let key_id = URL_SAFE_NO_PAD.encode_to_string(facts.authority_key_id()?);
        Some(format!(
            "{key_id}.{}",
            URL_SAFE_NO_PAD.encode_to_string(facts.serial())
        ))
    }

    /// Everything that needs a full parse, through x509-parser; computed at each call.
    ///
    /// # What kind of key does this certificate have?
    /// ```
    /// use notafter::cert::KeyType;
    /// # use notafter::source::SourceContents;
    /// # let pem = include_bytes!("../../tests/data/incidents/dst-root-x3-2021/certs/leaf.pem");
    /// # let contents = SourceContents::from_bytes("", pem);
    /// # let certificate = &contents.certificates[0].certificate;
    /// let details = certificate.details()?;
    /// assert_eq!((details.key_type, details.key_bits), (KeyType::Rsa, 2048));
    /// # Ok::<(), notafter::cert::DetailsError>(())
    /// ```
    ///
    /// # Errors
    /// [`DetailsError`] where x509-parser refuses the bytes; the facts above still hold.
    #[cfg(feature = "details")]
    pub fn details(&self) -> Result<CertificateDetails, DetailsError> {
        CertificateDetails::parse(&self.facts())
    }
}

/// Anyone can write a name of 60,000 characters into a certificate and so into a log.
fn brief(name: String) -> String {
    const MOST: usize = 128;
    if name.chars().nth(MOST).is_none() {
        return name;
    }
    name.chars().take(MOST - 1).chain(['…']).collect()
}

impl PartialEq for Certificate {
    fn eq(&self, other: &Self) -> bool {
        self.der == other.der
    }
}

impl Eq for Certificate {}

impl fmt::Debug for Certificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Certificate")
            .field("subject", &self.subject())
            .field("not_after", &self.not_after())
            .field("sha256", &self.fingerprint())
            .finish_non_exhaustive()
    }
}

/// What [`Certificate::from_der`] takes: bytes, borrowed or owned, or rustls's certificate type.
pub trait CertificateBytes: sealed::Sealed {
    /// The bytes as an owned certificate.
    fn into_certificate_der(self) -> CertificateDer<'static>;
}

mod sealed {
    pub trait Sealed {}
    impl Sealed for &[u8] {}
    impl Sealed for Vec<u8> {}
    impl Sealed for pki_types::CertificateDer<'_> {}
    impl Sealed for &pki_types::CertificateDer<'_> {}
}

impl CertificateBytes for &[u8] {
    fn into_certificate_der(self) -> CertificateDer<'static> {
        CertificateDer::from(self.to_vec())
    }
}

impl CertificateBytes for Vec<u8> {
    fn into_certificate_der(self) -> CertificateDer<'static> {
        CertificateDer::from(self)
    }
}

impl CertificateBytes for CertificateDer<'_> {
    fn into_certificate_der(self) -> CertificateDer<'static> {
        self.into_owned()
    }
}

impl CertificateBytes for &CertificateDer<'_> {
    fn into_certificate_der(self) -> CertificateDer<'static> {
        self.clone().into_owned()
    }
}
