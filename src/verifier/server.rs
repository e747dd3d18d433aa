//! The wrapper that a TLS client puts around its verifier of servers.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::{DigitallySignedStruct, DistinguishedName, Error, SignatureScheme};

use super::builder::WatchingVerifierBuilder;
use super::watch::{Peer, Watch};
#[cfg(feature = "json")]
use crate::transition::SavedStateError;

/// Wraps any [`ServerCertVerifier`]: every question goes to the inner verifier, whose refusal
/// stands; what it accepts may still be refused by leaf pins, and is told to the observer when it
/// comes near its end.
///
/// # How does my client learn that a server's certificate is about to expire?
/// ```
/// use std::sync::Arc;
/// use notafter::{Event, TrustAnchors, WatchingServerVerifier};
/// use rustls::client::WebPkiServerVerifier;
/// # fn config(anchors: TrustAnchors) -> Result<rustls::ClientConfig, Box<dyn std::error::Error>> {
/// let provider = Arc::new(rustls::crypto::ring::default_provider());
/// let roots = rustls::RootCertStore::from(&anchors);
/// let inner = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider.clone());
/// let verifier = WatchingServerVerifier::builder(inner.build()?)
///     .with_provider(provider.clone())
///     .with_trust_anchors(anchors)
///     .with_observer(Arc::new(|event: &Event| eprintln!("{event}")))
///     .build()?;
/// let config = rustls::ClientConfig::builder_with_provider(provider)
///     .with_safe_default_protocol_versions()?
///     .dangerous()
///     .with_custom_certificate_verifier(verifier)
///     .with_no_client_auth();
/// # Ok(config)
/// # }
/// ```
pub struct WatchingServerVerifier {
    inner: Arc<dyn ServerCertVerifier>,
    watch: Watch,
}

impl WatchingServerVerifier {
    /// Starts to wrap this verifier.
    pub fn builder(
        inner: Arc<dyn ServerCertVerifier>,
    ) -> WatchingVerifierBuilder<dyn ServerCertVerifier> {
        WatchingVerifierBuilder::new(inner)
    }

    pub(super) fn new(inner: Arc<dyn ServerCertVerifier>, watch: Watch) -> Self {
        Self { inner, watch }
    }

    /// How many times an observer panicked instead of observing.
    pub fn observer_panics(&self) -> u64 {
        self.watch.delivery.panics()
    }

    /// How many events were dropped because an observer's queue was full.
    pub fn events_lost(&self) -> u64 {
        self.watch.delivery.lost()
    }

    /// How many matters of peers were forgotten for lack of room (those that were ok first); they
    /// are told as if new.
    pub fn peer_evictions(&self) -> u64 {
        self.watch.memory.evictions()
    }

    /// What was told of peers so far, to be restored after a restart.
    #[cfg(feature = "json")]
    pub fn save(&self) -> String {
        self.watch.memory.save()
    }

    /// Goes on where `save` was called before a restart: what was told is not told again before
    /// its time.
    ///
    /// # Errors
    /// [`SavedStateError`] where the text is not what `save` wrote; then nothing of it is used.
    #[cfg(feature = "json")]
    pub fn restore(&self, saved: &str) -> Result<(), SavedStateError> {
        self.watch.memory.restore(saved)
    }

    /// Waits until the observers have seen everything that was told so far, at most so long for
    /// each; says whether they have.
    pub fn flush_events(&self, patience: Duration) -> bool {
        self.watch.delivery.flush(patience)
    }
}

impl ServerCertVerifier for WatchingServerVerifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let verdict = self.inner.verify_server_cert(
            end_entity,
            intermediates,
            server_name,
            ocsp_response,
            now,
        );
        let host = server_name.to_str();
        let peer = Peer {
            host: Some(&host),
            leaf: end_entity,
            intermediates,
            staple: ocsp_response,
            raw: self.inner.requires_raw_public_keys(),
            now,
        };
        match verdict {
            Ok(verified) => self.watch.accepted(peer).map(|()| verified),
            Err(error) => {
                self.watch.refused(peer, &error);
                Err(error)
            }
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.inner.verify_tls12_signature(message, cert, dss)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.inner.verify_tls13_signature(message, cert, dss)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.inner.supported_verify_schemes()
    }

    fn requires_raw_public_keys(&self) -> bool {
        self.inner.requires_raw_public_keys()
    }

    fn root_hint_subjects(&self) -> Option<&[DistinguishedName]> {
        self.inner.root_hint_subjects()
    }
}

impl fmt::Debug for WatchingServerVerifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WatchingServerVerifier")
            .field("inner", &self.inner)
            .field("pins", &self.watch.pins)
            .finish_non_exhaustive()
    }
}
