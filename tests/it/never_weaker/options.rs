//! Every combination of a wrapper's options.

use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Duration;

use notafter::identity::{IdentityError, PeerIdentity, SpiffeIdentities};
use notafter::pin::{Pin, PinMode, PinState};
use notafter::revocation::Crls;
use notafter::verifier::{
    PinnedGrace, PresentedBounds, StapleRule, StapleStrictness, UnidentifiedPeers, VerdictCache,
    VerifierBuildError, WatchingVerifierBuilder,
};
use notafter::{
    Certificate, PinSet, SessionGuard, SpkiPin, WatchingClientVerifier, WatchingServerVerifier,
};
use rustls::client::ClientSessionMemoryCache;
use rustls::client::danger::ServerCertVerifier;
use rustls::server::ServerSessionMemoryCache;

use super::scripted::Scripted;
use crate::support::pki::{self, Ca, Leaf};
use crate::support::tls::{MINUTE, ring};

pub const NAME: &str = "service.example";
/// How long a cached verdict counts, and a grace lasts.
pub const TTL: i64 = 60;
pub const GRACE: i64 = 86_400;

/// Whom the wrappers meet.
pub struct Scene {
    pub anchors: Arc<notafter::TrustAnchors>,
    pub issuing: Ca,
    pub healthy: Leaf,
    /// Over since NOW.
    pub ended: Leaf,
    pub stranger: SpkiPin,
}

