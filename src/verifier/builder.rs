//! What either wrapper is built from.

use std::fmt;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Duration;

use pki_types::ServerName;
use rustls::crypto::CryptoProvider;

use super::bounds::PresentedBounds;
use super::counts::HandshakeCounters;
use super::error::VerifierBuildError;
use super::events::PeerEvents;
use super::grace::PinnedGrace;
use super::handshake::HandshakeVerifier;
use super::identified::{IdentityRule, UnidentifiedPeers};
use super::judge_in_force::{JudgeInForce, JudgeTerms};
use super::judgement::{MAX_TRUST_AGE_SECONDS, trust_age_seconds};
use super::memory::Memory;
use super::proof::AwaitingProof;
#[cfg(feature = "ocsp")]
use super::staple::{StapleCheck, StapleRule};
use super::unguarded::UnguardedSessions;
use crate::alert::{RepeatPolicy, Transitions};
use crate::event::Role;
use crate::identity::IdentifiesPeers;
#[cfg(feature = "metrics")]
use crate::observer::Publishing;
use crate::observer::{Observer, Outbox};
use crate::outlook::{KnownPeers, TrustAnchors, TrustInForce, Usage};
use crate::pin::{FixedPins, PinSet, PinSetBuilder, PinsInForce, SpkiPin};
use crate::policy::ThresholdPolicy;
use crate::provider;
use crate::revocation::Crls;
#[cfg(feature = "ocsp")]
use crate::revocation::StapleJudge;
use crate::time::Timestamp;

/// How many peers are remembered unless told otherwise.
const DEFAULT_PEER_MEMORY: NonZeroUsize = match NonZeroUsize::new(1024) {
    Some(peers) => peers,
    None => NonZeroUsize::MIN,
};

/// Builds a [`WatchingServerVerifier`](crate::WatchingServerVerifier) or a
/// [`WatchingClientVerifier`](crate::WatchingClientVerifier), by the verifier `V` that
/// it wraps.
#[must_use]
pub struct WatchingVerifierBuilder<V: ?Sized> {
    inner: Arc<V>,
    anchors: Option<Arc<TrustAnchors>>,
    trust: Option<Arc<dyn TrustInForce>>,
    provider: Option<Arc<CryptoProvider>>,
    policy: ThresholdPolicy,
    /// A minute, unless told otherwise.
    trust_age: Option<Duration>,
    known_peers: Option<Arc<KnownPeers>>,
    unguarded: UnguardedSessions,
    /// Leaf pins given one by one.
    leaf_pins: Option<PinSetBuilder>,
    pins: Option<Arc<dyn PinsInForce>>,
    pub(super) pinned_as: Option<ServerName<'static>>,
    identities: Option<Arc<dyn IdentifiesPeers>>,
    unidentified: UnidentifiedPeers,
    grace: Option<PinnedGrace>,
    bounds: PresentedBounds,
    outbox: Outbox,
    repeat: RepeatPolicy,
    pub(super) peer_memory: NonZeroUsize,
    crls: Option<Crls>,
    #[cfg(feature = "metrics")]
    publishing: Publishing,
    #[cfg(feature = "ocsp")]
    pub(super) staple_rule: StapleRule,
    #[cfg(feature = "ocsp")]
    pub(super) staple_judge: StapleJudge,
}

impl<V: ?Sized> WatchingVerifierBuilder<V> {
    pub(super) fn new(inner: Arc<V>) -> Self {
        Self {
            inner,
            anchors: None,
            trust: None,
            provider: None,
            policy: ThresholdPolicy::default(),
            trust_age: None,
            known_peers: None,
            unguarded: UnguardedSessions::default(),
            leaf_pins: None,
            pins: None,
            pinned_as: None,
            identities: None,
            unidentified: UnidentifiedPeers::default(),
            grace: None,
            bounds: PresentedBounds::default(),
            outbox: Outbox::default(),
            repeat: RepeatPolicy::default(),
            peer_memory: DEFAULT_PEER_MEMORY,
            crls: None,
            #[cfg(feature = "metrics")]
            publishing: Publishing::default(),
            #[cfg(feature = "ocsp")]
            staple_rule: StapleRule::default(),
            #[cfg(feature = "ocsp")]
            staple_judge: StapleJudge::default(),
        }
    }

    /// Tells this observer, through a queue of its own unless it is
    /// [prompt](Observer::is_prompt); repeatable. Without any, only pins have an effect.
    pub fn with_observer(mut self, observer: Arc<dyn Observer>) -> Self {
        self.outbox.add(observer);
        self
    }

