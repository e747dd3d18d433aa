//! The wrapper that a TLS client puts around its verifier of servers.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::CryptoProvider;
use rustls::{CommonState, Error, RootCertStore};

use super::accepted::{AcceptancePeriod, AcceptedChain, AcceptedServers};
use super::builder::WatchingVerifierBuilder;
use super::counts::HandshakeCounts;
use super::epoch::Epoch;
use super::error::VerifierBuildError;
use super::forward::forward_to_inner;
use super::handshake::HandshakeVerifier;
use super::peer::{ChainFacts, IdentityClaim, Peer};
#[cfg(feature = "ocsp")]
use super::staple::StapleRule;
#[cfg(feature = "json")]
use crate::alert::SavedStateError;
use crate::event::Role;
use crate::outlook::{TrustAnchors, Usage};
use crate::provider;
#[cfg(feature = "ocsp")]
use crate::revocation::StapleJudge;
use crate::time::Timestamp;

/// Wraps any [`ServerCertVerifier`]: every question goes to the inner verifier, whose refusal
/// stands; what it accepts may still be refused by pins and staples, and is told to the observer
/// when it comes near its end. (One relaxation can be asked for: [`PinnedGrace`](crate::verifier::PinnedGrace).)
///
/// rustls resumes sessions without asking any verifier: build the configuration by
/// [`with_watching_verifier`](crate::config::ClientConfigBuilderExt::with_watching_verifier), put a
/// [`SessionGuard`](crate::SessionGuard) around the session store, or use
/// [`PinnedClientConfigs`](crate::PinnedClientConfigs). Where there are pins and none of these, one event
/// `sessions_unguarded` says so.
///
/// # How does my client learn that a server's certificate is about to expire?
/// ```
/// use std::sync::Arc;
/// use notafter::config::ClientConfigBuilderExt as _;
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
///     .with_watching_verifier(&verifier)
///     .with_no_client_auth();
/// # Ok(config)
/// # }
/// ```
pub struct WatchingServerVerifier {
    inner: Arc<dyn ServerCertVerifier>,
    handshake: Arc<HandshakeVerifier>,
    accepted: AcceptedServers,
}

impl WatchingServerVerifier {
    /// Starts to wrap this verifier.
    pub fn builder(
        inner: Arc<dyn ServerCertVerifier>,
    ) -> WatchingVerifierBuilder<dyn ServerCertVerifier> {
        WatchingVerifierBuilder::new(inner)
    }

    /// Starts to wrap rustls's own verifier of these anchors, by which the wrapper judges too. The
    /// provider is the process's default one, or the only one that rustls was built with.
    ///
    /// # Errors
    /// [`VerifierBuildError`] where there is no provider, or no anchor.
    pub fn for_anchors(
        anchors: impl Into<Arc<TrustAnchors>>,
    ) -> Result<WatchingVerifierBuilder<dyn ServerCertVerifier>, VerifierBuildError> {
        let provider = provider::given_or_default(None).ok_or(VerifierBuildError::NoProvider)?;
        Self::for_anchors_with_provider(anchors, provider)
    }

