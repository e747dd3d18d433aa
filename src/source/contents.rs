//! What one source (a file, a folder's file, some bytes) was found to hold.

use std::io::Read;
use std::sync::Arc;

use pki_types::{CertificateDer, PrivateKeyDer};

#[cfg(feature = "containers")]
use super::container::{self, ContainerBlocks, Containers};
use super::foreign_format::ForeignFormat;
#[cfg(feature = "reload")]
use super::passphrase::Passphrase;
use super::scan::{self, CertificateScan, FoundCertificate, OtherBlock, Scanned};
use super::{FailureReason, Place, SourceFailure};
use crate::cert::Certificate;

/// The most failures that are listed of one source. A file of nothing but damaged lines would
/// otherwise take many times its own size.
const MAX_FAILURES: usize = 1_000;

/// By so many bytes it is told what a stream is that holds no certificate.
const START: u64 = 4096;

/// How the DER of a certificate begins: a SEQUENCE.
const DER: u8 = 0x30;

/// What one source holds: certificates in their order, private keys by their places only, and
/// everything that could not be read.
///
/// # What is in this PEM bundle, and what is broken in it?
/// ```
/// use notafter::source::SourceContents;
/// let pem = b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
/// let contents = SourceContents::from_bytes("tls.crt", pem);
/// assert!(contents.certificates.is_empty());
/// assert_eq!(contents.failures[0].reason.as_str(), "bad_der");
/// assert_eq!(contents.failures[0].place.to_string(), "tls.crt, block 1, line 1");
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct SourceContents {
    /// What the source is called: its path, or the name that the caller gave.
    pub source: Arc<str>,
    /// The certificates, in their order.
    pub certificates: Vec<FoundCertificate>,
    /// Where private keys lie; their bytes are never kept.
    pub private_keys: Vec<Place>,
    /// PEM blocks of other kinds.
    pub other_blocks: Vec<OtherBlock>,
    /// What could not be read: the first 1,000, then one that says how many more there are.
    pub failures: Vec<SourceFailure>,
}

impl SourceContents {
    /// Reads PEM (any number of blocks with any text around them) or the DER of one certificate.
    ///
    /// Never fails as a whole: what cannot be read is listed in `failures`, and a source that
    /// holds no certificate says so there.
    pub fn from_bytes(source: impl Into<Arc<str>>, bytes: &[u8]) -> Self {
        let mut contents = Self::empty(source);
        let scan = CertificateScan::new(Arc::clone(&contents.source), bytes);
        if contents.gather(scan) == 0 && bytes.first() == Some(&DER) {
            contents.remember_der(bytes);
        }
        if contents.certificates.is_empty() && contents.failures.is_empty() {
            contents.fail_without_certificate(bytes);
        }
        contents
    }

    /// Reads like [`SourceContents::from_bytes`], and what lies in PKCS#12, PKCS#7 and Java's keystores: see
    /// [`Containers`].
    ///
    /// # Which certificates are in the .p12 that I was given?
    /// ```
    /// use notafter::source::{Containers, Passphrase, SourceContents};
    /// # let bytes = [0x30, 0x05, 0x02, 0x01, 0x03, 0x30, 0x00];
    /// let containers = Containers::new().with_passphrase(Passphrase::new("changeit"));
    /// let contents = SourceContents::from_bytes_opening("service.p12", &bytes, &containers);
    /// assert_eq!(contents.failures[0].reason.as_str(), "bad_container");
    /// ```
    #[cfg(feature = "containers")]
    pub fn from_bytes_opening(
        source: impl Into<Arc<str>>,
        bytes: &[u8],
        containers: &Containers,
    ) -> Self {
        let source = source.into();
        let plain = Self::from_bytes(Arc::clone(&source), bytes);
        let is_other = |failure: &SourceFailure| failure.reason == FailureReason::OtherFormat;
        let container = match plain.failures.iter().any(is_other) {
            true => ForeignFormat::of(bytes).filter(|format| format.is_container()),
            // PEM, whatever stands around it.
            false => None,
        };
        let mut contents = Self::empty(Arc::clone(&source));
        if let Some(format) = container {
            let place = Place::whole(&source);
            let things = container::read(&place, format, bytes, containers.passphrase());
            contents.gather(things.into_iter());
            if contents.certificates.is_empty() && contents.failures.is_empty() {
                let detail = format!("{} holds no certificate", format.name());
                contents.fail(place, FailureReason::NoCertificateFound, detail);
            }
            return contents;
        }
        let is_container = |block: &OtherBlock| ContainerBlocks::is_one(&block.label);
        if !plain.other_blocks.iter().any(is_container) {
            return plain;
        }
        contents.gather(ContainerBlocks::new(source, bytes));
        if contents.certificates.is_empty() && contents.failures.is_empty() {
            contents.fail_without_certificate(bytes);
        }
        contents
    }