    /// Judges how long a peer's chain will verify by these anchors, which should be those of the
    /// inner verifier. They decide about a peer only where pins of CAs or anchors do: those are
    /// matched on paths to these anchors. Without them a peer's outlook is "unknown beyond its
    /// leaf".
    pub fn with_trust_anchors(mut self, anchors: impl Into<Arc<TrustAnchors>>) -> Self {
        self.anchors = Some(anchors.into());
        self
    }

    /// Judges how long a peer's chain will verify by these revocation lists too, which should be
    /// those of the inner verifier; no lists say that it has none. They decide about a peer only
    /// where pins of CAs or anchors do, and about a [`PinnedGrace`].
    pub fn with_crls(mut self, crls: Crls) -> Self {
        self.crls = Some(crls);
        self
    }

    /// Follows what the inner verifier rests on where that changes while it runs: peers are judged
    /// by the anchors and lists in force, and what was remembered in another epoch (peers, chains,
    /// sessions) does not count. It stands in for
    /// [`with_trust_anchors`](Self::with_trust_anchors) and [`with_crls`](Self::with_crls).
    pub fn with_trust_in_force(mut self, trust: Arc<dyn TrustInForce>) -> Self {
        self.trust = Some(trust);
        self
    }

    /// Lets what only the inner verifier knows hold for so long, in whole seconds, a minute at the most and
    /// by default: then a session is resumed only once the inner verifier was asked again about the chain
    /// that it rests on. 0 asks every time.
    ///
    /// It is for inner verifiers whose anchors or lists change unseen, such as the platform's: who was
    /// taken out of its store is refused after that time, in full and resumed handshakes. Around a
    /// [`VerdictCache`](crate::verifier::VerdictCache) both ages add up: the cache may answer for its own
    /// before. What says when
    /// it changes ([`with_trust_in_force`](Self::with_trust_in_force)) counts at once, whatever the age.
    /// A wrapper that is there for its sessions alone, without anchors, pins or observer, is built only where
    /// this is said.
    ///
    /// # How soon does my client notice that a root was taken out of the platform's store?
    /// ```
    /// use std::sync::Arc;
    /// use std::time::Duration;
    /// use notafter::WatchingServerVerifier;
    /// use rustls::client::danger::ServerCertVerifier;
    /// # fn wrap(
    /// #     platform: Arc<dyn ServerCertVerifier>,
    /// # ) -> Result<(), notafter::verifier::VerifierBuildError> {
    /// // rustls_platform_verifier::Verifier, for example: full handshakes ask it each time.
    /// let verifier = WatchingServerVerifier::builder(platform)
    ///     .with_trust_age(Duration::from_secs(10)) // and resumed ones after ten seconds
    ///     .build()?;
    /// # Ok(())
    /// # }
    /// ```
    pub const fn with_trust_age(mut self, age: Duration) -> Self {
        self.trust_age = Some(age);
        self
    }

    /// Tells these of every peer that is accepted and proves that it has its key, so that
    /// `ReloadingAnchors` refuse anchors under which nobody would be accepted any more.
    pub fn with_known_peers(mut self, peers: Arc<KnownPeers>) -> Self {
        self.known_peers = Some(peers);
        self
    }

    /// Takes the signature algorithms from this provider instead of the process's default one;
    /// only used with trust anchors.
    pub fn with_provider(mut self, provider: Arc<CryptoProvider>) -> Self {
        self.provider = Some(provider);
        self
    }

    /// Uses other thresholds than the default ones.
    pub const fn with_policy(mut self, policy: ThresholdPolicy) -> Self {
        self.policy = policy;
        self
    }

    /// Accepts only peers whose leaf (or raw public key) has this key; repeatable, any one of the
    /// pins suffices. Pin at least two: the key in use, and one kept offline.
    pub fn with_leaf_pin(self, pin: SpkiPin) -> Self {
        self.with_leaf_pins(|pins| pins.with_current(pin))
    }

    /// Accepts the key that will follow too; repeatable. It is compiled in, so there is no
    /// hold-down; an event tells when a peer first shows it.
    pub fn with_successor_pin(self, pin: SpkiPin) -> Self {
        self.with_leaf_pins(|pins| pins.with_successor(pin))
    }

    /// Accepts the key that will follow from this second on; repeatable.
    pub fn with_successor_pin_from(self, pin: SpkiPin, from: Timestamp) -> Self {
        self.with_leaf_pins(|pins| pins.with_successor_from(pin, from))
    }

    /// Pins peers by this set alone, which does not change.
    pub fn with_pin_set(self, set: PinSet) -> Self {
        self.with_pins(Arc::new(FixedPins::new(set)))
    }

