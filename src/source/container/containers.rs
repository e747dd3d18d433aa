//! Whether containers are opened, and by what.

use pki_types::PrivateKeyDer;

use super::open;
use crate::source::foreign_format::ForeignFormat;
use crate::source::passphrase::Passphrase;
use crate::source::{FailureReason, Place, SourceFailure};

/// Has PKCS#12, PKCS#7 and Java's keystores opened where certificates are looked for, and says by what.
///
/// Read are PKCS#12 (`.p12`, `.pfx`; RFC 7292, and RFC 9579 for PBMAC1) with PBES2 or with the older 3DES, RC2 and
/// RC4, JKS and JCEKS as `keytool` writes them, and the certificates of PKCS#7 (`.p7b`, `.p7c`; RFC 2315), in DER, BER and PEM. Of
/// each the chain of its first key comes first, leaf first; where there is no key, that of the only certificate
/// that is not a CA's. Private keys are told of by their places alone, and not opened.
///
/// What is not encrypted is read without a passphrase too, and then nobody verifies it: whoever can write
/// the file has written its certificates. With one, a file that was not made with this very passphrase
/// gives nothing but a failure ([`WrongPassphrase`](crate::source::FailureReason::WrongPassphrase)); but PKCS#12 may be written
/// without a MAC, and then nobody verifies what is not encrypted in it.
///
/// rustls loads none of these: what is read here is what the application makes PEM or DER of.
///
/// # Which certificates are in this .p12 file, and until when are they good?
/// ```
/// use notafter::Loader;
/// use notafter::source::{Containers, Passphrase};
/// # let folder = tempfile::tempdir()?;
/// # let path = folder.path().join("service.p12");
/// let passphrase = Passphrase::new("changeit");
/// let loader = Loader::new().with_containers(Containers::new().with_passphrase(passphrase));
/// for found in loader.load_file(&path).certificates {
///     println!("{} {}", found.certificate.subject(), found.certificate.not_after());
/// }
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Debug, Clone, Default)]
#[must_use]
pub struct Containers {
    passphrase: Option<Passphrase>,
}

impl Containers {
    /// Opens what needs no passphrase: PKCS#7, the certificates of Java's keystores, and PKCS#12 that is not
    /// encrypted, or is with the empty passphrase.
    pub const fn new() -> Self {
        Self { passphrase: None }
    }

    /// Opens them with this passphrase. Where they have different ones, give all of them:
    /// [`Passphrase::any_of`].
    pub fn with_passphrase(mut self, passphrase: Passphrase) -> Self {
        self.passphrase = Some(passphrase);
        self
    }

    /// The first private key in these bytes of PKCS#12 or of a Java keystore, in PKCS#8. `source` is what the
    /// failure calls them.
    ///
    /// # How do I give rustls what lies in a .p12 file?
    /// ```
    /// use notafter::source::{Containers, Passphrase, SourceContents, SourceFailure};
    /// use rustls::pki_types::{CertificateDer, PrivateKeyDer};
    ///
    /// type Pair = (Vec<CertificateDer<'static>>, PrivateKeyDer<'static>);
    ///
    /// fn pair(bytes: &[u8], passphrase: Passphrase) -> Result<Pair, SourceFailure> {
    ///     let containers = Containers::new().with_passphrase(passphrase);
    ///     let contents = SourceContents::from_bytes_opening("service.p12", bytes, &containers);
    ///     let chain = contents.certificates.iter();
    ///     let chain = chain.map(|found| found.certificate.der().clone());
    ///     Ok((chain.collect(), containers.private_key("service.p12", bytes)?))
    /// }
    /// # let error = pair(&[0x30, 0x05, 0x02, 0x01, 0x03, 0x30, 0x00], Passphrase::new("x")).unwrap_err();
    /// # assert_eq!(error.reason.as_str(), "bad_container");
    /// ```
    ///
    /// # Errors
    /// [`SourceFailure`] where there is none, or it does not open.
    pub fn private_key(
        &self,
        source: &str,
        bytes: &[u8],
    ) -> Result<PrivateKeyDer<'static>, SourceFailure> {
        let Some(format) = ForeignFormat::of(bytes).filter(|format| format.is_container()) else {
            let (reason, detail) = (FailureReason::OtherFormat, "it is no container of a key");
            let failure = SourceFailure::whole(source, reason, detail);
            return Err(failure.with_advice("name a PKCS#12 file or a Java keystore"));
        };
        let key = open::private_key(format, bytes, self.passphrase());
        key.map_err(|fault| open::failure(Place::whole(source), format, fault))
    }

    pub(crate) const fn passphrase(&self) -> Option<&Passphrase> {
        self.passphrase.as_ref()
    }
}