    /// Starts to wrap rustls's own verifier of these anchors, by which the wrapper judges too, both by
    /// this provider.
    ///
    /// # Errors
    /// [`VerifierBuildError::NoTrustAnchors`] where there is no anchor.
    pub fn for_anchors_with_provider(
        anchors: impl Into<Arc<TrustAnchors>>,
        provider: Arc<CryptoProvider>,
    ) -> Result<WatchingVerifierBuilder<dyn ServerCertVerifier>, VerifierBuildError> {
        let anchors = anchors.into();
        let roots = Arc::new(RootCertStore::from(&*anchors));
        let inner = WebPkiServerVerifier::builder_with_provider(roots, Arc::clone(&provider));
        // It fails for no other reason where it is given no lists.
        let inner = inner
            .build()
            .map_err(|_| VerifierBuildError::NoTrustAnchors)?;
        Ok(Self::builder(inner)
            .with_provider(provider)
            .with_trust_anchors(anchors))
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

    /// Makes the same verifier in another allocation, with nothing accepted yet. rustls resumes only
    /// sessions of a verifier at the same address, so none of before are resumed with it; what was
    /// told is not told again.
    pub fn renewed(&self) -> Arc<Self> {
        Arc::new(Self {
            inner: Arc::clone(&self.inner),
            handshake: Arc::clone(&self.handshake),
            accepted: self.accepted.emptied(),
        })
    }

    /// Judges the peer of a connection again, as of `now`: for resumed connections, which no
    /// verifier was asked about, and for those that stay open for long. Nobody is told.
    ///
    /// # Errors
    /// The refusal that a handshake with this peer would meet now; also where the connection
    /// knows no certificates of its peer, and where staples decide and none is remembered.
    ///
    /// # May this pooled connection still be used?
    /// ```
    /// # use rustls::pki_types::{ServerName, UnixTime};
    /// # fn may_be_used(
    /// #     verifier: &notafter::WatchingServerVerifier,
    /// #     connection: &rustls::ClientConnection,
    /// #     name: &ServerName<'_>,
    /// #     now: UnixTime,
    /// # ) -> bool {
    /// verifier.recheck(connection, name, now.into()).is_ok()
    /// # }
    /// ```
    pub fn recheck(
        &self,
        connection: &CommonState,
        server_name: &ServerName<'_>,
        now: Timestamp,
    ) -> Result<(), Error> {
        let chain = connection.peer_certificates().unwrap_or_default();
        let (leaf, intermediates) = chain.split_first().ok_or(Error::NoCertificatesPresented)?;
        let host = server_name.to_str();
        let at = now.to_unix_time().ok_or(Error::FailedToGetCurrentTime)?;
        let accepted = self.accepted.of(&host).map(|accepted| accepted.chains);
        let mut accepted = accepted.iter().flatten();
        let same = accepted.find(|chain| chain.peer.presented(leaf, intermediates));
        let staple = same.map_or(&[][..], |chain| chain.peer.staple());
        let peer = Peer {
            staple,
            ..self.peer(leaf, intermediates, server_name, &host, at)
        };
        self.verify_again(&peer, server_name).map(drop)
    }

    /// Whether sessions under this name may be resumed at `now`: all of them began in this epoch,
    /// and every chain accepted under it so far passes. False where that cannot be known.
    pub(crate) fn sessions_pass(&self, server_name: &ServerName<'_>, now: Timestamp) -> bool {
        let host = server_name.to_str();
        let Some(accepted) = self.accepted.of(&host) else {
            return false;
        };
        let epoch = self.handshake.epoch();
        let passes = |chain: &AcceptedChain| {
            chain.period.holds(epoch, now) || self.passes_again(chain, server_name, now)
        };
        let all_pass = accepted.epoch == epoch && accepted.chains.iter().all(passes);
        if !all_pass {
            self.accepted.bar(&host);
        }
        all_pass
    }

    fn passes_again(
        &self,
        chain: &AcceptedChain,
        server_name: &ServerName<'_>,
        now: Timestamp,
    ) -> bool {
        if chain.period.is_within_grace {
            return false;
        }
        let Some(at) = now.to_unix_time() else {
            return false;
        };
        match self.verify_again(&chain.peer.met_at(at), server_name) {
            Ok(period) if !period.is_within_grace => {
                self.accepted.renew(&chain.peer, period);
                true
            }
            _ => false,
        }
    }

    /// From now on, remembers what it accepts for the sake of sessions.
    pub(crate) fn remember_accepted(&self) {
        self.accepted.keep();
    }

    /// Another answer than before once sessions of before must not be resumed.
    pub(crate) fn session_epoch(&self) -> (Epoch, u64) {
        (self.handshake.epoch(), self.accepted.ended())
    }

    fn verify_again(
        &self,
        peer: &Peer<'_>,
        server_name: &ServerName<'_>,
    ) -> Result<AcceptancePeriod, Error> {
        self.handshake.verify_again(peer, &|intermediates, at| {
            self.ask(peer, intermediates, server_name, at)
        })
    }

    /// The inner verifier's answer.
    fn ask(
        &self,
        peer: &Peer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        at: UnixTime,
    ) -> Result<(), Error> {
        self.inner
            .verify_server_cert(peer.leaf, intermediates, server_name, peer.staple, at)
            .map(drop)
    }

    /// Tells of and remembers a server that proved itself.
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
        server_name: &'p ServerName<'p>,
        host: &'p str,
        now: UnixTime,
    ) -> Peer<'p> {
        Peer {
            host: Some(host),
            identities: self.handshake.identities.as_ref(),
            pinned_as: Some(server_name),
            leaf,
            intermediates,
            staple: &[],
            raw: self.inner.requires_raw_public_keys(),
            now,
            facts: ChainFacts::default(),
            claim: IdentityClaim::default(),
        }
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
        let host = server_name.to_str();
        let peer = Peer {
            staple: ocsp_response,
            ..self.peer(end_entity, intermediates, server_name, &host, now)
        };
        let ask = |intermediates: &[CertificateDer<'_>], at| {
            self.ask(&peer, intermediates, server_name, at)
        };
        let sessions_know = || self.accepted.needs_nothing_of(&peer);
        self.handshake.verify(&peer, &ask, sessions_know)?;
        Ok(ServerCertVerified::assertion())
    }

    forward_to_inner!(ServerCertVerifier);
}

#[cfg(feature = "ocsp")]
impl WatchingVerifierBuilder<dyn ServerCertVerifier> {
    /// Lets stapled OCSP responses decide about handshakes; by default they are only observed.
    /// The issuer's key is taken from the trust anchors given here or from what the server sent.
    pub const fn with_staple_rule(mut self, rule: StapleRule) -> Self {
        self.staple_rule = rule;
        self
    }

    /// Judges staples by other bounds on age and clock skew than the default ones.
    pub fn with_staple_judge(mut self, judge: StapleJudge) -> Self {
        self.staple_judge = judge;
        self
    }
}

impl WatchingVerifierBuilder<dyn ServerCertVerifier> {
    /// Builds the wrapper.
    ///
    /// # Errors
    /// [`VerifierBuildError`] where trust anchors were given but are empty, no crypto provider is at
    /// hand to judge by them, or the pins cannot work as given.
    pub fn build(self) -> Result<Arc<WatchingServerVerifier>, VerifierBuildError> {
        let accepted = AcceptedServers::new(self.peer_memory);
        let (inner, handshake) = self.into_parts(Role::PeerServer, Usage::ServerAuth)?;
        Ok(Arc::new(WatchingServerVerifier {
            inner,
            handshake: Arc::new(handshake),
            accepted,
        }))
    }
}

impl fmt::Debug for WatchingServerVerifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WatchingServerVerifier")
            .field("inner", &self.inner)
            .field("pins", &self.handshake.pins)
            .finish_non_exhaustive()
    }
}
