//! The wrapper that a TLS server with mutual authentication puts around its verifier of clients.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use pki_types::{CertificateDer, UnixTime};
use rustls::client::danger::HandshakeSignatureValid;
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::{DigitallySignedStruct, DistinguishedName, Error, SignatureScheme};

use super::builder::WatchingVerifierBuilder;
use super::watch::{Peer, Watch};
#[cfg(feature = "json")]
use crate::transition::SavedStateError;

/// Wraps any [`ClientCertVerifier`]: every question goes to the inner verifier, whose refusal
/// stands; what it accepts may still be refused by leaf pins, and is told to the observer when it
/// comes near its end. Anonymous clients, where the inner verifier lets them in, stay so: rustls
/// does not ask about them, and pins do not apply.
///
/// # How does my server learn that a client's certificate is about to expire?
/// ```
/// use std::sync::Arc;
/// use notafter::{Event, TrustAnchors, WatchingClientVerifier};
/// use rustls::server::WebPkiClientVerifier;
/// # fn verifier(anchors: TrustAnchors) -> Result<(), Box<dyn std::error::Error>> {
/// let provider = Arc::new(rustls::crypto::ring::default_provider());
/// let roots = rustls::RootCertStore::from(&anchors);
/// let inner = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider.clone());
/// let verifier = WatchingClientVerifier::builder(inner.build()?)
///     .with_provider(provider.clone())
///     .with_trust_anchors(anchors)
///     .with_observer(Arc::new(|event: &Event| eprintln!("{event}")))
///     .build()?;
/// let config = rustls::ServerConfig::builder_with_provider(provider)
///     .with_safe_default_protocol_versions()?
///     .with_client_cert_verifier(verifier);
/// # Ok(())
/// # }
/// ```
pub struct WatchingClientVerifier {
    inner: Arc<dyn ClientCertVerifier>,
    watch: Watch,
}

impl WatchingClientVerifier {
    /// Starts to wrap this verifier.
    pub fn builder(
        inner: Arc<dyn ClientCertVerifier>,
    ) -> WatchingVerifierBuilder<dyn ClientCertVerifier> {
        WatchingVerifierBuilder::new(inner)
    }

    pub(super) fn new(inner: Arc<dyn ClientCertVerifier>, watch: Watch) -> Self {
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

impl ClientCertVerifier for WatchingClientVerifier {
    fn offer_client_auth(&self) -> bool {
        self.inner.offer_client_auth()
    }

    fn client_auth_mandatory(&self) -> bool {
        self.inner.client_auth_mandatory()
    }

    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        self.inner.root_hint_subjects()
    }

    fn verify_client_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        let verdict = self
            .inner
            .verify_client_cert(end_entity, intermediates, now);
        let peer = Peer {
            host: None,
            leaf: end_entity,
            intermediates,
            // Clients do not staple in rustls 0.23.
            staple: &[],
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
}

impl fmt::Debug for WatchingClientVerifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WatchingClientVerifier")
            .field("inner", &self.inner)
            .field("pins", &self.watch.pins)
            .finish_non_exhaustive()
    }
}
