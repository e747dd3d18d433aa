//! The second of the two relaxations: trust in pins alone, without a CA.

use std::fmt;
use std::sync::Arc;

use pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{
    CryptoProvider, WebPkiSupportedAlgorithms, verify_tls12_signature, verify_tls13_signature,
};
use rustls::{CertificateError, DigitallySignedStruct, Error, SignatureScheme};

use super::error::{VerifierBuildError, carried};
use crate::cert::Certificate;
use crate::outlook::ChainJudge;
use crate::pin::{
    self, KeysAbove, PinError, PinMode, PinSet, PinSetStanding, PinVerdict, PinsInForce, ShownKeys,
    SpkiPin,
};
use crate::provider;
use crate::time::Timestamp;

/// Whether the server's certificate must be for the name that the connection is made to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum NameCheck {
    /// It must.
    #[default]
    Required,
    /// Its names are not looked at: the key alone says who it is.
    Skipped,
}

/// Trusts servers by the pin of their leaf's key alone: for self-signed certificates and closed
/// systems. No chain is built, no CA is asked. It replaces a verifier instead of wrapping one, so
/// it is a type of its own; wrap it in a
/// [`WatchingServerVerifier`](crate::WatchingServerVerifier) to be told.
///
/// What is still checked: that the server holds the key (by the handshake's signature), that an
/// accepted leaf pin of the set for this name matches, that now is within the leaf's dates, and,
/// unless told otherwise, that the leaf is for the name. A server without a set is refused. Since
/// nothing else vouches for the server, a set that would fail open fails closed here, and one that
/// only reports enforces.
///
/// # How do I trust one self-signed server, and its next key?
/// ```
/// use std::sync::Arc;
/// use notafter::{PinOnlyVerifier, PinSet, SpkiPin};
/// # fn config(current: SpkiPin, next: SpkiPin) -> Result<(), Box<dyn std::error::Error>> {
/// let provider = Arc::new(rustls::crypto::ring::default_provider());
/// let pins = PinSet::builder().with_current(current).with_successor(next).build()?;
/// let verifier = PinOnlyVerifier::builder(pins.into())
///     .with_provider(provider.clone())
///     .build()?;
/// let config = rustls::ClientConfig::builder_with_provider(provider)
///     .with_safe_default_protocol_versions()?
///     .dangerous()
///     .with_custom_certificate_verifier(verifier)
///     .with_no_client_auth();
/// # Ok(())
/// # }
/// ```
pub struct PinOnlyVerifier {
    pins: Arc<dyn PinsInForce>,
    algorithms: WebPkiSupportedAlgorithms,
    names: NameCheck,
}

/// Builds a [`PinOnlyVerifier`].
#[derive(Debug)]
#[must_use]
pub struct PinOnlyVerifierBuilder {
    pins: Arc<dyn PinsInForce>,
    provider: Option<Arc<CryptoProvider>>,
    names: NameCheck,
}

impl PinOnlyVerifierBuilder {
    /// Takes the signature algorithms from this provider instead of the process's default one.
    pub fn with_provider(mut self, provider: Arc<CryptoProvider>) -> Self {
        self.provider = Some(provider);
        self
    }

    /// Says whether the leaf must be for the name; it must by default.
    pub const fn with_name_check(mut self, names: NameCheck) -> Self {
        self.names = names;
        self
    }

    /// Builds the verifier.
    ///
    /// # Errors
    /// [`VerifierBuildError`] where there is no provider, or a set has pins of CAs or anchors,
    /// which cannot be matched without a verified path, is for identities, or only reports.
    pub fn build(self) -> Result<Arc<PinOnlyVerifier>, VerifierBuildError> {
        let provider =
            provider::given_or_default(self.provider).ok_or(VerifierBuildError::NoProvider)?;
        let generation = self.pins.generation();
        if generation.sets.need_identities() {
            return Err(VerifierBuildError::PinsNeedPeerIdentity);
        }
        for set in generation.sets.iter() {
            if set.needs_path() {
                return Err(VerifierBuildError::PinsNeedTrustAnchors);
            }
            if set.mode() == PinMode::ReportOnly {
                return Err(VerifierBuildError::NothingButReports);
            }
        }
        Ok(Arc::new(PinOnlyVerifier {
            pins: self.pins,
            algorithms: provider.signature_verification_algorithms,
            names: self.names,
        }))
    }
}

impl PinOnlyVerifier {
    /// Starts with these pins: a set, or a store that changes.
    pub fn builder(pins: Arc<dyn PinsInForce>) -> PinOnlyVerifierBuilder {
        PinOnlyVerifierBuilder {
            pins,
            provider: None,
            names: NameCheck::default(),
        }
    }
}

impl ServerCertVerifier for PinOnlyVerifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        _: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let bad = Error::InvalidCertificate;
        let host = server_name.to_str();
        let leaf = Certificate::from_der(end_entity.clone()).map_err(|error| {
            carried(PinError::Unreadable {
                host: Some(host.clone().into_owned()),
                identity: None,
                reason: error.to_string(),
            })
        })?;
        let generation = self.pins.generation();
        let set = generation.sets.for_server(server_name);
        check_pin(set, &leaf, &host, now.into()).map_err(carried)?;
        check_dates(&leaf, now).map_err(bad)?;
        if self.names == NameCheck::Required && ChainJudge::covers(&leaf, server_name).is_err() {
            return Err(bad(CertificateError::NotValidForName));
        }
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, cert, dss, &self.algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, cert, dss, &self.algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}

/// Nothing but pins vouches for the server: without a set it is refused, and a set that would fail
/// open fails closed.
fn check_pin(
    set: Option<&PinSet>,
    leaf: &Certificate,
    host: &str,
    now: Timestamp,
) -> Result<(), PinError> {
    let set = set.ok_or_else(|| PinError::NotPinned {
        host: Some(host.to_owned()),
        identity: None,
    })?;
    if set.standing(now) == PinSetStanding::Open {
        return Err(pin::expired(set, Some(host), None, now));
    }
    let shown = ShownKeys {
        host: Some(host),
        identity: None,
        leaf: Ok(SpkiPin::from_certificate(leaf)),
        above: KeysAbove::Nothing,
    };
    match pin::judge(set, &shown, now) {
        PinVerdict::Matches(_) => Ok(()),
        PinVerdict::Undecided => Err(pin::expired(set, Some(host), None, now)),
        PinVerdict::Refused(error) => Err(error),
    }
}

fn check_dates(leaf: &Certificate, now: UnixTime) -> Result<(), CertificateError> {
    let (not_before, not_after) = (leaf.not_before(), leaf.not_after());
    let time = now;
    // webpki's type has no instants before 1970.
    if Timestamp::from(now) < not_before {
        let context = not_before
            .to_unix_time()
            .map(|not_before| CertificateError::NotValidYetContext { time, not_before });
        return Err(context.unwrap_or(CertificateError::NotValidYet));
    }
    if not_after < Timestamp::from(now) {
        let context = not_after
            .to_unix_time()
            .map(|not_after| CertificateError::ExpiredContext { time, not_after });
        return Err(context.unwrap_or(CertificateError::Expired));
    }
    Ok(())
}

impl fmt::Debug for PinOnlyVerifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PinOnlyVerifier")
            .field("pins", &self.pins)
            .field("names", &self.names)
            .finish_non_exhaustive()
    }
}