    /// Pins peers by what is in force at each handshake: a `PinStore`, or
    /// [`FixedPins`] of several sets.
    pub fn with_pins(mut self, pins: Arc<dyn PinsInForce>) -> Self {
        self.pins = Some(pins);
        self
    }

    /// Knows peers by what their leaf says that they are, rather than by the name that the connection
    /// was made to: [`SpiffeIdentities`](crate::identity::SpiffeIdentities), or a function of your own.
    /// Two identities behind one name are then two peers.
    ///
    /// - *Pins*: the most specific set that is for its identity counts, else the one for the name, else
    ///   the one for every peer. A set for the identity that only reports, or whose end has opened it, does not
    ///   stand in for one of these that refuses.
    /// - *Events and memories* are of the identity. Before the peer proved that it has its leaf's key, it
    ///   is told of by number, and without `Event::identity`.
    /// - *The outlook* is judged by the anchors of its identity, where
    ///   [`with_trust_in_force`](Self::with_trust_in_force) has some of its own for it.
    /// - *Sessions*: a client's store knows nothing but names, so no session is resumed under one where
    ///   several identities were met.
    ///
    /// The identity is in the words of the leaf, so it is worth what the inner verifier's CAs are: where one of
    /// them may issue any URI, whoever has the key that is pinned for an identity passes under every name
    /// that the inner verifier accepts it for.
    ///
    /// A peer without an identity is refused, unless
    /// [`with_unidentified_peers`](Self::with_unidentified_peers) says otherwise. Which identities may
    /// be spoken to at all is the inner verifier's to say:
    /// [`SpiffeServerVerifier`](crate::verifier::SpiffeServerVerifier) does.
    pub fn with_peer_identity(mut self, identities: Arc<dyn IdentifiesPeers>) -> Self {
        self.identities = Some(identities);
        self
    }

    /// Says what becomes of peers without an identity, where peers are known by identities; they are
    /// refused by default.
    pub const fn with_unidentified_peers(mut self, unidentified: UnidentifiedPeers) -> Self {
        self.unidentified = unidentified;
        self
    }

    /// Lets a pinned peer in for a while after its leaf expired.
    pub const fn with_grace(mut self, grace: PinnedGrace) -> Self {
        self.grace = Some(grace);
        self
    }

    /// Refuses peers that present more than this, before anything is verified, instead of those
    /// over the default bounds.
    pub const fn with_presented_bounds(mut self, bounds: PresentedBounds) -> Self {
        self.bounds = bounds;
        self
    }

    fn with_leaf_pins(mut self, add: impl FnOnce(PinSetBuilder) -> PinSetBuilder) -> Self {
        self.leaf_pins = Some(add(self.leaf_pins.unwrap_or_default()));
        self
    }

    /// Remembers so many peers that proved that they have their key, 1,024 by default, in at most
    /// 16 KiB for each that there is room for: 16 MiB. With a
    /// [`SessionGuard`](crate::SessionGuard) the chains that sessions rest on take as much again,
    /// and a megabyte. A forgotten peer is assessed, and told about, as if new.
    ///
    /// Of peers that have not proven themselves, 4 MiB wait for their signature at the most.
    pub const fn with_peer_memory(mut self, peers: NonZeroUsize) -> Self {
        self.peer_memory = peers;
        self
    }

    /// Says whether it is told that nobody guards the sessions of a wrapper with pins, which it is by default.
    pub const fn with_unguarded_sessions(mut self, rule: UnguardedSessions) -> Self {
        self.unguarded = rule;
        self
    }

    /// Tells again at other intervals than the default ones.
    pub const fn with_repeat(mut self, repeat: RepeatPolicy) -> Self {
        self.repeat = repeat;
        self
    }

    /// Counts handshakes in the `metrics` facade too: `notafter_handshakes_accepted_total` by `role`, and
    /// `notafter_handshakes_refused_total` by `role` and `reason`, each there from the start, at 0. Several
    /// verifiers of one role add to the same counters.
    ///
    /// It uses the recorder that is installed when the wrapper is built: install it first.
    #[cfg(feature = "metrics")]
    pub const fn with_metrics(mut self) -> Self {
        self.publishing = Publishing::On;
        self
    }

