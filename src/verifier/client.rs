//! The wrapper that a TLS server with mutual authentication puts around its verifier of clients.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::client::danger::HandshakeSignatureValid;
use rustls::crypto::CryptoProvider;
use rustls::server::WebPkiClientVerifier;
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::{CommonState, Error, RootCertStore};

use super::accepted::AcceptancePeriod;
use super::accepted_clients::AcceptedClients;
use super::builder::WatchingVerifierBuilder;
use super::counts::HandshakeCounts;
use super::epoch::Epoch;
use super::error::VerifierBuildError;
use super::forward::forward_to_inner;
use super::handshake::HandshakeVerifier;
use super::peer::{ChainFacts, IdentityClaim, Peer};
#[cfg(feature = "json")]
use crate::alert::SavedStateError;
use crate::event::Role;
use crate::outlook::{TrustAnchors, Usage};
use crate::provider;
use crate::time::Timestamp;

/// Wraps any [`ClientCertVerifier`]: every question goes to the inner verifier, whose refusal
/// stands; what it accepts may still be refused by pins, and is told to the observer when it
/// comes near its end. Anonymous clients, where the inner verifier lets them in, stay so: rustls
/// does not ask about them, and pins do not apply.
///
/// rustls resumes sessions without asking any verifier: build the configuration by
/// [`with_watching_client_verifier`](crate::config::ServerConfigBuilderExt::with_watching_client_verifier), or
/// put a [`SessionGuard`](crate::SessionGuard) around its session store and ticketer. Where there are pins and
/// none of these, one event `sessions_unguarded` says so.
///
/// # How does my server learn that a client's certificate is about to expire?
/// ```
/// use std::sync::Arc;
/// use notafter::config::ServerConfigBuilderExt as _;
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
///     .with_watching_client_verifier(&verifier);
/// # Ok(())
/// # }
/// ```
pub struct WatchingClientVerifier {
    inner: Arc<dyn ClientCertVerifier>,
    handshake: HandshakeVerifier,
    /// The name whose pins are the clients'.
    pinned_as: Option<ServerName<'static>>,
    accepted: AcceptedClients,
}

impl WatchingClientVerifier {
    /// Starts to wrap this verifier.
    pub fn builder(
        inner: Arc<dyn ClientCertVerifier>,
    ) -> WatchingVerifierBuilder<dyn ClientCertVerifier> {
        WatchingVerifierBuilder::new(inner)
    }

    /// Starts to wrap rustls's own verifier of clients with certificates of these anchors, by which the
    /// wrapper judges too. The provider is the process's default one, or the only one that rustls was
    /// built with.
    ///
    /// # Errors
    /// [`VerifierBuildError`] where there is no provider, or no anchor.
    pub fn for_anchors(
        anchors: impl Into<Arc<TrustAnchors>>,
    ) -> Result<WatchingVerifierBuilder<dyn ClientCertVerifier>, VerifierBuildError> {
        let provider = provider::given_or_default(None).ok_or(VerifierBuildError::NoProvider)?;
        Self::for_anchors_with_provider(anchors, provider)
    }

    /// Starts to wrap rustls's own verifier of clients with certificates of these anchors, by which the
    /// wrapper judges too, both by this provider.
    ///
    /// # Errors
    /// [`VerifierBuildError::NoTrustAnchors`] where there is no anchor.
    pub fn for_anchors_with_provider(
        anchors: impl Into<Arc<TrustAnchors>>,
        provider: Arc<CryptoProvider>,
    ) -> Result<WatchingVerifierBuilder<dyn ClientCertVerifier>, VerifierBuildError> {
        let anchors = anchors.into();
        let roots = Arc::new(RootCertStore::from(&*anchors));
        let inner = WebPkiClientVerifier::builder_with_provider(roots, Arc::clone(&provider));
        // It fails for no other reason where it is given no lists.
        let inner = inner
            .build()
            .map_err(|_| VerifierBuildError::NoTrustAnchors)?;
        Ok(Self::builder(inner)
            .with_provider(provider)
            .with_trust_anchors(anchors))
    }

    /// Judges the peer of a connection again, as of `now`. rustls never asks a verifier about a
    /// resumed connection, so a server that must not let a client in after a pin change or after
    /// its chain's end asks here, after the handshake. Nobody is told.
    ///
    /// A connection without client certificates passes where the inner verifier lets anonymous
    /// clients in.
    ///
    /// # Errors
    /// The refusal that a handshake with this peer would meet now.
    pub fn recheck(&self, connection: &CommonState, now: Timestamp) -> Result<(), Error> {
        let chain = connection.peer_certificates().unwrap_or_default();
        let Some((leaf, intermediates)) = chain.split_first() else {
            return match self.inner.client_auth_mandatory() {
                true => Err(Error::NoCertificatesPresented),
                false => Ok(()),
            };
        };
        let at = now.to_unix_time().ok_or(Error::FailedToGetCurrentTime)?;
        self.verify_again(&self.peer(leaf, intermediates, at))
            .map(drop)
    }

    /// From now on, remembers the clients that it accepts.
    pub(crate) fn remember_accepted(&self) {
        self.accepted.keep();
    }

    /// The epoch of the pins and of the trust in force.
    pub(crate) fn epoch(&self) -> Epoch {
        self.handshake.epoch()
    }

    /// The epoch in which the client with this leaf last proved itself; `None` where that is not
    /// known.
    pub(crate) fn epoch_of_proof(&self, leaf: &CertificateDer<'_>) -> Option<Epoch> {
        self.accepted.epoch_of(leaf)
    }