    /// Reads what a passphrase was given for: containers too, under the feature for them.
    #[cfg(feature = "reload")]
    pub(crate) fn from_bytes_with(
        source: &str,
        bytes: &[u8],
        passphrase: Option<&Passphrase>,
    ) -> Self {
        #[cfg(feature = "containers")]
        if let Some(passphrase) = passphrase {
            let containers = Containers::new().with_passphrase(passphrase.clone());
            return Self::from_bytes_opening(source, bytes, &containers);
        }
        let _ = passphrase;
        Self::from_bytes(source, bytes)
    }

    /// Reads like [`SourceContents::from_bytes`], but PEM a piece at a time: only what is found is
    /// held. An error of the reader is a failure with the reason [`FailureReason::Io`]; what was
    /// found before it stays.
    pub fn from_reader(source: impl Into<Arc<str>>, mut reader: impl Read) -> Self {
        let source = source.into();
        let mut start = Vec::new();
        let mut begun = reader.by_ref().take(START).read_to_end(&mut start);
        let held = start.first() == Some(&DER);
        if held && begun.is_ok() {
            // DER, or text that begins with a zero: only as a whole can it be told.
            begun = reader.read_to_end(&mut start);
        }
        if let Err(error) = begun {
            return Self::unreadable(&source, FailureReason::Io, error.to_string());
        }
        if held {
            return Self::from_bytes(source, &start);
        }
        let mut contents = Self::empty(source);
        let all = start.as_slice().chain(reader);
        contents.gather(CertificateScan::new(Arc::clone(&contents.source), all));
        if contents.certificates.is_empty() && contents.failures.is_empty() {
            contents.fail_without_certificate(&start);
        }
        contents
    }

    /// Lists what a scan finds; gives how much that was.
    fn gather(&mut self, scan: impl Iterator<Item = Scanned>) -> usize {
        let (mut found, mut unlisted) = (0_usize, 0_usize);
        for scanned in scan {
            found += 1;
            self.list(scanned);
            let last = self.failures.last().map(|failure| failure.reason);
            if self.failures.len() > MAX_FAILURES && last != Some(FailureReason::Io) {
                self.failures.pop();
                unlisted += 1;
            }
        }
        if unlisted > 0 {
            let detail = format!("{unlisted} more blocks are damaged");
            self.fail(Place::whole(&self.source), FailureReason::BadPem, detail);
        }
        // Most sources hold one or two, and are kept.
        self.certificates.shrink_to_fit();
        found
    }

    fn list(&mut self, scanned: Scanned) {
        match scanned {
            Scanned::Certificate(found) => self.certificates.push(found),
            Scanned::PrivateKey(place) => self.private_keys.push(place),
            Scanned::OtherBlock(block) => self.other_blocks.push(block),
            Scanned::Failure(failure) => self.failures.push(failure),
        }
    }