impl Scene {
    pub fn new() -> Self {
        let root = pki::root("root", -100, 3650);
        let issuing = root.intermediate("issuing", -50, 1000);
        Self {
            anchors: Arc::new(pki::anchors([&root])),
            healthy: issuing.leaf(&[NAME], -10, 300),
            ended: issuing.leaf(&[NAME], -10, 0),
            issuing,
            stranger: SpkiPin::from_spki_der(b"nobody"),
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pins {
    Absent,
    Leaves,
    Ca,
    Wrong,
    WrongButReported,
    Rejected,
    OfOthers,
    /// Wrong ones, for the identity that every leaf has.
    OfIdentity,
}

/// What leaves say of whose they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Identities {
    /// Nobody asks them.
    Unasked,
    /// All of them say the same.
    One,
    /// They do not say, and are refused.
    Missing,
    /// They do not say, and are known by their name.
    MissingByName,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bounds {
    Default,
    One,
    None,
}

#[derive(Debug, Clone, Copy)]
pub struct Options {
    pub pins: Pins,
    pub anchors: bool,
    pub staples: StapleRule,
    pub grace: bool,
    pub bounds: Bounds,
    pub memory: usize,
    pub cached: bool,
    pub guarded: bool,
    pub identities: Identities,
}

/// Who every leaf is where all of them are one.
const EVERYBODY: &str = "spiffe://prod.example/db";

fn everybody_is_one(_: &Certificate) -> Result<PeerIdentity, IdentityError> {
    Ok(PeerIdentity::new(EVERYBODY)?)
}

const BOTH: [bool; 2] = [false, true];

/// Every combination; clients have no staples and no cache.
pub fn all(of_servers: bool) -> Vec<Options> {
    let rules = [
        StapleRule::Observe,
        StapleRule::WhenMustStaple(StapleStrictness::Hard),
        StapleRule::Always(StapleStrictness::Soft),
        StapleRule::Always(StapleStrictness::Hard),
    ];
    let rules = if of_servers { &rules[..] } else { &rules[..1] };
    let caches = if of_servers { &BOTH[..] } else { &BOTH[..1] };
    let mut all = Vec::new();
    for pins in [
        Pins::Absent,
        Pins::Leaves,
        Pins::Ca,
        Pins::Wrong,
        Pins::WrongButReported,
        Pins::Rejected,
        Pins::OfOthers,
        Pins::OfIdentity,
    ] {
        for identities in [
            Identities::Unasked,
            Identities::One,
            Identities::Missing,
            Identities::MissingByName,
        ] {
            for staples in rules {
                for bounds in [Bounds::Default, Bounds::One, Bounds::None] {
                    for bits in 0..16 {
                        let bit = |n: u32| bits >> n & 1 == 1;
                        for cached in caches {
                            all.push(Options {
                                pins,
                                anchors: bit(0),
                                staples: *staples,
                                grace: bit(1),
                                bounds,
                                memory: if bit(2) { 1 } else { 64 },
                                cached: *cached,
                                guarded: bit(3),
                                identities,
                            });
                        }
                    }
                }
            }
        }
    }
    all
}

impl Options {
    fn set(&self, scene: &Scene) -> Option<PinSet> {
        let [healthy, ended] = [&scene.healthy, &scene.ended]
            .map(|leaf| SpkiPin::from_certificate(&leaf.certificate()));
        let set = PinSet::builder();
        let set = match self.pins {
            Pins::Absent => return None,
            Pins::Leaves => set.with_current(healthy).with_backup(ended),
            Pins::Ca => {
                set.with_current_ca(SpkiPin::from_certificate(&scene.issuing.certificate()))
            }
            Pins::Wrong => set.with_current(scene.stranger),
            Pins::WrongButReported => set
                .with_current(scene.stranger)
                .with_mode(PinMode::ReportOnly),
            Pins::Rejected => set
                .with_current(scene.stranger)
                .with_pin(Pin::new(healthy, PinState::Rejected))
                .with_pin(Pin::new(ended, PinState::Rejected)),
            Pins::OfOthers => {
                let scope = "elsewhere.example".parse().unwrap();
                set.with_current(scene.stranger).with_scope(scope)
            }
            Pins::OfIdentity => {
                let scope = EVERYBODY.parse().unwrap();
                set.with_current(scene.stranger).with_scope(scope)
            }
        };
        Some(set.build().unwrap())
    }

    fn finish<V: ?Sized>(
        &self,
        scene: &Scene,
        mut builder: WatchingVerifierBuilder<V>,
    ) -> WatchingVerifierBuilder<V> {
        builder = builder
            .with_provider(ring())
            .with_peer_memory(NonZeroUsize::new(self.memory).unwrap())
            .with_crls(Crls::default());
        if let Some(set) = self.set(scene) {
            builder = builder.with_pin_set(set);
        }
        builder = match self.identities {
            Identities::Unasked => builder,
            Identities::One => builder.with_peer_identity(Arc::new(everybody_is_one)),
            Identities::Missing => builder.with_peer_identity(Arc::new(SpiffeIdentities)),
            Identities::MissingByName => builder
                .with_peer_identity(Arc::new(SpiffeIdentities))
                .with_unidentified_peers(UnidentifiedPeers::KnowByName),
        };
        if self.anchors {
            builder = builder.with_trust_anchors(scene.anchors.clone());
        }
        if self.grace {
            let seconds = u32::try_from(GRACE).unwrap();
            builder = builder.with_grace(PinnedGrace::from_seconds(seconds).unwrap());
        }
        let bounds = PresentedBounds::default();
        match self.bounds {
            Bounds::Default => builder,
            Bounds::One => builder.with_presented_bounds(PresentedBounds {
                certificates: 1,
                ..bounds
            }),
            Bounds::None => builder.with_presented_bounds(PresentedBounds {
                certificates: usize::MAX,
                same_subject: usize::MAX,
                bytes: usize::MAX,
            }),
        }
    }

    /// # Errors
    /// What the builder says of the combination.
    pub fn servers(
        &self,
        scene: &Scene,
        inner: Arc<Scripted>,
    ) -> Result<Arc<WatchingServerVerifier>, VerifierBuildError> {
        let inner: Arc<dyn ServerCertVerifier> = match self.cached {
            false => inner,
            true => {
                let ttl = Duration::from_secs(TTL.unsigned_abs());
                VerdictCache::builder(inner).with_ttl(ttl).build().unwrap()
            }
        };
        let builder = WatchingServerVerifier::builder(inner)
            .with_trust_age(MINUTE)
            .with_staple_rule(self.staples);
        let verifier = self.finish(scene, builder).build()?;
        if self.guarded {
            let store = Arc::new(ClientSessionMemoryCache::new(8));
            SessionGuard::default().client(&verifier, store);
        }
        Ok(verifier)
    }

    /// # Errors
    /// What the builder says of the combination.
    pub fn clients(
        &self,
        scene: &Scene,
        inner: Arc<Scripted>,
    ) -> Result<Arc<WatchingClientVerifier>, VerifierBuildError> {
        let builder = WatchingClientVerifier::builder(inner).with_trust_age(MINUTE);
        let verifier = self.finish(scene, builder).build()?;
        if self.guarded {
            let store = ServerSessionMemoryCache::new(8);
            SessionGuard::default().server(&verifier, store);
        }
        Ok(verifier)
    }

    /// Why it cannot be built.
    pub fn build_error(&self, of_servers: bool) -> Option<VerifierBuildError> {
        match self.pins {
            Pins::Absent if self.grace => Some(VerifierBuildError::GraceWithoutPins),
            Pins::Ca if !self.anchors => Some(VerifierBuildError::PinsNeedTrustAnchors),
            Pins::OfIdentity if self.identities == Identities::Unasked => {
                Some(VerifierBuildError::PinsNeedPeerIdentity)
            }
            Pins::OfOthers if !of_servers => Some(VerifierBuildError::NoPinsForClients),
            _ => None,
        }
    }
}
