//! Building either wrapper.

use std::fmt;
use std::num::NonZeroUsize;
use std::sync::Arc;

use rustls::client::danger::ServerCertVerifier;
use rustls::crypto::CryptoProvider;
use rustls::server::danger::ClientCertVerifier;
use thiserror::Error;

use super::memory::Memory;
#[cfg(feature = "ocsp")]
use super::staple::{StapleRule, StapleWatch};
use super::watch::Watch;
use super::{WatchingClientVerifier, WatchingServerVerifier};
use crate::delivery::Outbox;
use crate::event::Role;
use crate::observer::Observer;
use crate::outlook::{ChainJudge, TrustAnchors, Usage};
use crate::pin::SpkiPin;
use crate::policy::ThresholdPolicy;
use crate::revocation::Crls;
#[cfg(feature = "ocsp")]
use crate::revocation::StapleJudge;
use crate::transition::RepeatPolicy;

/// How many peers are remembered unless told otherwise.
const DEFAULT_PEER_MEMORY: NonZeroUsize = match NonZeroUsize::new(1024) {
    Some(peers) => peers,
    None => NonZeroUsize::MIN,
};

/// Builds a [`WatchingServerVerifier`] or a [`WatchingClientVerifier`], by the verifier `V` that
/// it wraps.
#[must_use]
pub struct WatchingVerifierBuilder<V: ?Sized> {
    inner: Arc<V>,
    anchors: Option<Arc<TrustAnchors>>,
    provider: Option<Arc<CryptoProvider>>,
    policy: ThresholdPolicy,
    pins: Vec<SpkiPin>,
    delivery: Outbox,
    repeat: RepeatPolicy,
    peer_memory: NonZeroUsize,
    crls: Crls,
    #[cfg(feature = "ocsp")]
    staple_rule: StapleRule,
    #[cfg(feature = "ocsp")]
    staple_judge: StapleJudge,
}

impl<V: ?Sized> WatchingVerifierBuilder<V> {
    pub(super) fn new(inner: Arc<V>) -> Self {
        Self {
            inner,
            anchors: None,
            provider: None,
            policy: ThresholdPolicy::default(),
            pins: Vec::new(),
            delivery: Outbox::default(),
            repeat: RepeatPolicy::default(),
            peer_memory: DEFAULT_PEER_MEMORY,
            crls: Crls::default(),
            #[cfg(feature = "ocsp")]
            staple_rule: StapleRule::default(),
            #[cfg(feature = "ocsp")]
            staple_judge: StapleJudge::default(),
        }
    }

    /// Tells this observer, through a queue of its own unless it is
    /// [prompt](Observer::is_prompt); repeatable. Without any, only pins have an effect.
    pub fn with_observer(mut self, observer: Arc<dyn Observer>) -> Self {
        self.delivery.add(observer);
        self
    }

    /// Judges how long a peer's chain will verify by these anchors, which should be those of the
    /// inner verifier. They never decide about the peer. Without them a peer's outlook is
    /// "unknown beyond its leaf".
    pub fn with_trust_anchors(mut self, anchors: impl Into<Arc<TrustAnchors>>) -> Self {
        self.anchors = Some(anchors.into());
        self
    }

    /// Judges how long a peer's chain will verify by these revocation lists too, which should be
    /// those of the inner verifier. They never decide about the peer.
    pub fn with_crls(mut self, crls: Crls) -> Self {
        self.crls = crls;
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
    pub fn with_leaf_pin(mut self, pin: SpkiPin) -> Self {
        self.pins.push(pin);
        self
    }

    /// Remembers so many peers, 1024 by default, at a few hundred bytes each. A forgotten peer is
    /// assessed, and told about, as if new.
    pub const fn with_peer_memory(mut self, peers: NonZeroUsize) -> Self {
        self.peer_memory = peers;
        self
    }

    /// Tells again at other intervals than the default ones.
    pub const fn with_repeat(mut self, repeat: RepeatPolicy) -> Self {
        self.repeat = repeat;
        self
    }

    fn into_parts(self, role: Role, usage: Usage) -> Result<(Arc<V>, Watch), VerifierBuildError> {
        let default = || CryptoProvider::get_default().cloned();
        let provider = self.provider.or_else(default);
        let algorithms = provider.map(|p| p.signature_verification_algorithms.all);
        let judge = match self.anchors {
            None => None,
            Some(anchors) if anchors.is_empty() => return Err(VerifierBuildError::NoTrustAnchors),
            Some(anchors) => {
                let algorithms = algorithms.ok_or(VerifierBuildError::NoProvider)?;
                Some(ChainJudge::new(anchors, algorithms, usage).with_crls(self.crls))
            }
        };
        #[cfg(feature = "ocsp")]
        if self.staple_rule != StapleRule::Observe && algorithms.is_none() {
            return Err(VerifierBuildError::NoProvider);
        }
        let watch = Watch {
            role,
            judge,
            policy: self.policy,
            pins: self.pins,
            delivery: self.delivery,
            memory: Memory::new(self.peer_memory, self.repeat),
            #[cfg(feature = "ocsp")]
            staples: StapleWatch {
                rule: self.staple_rule,
                judge: self.staple_judge,
                algorithms,
            },
        };
        Ok((self.inner, watch))
    }
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
    /// The finished wrapper.
    ///
    /// # Errors
    /// [`VerifierBuildError`] where trust anchors were given but are empty, or no crypto provider
    /// is at hand to judge by them.
    pub fn build(self) -> Result<Arc<WatchingServerVerifier>, VerifierBuildError> {
        let (inner, watch) = self.into_parts(Role::PeerServer, Usage::ServerAuth)?;
        Ok(Arc::new(WatchingServerVerifier::new(inner, watch)))
    }
}

impl WatchingVerifierBuilder<dyn ClientCertVerifier> {
    /// The finished wrapper.
    ///
    /// # Errors
    /// [`VerifierBuildError`] where trust anchors were given but are empty, or no crypto provider
    /// is at hand to judge by them.
    pub fn build(self) -> Result<Arc<WatchingClientVerifier>, VerifierBuildError> {
        let (inner, watch) = self.into_parts(Role::PeerClient, Usage::ClientAuth)?;
        Ok(Arc::new(WatchingClientVerifier::new(inner, watch)))
    }
}

impl<V: ?Sized> fmt::Debug for WatchingVerifierBuilder<V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WatchingVerifierBuilder")
            .field("pins", &self.pins)
            .field("policy", &self.policy)
            .finish_non_exhaustive()
    }
}

/// A wrapper that cannot be built as asked.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum VerifierBuildError {
    /// There is no provider to take signature algorithms from.
    #[error(
        "no crypto provider to judge by the trust anchors or by staples: call with_provider, \
         or install a process default with CryptoProvider::install_default"
    )]
    NoProvider,
    /// The trust anchors given are none.
    #[error(
        "the trust anchors given are empty, so nothing could be judged by them: look at TrustAnchors::errors"
    )]
    NoTrustAnchors,
}