    /// Takes certificates that are in memory already, such as those that an endpoint served.
    pub fn from_certificates<'a, 'b: 'a>(
        source: impl Into<Arc<str>>,
        certificates: impl IntoIterator<Item = &'a CertificateDer<'b>>,
    ) -> Self {
        let mut contents = Self::empty(source);
        for (number, der) in certificates.into_iter().enumerate() {
            let mut place = Place::whole(&contents.source);
            place.block = Some(number + 1);
            contents.certificate(place, der);
        }
        if contents.certificates.is_empty() && contents.failures.is_empty() {
            let detail = "there is no certificate in it".to_owned();
            let place = Place::whole(&contents.source);
            contents.fail(place, FailureReason::NoCertificateFound, detail);
        }
        contents
    }

    /// A source that could not be read at all: an endpoint that does not answer, a file in an
    /// archive. `detail` says what was wrong, in a few words.
    pub fn unreadable(source: &str, reason: FailureReason, detail: impl Into<String>) -> Self {
        Self::failed(SourceFailure::whole(source, reason, detail))
    }

    /// A source of which nothing is known but its name.
    fn empty(source: impl Into<Arc<str>>) -> Self {
        Self {
            source: source.into(),
            certificates: Vec::new(),
            private_keys: Vec::new(),
            other_blocks: Vec::new(),
            failures: Vec::new(),
        }
    }

    pub(crate) fn failed(failure: SourceFailure) -> Self {
        let mut contents = Self::empty(failure.place.source.clone());
        contents.failures.push(failure);
        contents
    }

    /// Whether there is nothing in it that has to do with certificates: a key store has not, which
    /// lies beside them for others.
    pub(crate) fn is_unrelated(&self) -> bool {
        let is_key_store = !self.private_keys.is_empty();
        let unrelated = |failure: &SourceFailure| match failure.reason {
            FailureReason::NoCertificateFound => true,
            FailureReason::OtherFormat => is_key_store,
            _ => false,
        };
        self.certificates.is_empty() && self.failures.iter().all(unrelated)
    }

    fn remember_der(&mut self, bytes: &[u8]) {
        let place = Place::whole(&self.source);
        if let Some(format) = ForeignFormat::of(bytes) {
            self.remember_foreign(format);
            return;
        }
        let parsed = Certificate::from_der(bytes);
        // PKCS#8, PKCS#1 and SEC1 keys are recognized by their outline.
        if parsed.is_err() && PrivateKeyDer::try_from(bytes).is_ok() {
            self.private_keys.push(place);
        } else {
            self.certificate(place, bytes);
        }
    }

    fn certificate(&mut self, place: Place, der: &[u8]) {
        self.list(scan::certificate(place, der));
    }

    fn remember_foreign(&mut self, format: ForeignFormat) {
        let place = Place::whole(&self.source);
        if format.is_key_store() {
            self.private_keys.push(place.clone());
        }
        let detail = format!("{}; {}", format.what(), format.to_certificates());
        self.fail(place, FailureReason::OtherFormat, detail);
    }

    fn fail(&mut self, place: Place, reason: FailureReason, detail: String) {
        self.failures.push(SourceFailure::at(place, reason, detail));
    }

    /// Says what there is instead of a certificate, by all the bytes or the first of them.
    fn fail_without_certificate(&mut self, bytes: &[u8]) {
        if let Some(format) = ForeignFormat::of(bytes).filter(|_| self.other_blocks.is_empty()) {
            self.remember_foreign(format);
            return;
        }
        let first = self.other_blocks.first();
        let (detail, advice) = match first.map(|block| block.label.as_str()) {
            _ if bytes.is_empty() => ("the file is empty".to_owned(), None),
            _ if !self.private_keys.is_empty() => (
                "it holds a private key but no certificate".to_owned(),
                Some("name the certificate's file here, and this one as the key's (`--key FILE`)"),
            ),
            Some(label) => (
                format!(
                    "it holds PEM blocks such as '{label}', which rustls does not load as certificates"
                ),
                advice_for(label),
            ),
            None => (
                "there is no PEM block in it, and it is not DER".to_owned(),
                None,
            ),
        };
        let reason = FailureReason::NoCertificateFound;
        let failure = SourceFailure::whole(&self.source, reason, detail);
        self.failures.push(match advice {
            Some(advice) => failure.with_advice(advice),
            None => failure,
        });
    }
}

/// What to do about a PEM block that is no certificate.
fn advice_for(label: &str) -> Option<&'static str> {
    match label {
        "PKCS7" | "CMS" => Some("to PEM by `openssl pkcs7 -in FILE -print_certs -out FILE.pem`"),
        "TRUSTED CERTIFICATE" | "X509 CERTIFICATE" => {
            Some("to PEM by `openssl x509 -in FILE -out FILE.pem`")
        }
        "CERTIFICATE REQUEST" | "NEW CERTIFICATE REQUEST" => {
            Some("it is a request: put the certificate there that the CA issued for it")
        }
        "X509 CRL" => Some("it is a revocation list: name the certificate's file"),
        "PUBLIC KEY" => Some("it is a public key: name the certificate's file"),
        _ => None,
    }
}