    /// Whether a client would be let in with this chain now, and not only within a grace. The inner
    /// verifier was asked a minute ago at the most.
    pub(crate) fn session_passes(
        &self,
        leaf: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        now: Timestamp,
    ) -> bool {
        let Some(at) = now.to_unix_time() else {
            return false;
        };
        let peer = self.peer(leaf, intermediates, at);
        if self.accepted.holds(&peer, self.epoch()) {
            return true;
        }
        match self.verify_again(&peer) {
            Ok(period) if !period.is_within_grace => {
                self.accepted.renew(&peer, period);
                true
            }
            _ => false,
        }
    }

    fn verify_again(&self, peer: &Peer<'_>) -> Result<AcceptancePeriod, Error> {
        self.handshake
            .verify_again(peer, &|intermediates, at| self.ask(peer, intermediates, at))
    }

    /// The inner verifier's answer.
    fn ask(
        &self,
        peer: &Peer<'_>,
        intermediates: &[CertificateDer<'_>],
        at: UnixTime,
    ) -> Result<(), Error> {
        self.inner
            .verify_client_cert(peer.leaf, intermediates, at)
            .map(drop)
    }

    /// Tells of and remembers a client that proved itself.
    fn signature_checked(
        &self,
        leaf: &CertificateDer<'_>,
        checked: &Result<HandshakeSignatureValid, Error>,
    ) {
        if let Some(proven) = self.handshake.signature_checked(leaf, checked) {
            if !self.accepted.is_kept() {
                self.handshake.sessions_are_unguarded(&proven);
            }
            self.accepted.record(&proven.peer, proven.period);
        }
    }

    fn peer<'p>(
        &'p self,
        leaf: &'p CertificateDer<'p>,
        intermediates: &'p [CertificateDer<'p>],
        now: UnixTime,
    ) -> Peer<'p> {
        Peer {
            host: None,
            identities: self.handshake.identities.as_ref(),
            pinned_as: self.pinned_as.as_ref(),
            leaf,
            intermediates,
            // Clients do not staple in rustls 0.23.
            staple: &[],
            raw: self.inner.requires_raw_public_keys(),
            now,
            facts: ChainFacts::default(),
            claim: IdentityClaim::default(),
        }
    }

    /// How many handshakes were accepted and refused so far, by reason.
    pub fn handshakes(&self) -> HandshakeCounts {
        self.handshake.counts.now()
    }

    /// Counts how many times an observer panicked instead of observing.
    pub fn observer_panics(&self) -> u64 {
        self.handshake.events.panics()
    }

    /// Counts the events that were dropped because an observer's queue was full.
    pub fn events_lost(&self) -> u64 {
        self.handshake.events.lost()
    }

    /// Counts the matters of peers that were forgotten for lack of room (those that were ok first); they
    /// are told as if new.
    pub fn peer_evictions(&self) -> u64 {
        self.handshake.events.evictions()
    }

    /// Writes down what was told of peers so far, to be restored after a restart.
    #[cfg(feature = "json")]
    pub fn save(&self) -> String {
        self.handshake.events.save()
    }

    /// Goes on where `save` was called before a restart: what was told is not told again before
    /// its time.
    ///
    /// # Errors
    /// [`SavedStateError`] where the text is not what `save` wrote; then nothing of it is used.
    #[cfg(feature = "json")]
    pub fn restore(&self, saved: &str) -> Result<(), SavedStateError> {
        self.handshake.events.restore(saved)
    }

    /// Tells of the peers that were only counted so far, then waits until the observers have seen
    /// everything, at most so long for each; says whether they have.
    pub fn flush_events(&self, patience: Duration) -> bool {
        self.handshake.flush(patience)
    }
}

impl ClientCertVerifier for WatchingClientVerifier {
    fn verify_client_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        let peer = self.peer(end_entity, intermediates, now);
        let ask = |intermediates: &[CertificateDer<'_>], at| self.ask(&peer, intermediates, at);
        // Each handshake is waited for, so that the signature that comes is not taken for another's.
        self.handshake.verify(&peer, &ask, || false)?;
        Ok(ClientCertVerified::assertion())
    }

    forward_to_inner!(ClientCertVerifier);
}

impl WatchingVerifierBuilder<dyn ClientCertVerifier> {
    /// Takes the pins of this name for those of the clients, which have none of their own. Without
    /// it, the set that is for every peer counts. Where clients are known by identities, pins for
    /// those come first.
    pub fn with_clients_pinned_as(mut self, name: ServerName<'static>) -> Self {
        self.pinned_as = Some(name);
        self
    }

    /// Builds the wrapper.
    ///
    /// # Errors
    /// [`VerifierBuildError`] where trust anchors were given but are empty, no crypto provider is at
    /// hand to judge by them, or the pins cannot work as given.
    pub fn build(self) -> Result<Arc<WatchingClientVerifier>, VerifierBuildError> {
        let accepted = AcceptedClients::new(self.peer_memory);
        let pinned_as = self.pinned_as.clone();
        let (inner, handshake) = self.into_parts(Role::PeerClient, Usage::ClientAuth)?;
        if let Some(generation) = handshake.generation() {
            let sets = &generation.sets;
            let by_name = match &pinned_as {
                Some(name) => sets.for_server(name),
                None => sets.for_every_peer(),
            };
            // Those for identities are for clients too: without a way to know them, it would not be here.
            if by_name.is_none() && !sets.need_identities() {
                return Err(VerifierBuildError::NoPinsForClients);
            }
        }
        Ok(Arc::new(WatchingClientVerifier {
            inner,
            handshake,
            pinned_as,
            accepted,
        }))
    }
}

impl fmt::Debug for WatchingClientVerifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WatchingClientVerifier")
            .field("inner", &self.inner)
            .field("pins", &self.handshake.pins)
            .finish_non_exhaustive()
    }
}