    /// Whether there is nothing that a handshake could be refused by, nobody who is told, and no word of the
    /// sessions that it may be there for.
    fn has_nothing_to_do(&self) -> bool {
        #[cfg(feature = "metrics")]
        let counts = self.publishing == Publishing::On;
        #[cfg(not(feature = "metrics"))]
        let counts = false;
        #[cfg(feature = "ocsp")]
        let staples_decide = self.staple_rule != StapleRule::Observe;
        #[cfg(not(feature = "ocsp"))]
        let staples_decide = false;
        let has_trust = self.anchors.is_some() || self.trust.is_some() || self.crls.is_some();
        let has_pins = self.leaf_pins.is_some() || self.pins.is_some() || self.grace.is_some();
        let knows_peers = self.identities.is_some() || self.known_peers.is_some();
        let tells = !self.outbox.is_empty() || counts;
        let guards_sessions = self.trust_age.is_some();
        !(has_trust || has_pins || knows_peers || staples_decide || tells || guards_sessions)
    }

    /// The wrapped verifier, and what goes around it.
    pub(super) fn into_parts(
        self,
        role: Role,
        usage: Usage,
    ) -> Result<(Arc<V>, HandshakeVerifier), VerifierBuildError> {
        if self.has_nothing_to_do() {
            return Err(VerifierBuildError::NothingToDo);
        }
        let pins = match (self.leaf_pins, self.pins) {
            (Some(_), Some(_)) => return Err(VerifierBuildError::PinsTwice),
            (Some(leaf_pins), None) => Some(leaf_pins.build()?.into()),
            (None, pins) => pins,
        };
        match pins.as_ref().map(|pins| pins.generation()) {
            None if self.grace.is_some() => return Err(VerifierBuildError::GraceWithoutPins),
            None => {}
            Some(generation) => {
                let sets = &generation.sets;
                let has_paths = self.anchors.is_some() || self.trust.is_some();
                if !has_paths && sets.iter().any(PinSet::needs_path) {
                    return Err(VerifierBuildError::PinsNeedTrustAnchors);
                }
                if self.identities.is_none() && sets.need_identities() {
                    return Err(VerifierBuildError::PinsNeedPeerIdentity);
                }
            }
        }
        let unidentified = self.unidentified;
        let identities = self.identities.map(|identities| IdentityRule {
            identities,
            unidentified,
        });
        let provider = provider::given_or_default(self.provider);
        let algorithms = provider.map(|p| p.signature_verification_algorithms.all);
        let is_given = self.anchors.is_some() || self.crls.is_some();
        if self.trust.is_some() && is_given {
            return Err(VerifierBuildError::TrustTwice);
        }
        let anchors = match (&self.trust, &self.anchors) {
            (Some(trust), _) => Some(Arc::clone(&trust.generation().anchors)),
            (None, anchors) => anchors.clone(),
        };
        if anchors.as_ref().is_some_and(|anchors| anchors.is_empty()) {
            return Err(VerifierBuildError::NoTrustAnchors);
        }
        if anchors.is_some() && algorithms.is_none() {
            return Err(VerifierBuildError::NoProvider);
        }
        #[cfg(feature = "ocsp")]
        if self.staple_rule != StapleRule::Observe && algorithms.is_none() {
            return Err(VerifierBuildError::NoProvider);
        }
        let trust_age_seconds = match self.trust_age {
            None => MAX_TRUST_AGE_SECONDS,
            Some(age) => {
                let seconds = age.as_secs();
                trust_age_seconds(age).ok_or(VerifierBuildError::TrustAgeTooLong { seconds })?
            }
        };
        let transitions = Transitions::new(self.peer_memory).with_repeat(self.repeat);
        let terms = JudgeTerms {
            usage,
            policy: self.policy,
            trust_age_seconds,
            algorithms,
            #[cfg(feature = "ocsp")]
            staples: StapleCheck {
                rule: self.staple_rule,
                judge: self.staple_judge,
                algorithms,
            },
        };
        let judge = match self.trust {
            Some(trust) => JudgeInForce::following(terms, trust),
            None => JudgeInForce::fixed(terms, anchors, self.crls),
        };
        #[allow(unused_mut)] // It is with the feature `metrics`.
        let mut counts = HandshakeCounters::new(role);
        #[cfg(feature = "metrics")]
        if self.publishing == Publishing::On {
            counts.publish();
        }
        let handshake = HandshakeVerifier {
            judge,
            identities,
            pins,
            grace: self.grace,
            bounds: self.bounds,
            memory: Memory::new(self.peer_memory),
            awaiting: AwaitingProof::new(role),
            events: PeerEvents::new(role, self.policy, self.outbox, transitions),
            known_peers: self.known_peers,
            counts,
            unguarded: self.unguarded,
        };
        Ok((self.inner, handshake))
    }
}

impl<V: ?Sized> fmt::Debug for WatchingVerifierBuilder<V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WatchingVerifierBuilder")
            .field("leaf_pins", &self.leaf_pins)
            .field("pins", &self.pins)
            .field("policy", &self.policy)
            .finish_non_exhaustive()
    }
}
