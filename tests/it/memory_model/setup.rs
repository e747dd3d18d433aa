//! A configuration, of which verifiers can be built at any time: one to be kept, and fresh ones.

use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Duration;

use notafter::cert::Sha256Digest;
use notafter::identity::{IdentityError, PeerIdentity};
use notafter::observer::InlineObserver;
use notafter::pin::{PinSets, PinsInForce};
use notafter::revocation::{CrlExpiration, Crls};
use notafter::verifier::{
    PinnedGrace, StapleRule, StapleStrictness, UnidentifiedPeers, VerdictCache,
    WatchingVerifierBuilder,
};
use notafter::{Certificate, Observer, WatchingClientVerifier, WatchingServerVerifier};
use rustls::client::danger::ServerCertVerifier;
use rustls::pki_types::CertificateDer;
use rustls::server::danger::ClientCertVerifier;

use super::ground::{provider, world};
use super::inner::{Inner, Knowledge, Yes};
use super::pins::{ChangingPins, Pinning, any_sets};
use crate::support::graph::Dice;
use crate::support::tls::MINUTE;
use crate::support::world::World;

/// Some leaves are of one peer, others of another, and some do not say whose they are.
fn any_identity(leaf: &Certificate) -> Result<PeerIdentity, IdentityError> {
    // By what is the same in every run.
    let dates = format!("{} {}", leaf.not_before(), leaf.not_after());
    let [first, ..] = *Sha256Digest::of(dates.as_bytes()).as_bytes();
    let identity = match first % 8 {
        0..3 => "spiffe://a.example/red",
        3..6 => "spiffe://a.example/green",
        6 => "spiffe://b.example/blue",
        _ => return Err(IdentityError::new("it does not say")),
    };
    Ok(PeerIdentity::new(identity)?)
}

/// Who the peer with this leaf is, where peers are known by identities and this one says who it is.
pub fn identity_of(setup: &Setup, leaf: &CertificateDer<'_>) -> Option<PeerIdentity> {
    setup
        .pinning
        .filter(|pinning| *pinning == Pinning::Identities)?;
    any_identity(&Certificate::from_der(leaf).unwrap()).ok()
}

/// Of what kind the configurations of a test are.
#[derive(Debug, Clone, Copy)]
pub struct Shape {
    pub pinning: Option<Pinning>,
    pub knowledge: &'static [Knowledge],
    /// Whether the wrapper is given the inner verifier's lists.
    pub lists_are_given: bool,
    pub grace: bool,
    pub staples: bool,
    pub cached: bool,
    /// Whether some wrappers are given no trust anchors.
    pub may_lack_anchors: bool,
    pub meetings: Meetings,
}

/// Whom the episodes of a test meet, and when.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Meetings {
    Mixed,
    /// Everybody, under names in any case.
    Everybody,
    /// Nearly always the same peer, and time goes forward.
    Regular,
}

impl Shape {
    pub const PLAIN: Self = Self {
        pinning: Some(Pinning::Leaves),
        knowledge: &[Knowledge::Same],
        lists_are_given: true,
        grace: false,
        staples: false,
        cached: false,
        may_lack_anchors: false,
        meetings: Meetings::Mixed,
    };
}

/// A configuration.
#[derive(Clone)]
pub struct Setup {
    pub world: &'static World,
    pub inner: Arc<Inner>,
    pub knowledge: Knowledge,
    pub pinning: Option<Pinning>,
    pub pins: Option<Arc<ChangingPins>>,
    pub grace: Option<PinnedGrace>,
    pub lists: Option<Crls>,
    pub staple_rule: StapleRule,
    /// The `ttl` of a cache around the inner verifier.
    pub cache: Option<Duration>,
    pub memory: NonZeroUsize,
    is_observed: bool,
    /// Whether the same peer is met most of the time.
    pub is_focused: bool,
    has_anchors: bool,
    unidentified: UnidentifiedPeers,
    pub meetings: Meetings,
    observer: Option<Arc<dyn Observer>>,
}

impl Setup {
    pub fn any(seed: u64, dice: &mut Dice, shape: Shape) -> Self {
        let world = world(seed);
        let knowledge = *dice.pick(shape.knowledge);
        let grace = *dice.pick(&[59, 60, 3_600, 86_400, 12 * 86_400]);
        let strictness = *dice.pick(&[StapleStrictness::Soft, StapleStrictness::Hard]);
        let ttl = *dice.pick(&[1, 30, 60, 300, 3_600]);
        let lists = || {
            let lists = Crls::builder().with_expiration(CrlExpiration::Enforce);
            let mut all = world.lists.iter();
            all.try_fold(lists, |lists, der| lists.with_der(der))
                .unwrap()
                .build()
        };
        let given = shape.lists_are_given && knowledge == Knowledge::Lists;
        let pins = shape.pinning;
        Self {
            world,
            inner: Inner::new(world, knowledge),
            knowledge,
            pinning: shape.pinning,
            pins: pins.map(|pinning| ChangingPins::new(any_sets(dice, world, pinning))),
            grace: shape
                .grace
                .then(|| PinnedGrace::from_seconds(grace).unwrap()),
            lists: given.then(lists),
            staple_rule: match (shape.staples, dice.below(3)) {
                (true, 0) => StapleRule::WhenMustStaple(strictness),
                (true, _) => StapleRule::Always(strictness),
                (false, _) => StapleRule::Observe,
            },
            cache: shape.cached.then(|| Duration::from_secs(ttl)),
            memory: NonZeroUsize::new(*dice.pick(&[1, 3, 16, 1_024])).unwrap(),
            is_observed: dice.below(2) == 0,
            is_focused: match shape.meetings {
                Meetings::Mixed => dice.below(2) == 0,
                meetings => meetings == Meetings::Regular,
            },
            has_anchors: !(shape.may_lack_anchors && dice.below(3) == 0),
            unidentified: match shape.pinning {
                Some(Pinning::Identities) if dice.below(2) == 0 => UnidentifiedPeers::KnowByName,
                _ => UnidentifiedPeers::Refuse,
            },
            meetings: shape.meetings,
            observer: None,
        }
    }

    /// The same without a grace: sessions of those within one are never resumed.
    pub fn without_grace(&self) -> Self {
        Self {
            grace: None,
            ..self.clone()
        }
    }

    /// The same with room for everybody.
    pub fn with_room(self) -> Self {
        let memory = NonZeroUsize::new(1_024).unwrap();
        Self { memory, ..self }
    }

    /// The same, watched by this observer.
    pub fn observed_by(&self, observer: Arc<dyn Observer>) -> Self {
        Self {
            observer: Some(observer),
            ..self.clone()
        }
    }

    /// Other pins, to be put into force later.
    pub fn other_pins(&self, dice: &mut Dice) -> Option<PinSets> {
        let pinning = self.pinning?;
        Some(any_sets(dice, self.world, pinning))
    }

    pub fn change_pins(&self, dice: &mut Dice) {
        if let (Some(pins), Some(pinning)) = (&self.pins, self.pinning) {
            pins.change(any_sets(dice, self.world, pinning));
        }
    }

    pub fn epoch(&self) -> u64 {
        self.pins.as_ref().map_or(0, |pins| pins.generation().epoch)
    }

    /// Whether the inner verifier knows what neither wrapper nor cache do.
    pub fn inner_knows_more(&self) -> bool {
        self.inner.knows_more(self.lists.is_some())
    }

    fn finish<V: ?Sized>(
        &self,
        builder: WatchingVerifierBuilder<V>,
        memory: NonZeroUsize,
    ) -> WatchingVerifierBuilder<V> {
        let mut builder = builder.with_provider(provider()).with_peer_memory(memory);
        if self.pinning == Some(Pinning::Identities) {
            builder = builder
                .with_peer_identity(Arc::new(any_identity))
                .with_unidentified_peers(self.unidentified);
        }
        if self.has_anchors {
            builder = builder.with_trust_anchors(self.world.anchors.clone());
        }
        if let Some(observer) = &self.observer {
            builder = builder.with_observer(observer.clone());
        }
        if let Some(pins) = &self.pins {
            builder = builder.with_pins(pins.clone());
        }
        if let Some(grace) = self.grace.filter(|_| self.pins.is_some()) {
            builder = builder.with_grace(grace);
        }
        if let Some(lists) = &self.lists {
            builder = builder.with_crls(lists.clone());
        }
        if self.is_observed {
            builder = builder.with_observer(Arc::new(InlineObserver(|_: &notafter::Event| ())));
        }
        builder
    }

    fn servers_by(
        &self,
        inner: Arc<dyn ServerCertVerifier>,
        memory: NonZeroUsize,
    ) -> Arc<WatchingServerVerifier> {
        let builder = WatchingServerVerifier::builder(inner)
            .with_trust_age(MINUTE)
            .with_staple_rule(self.staple_rule);
        self.finish(builder, memory).build().unwrap()
    }

    /// The verifier of servers that is asked again and again.
    pub fn servers(&self) -> Arc<WatchingServerVerifier> {
        let inner: Arc<dyn ServerCertVerifier> = match self.cache {
            None => self.inner.clone(),
            Some(ttl) => {
                let mut cache = VerdictCache::builder(self.inner.clone()).with_ttl(ttl);
                if let Some(lists) = &self.lists {
                    cache = cache.with_crls(lists.clone());
                }
                if let Some(pins) = &self.pins {
                    cache = cache.with_pins(pins.clone());
                }
                cache.build().unwrap()
            }
        };
        self.servers_by(inner, self.memory)
    }

    /// One that was never asked anything.
    pub fn fresh_servers(&self) -> Arc<WatchingServerVerifier> {
        self.servers_by(self.inner.clone(), NonZeroUsize::MIN)
    }

    /// The same around an inner verifier that accepts everybody.
    pub fn own_opinion_of_servers(&self) -> Arc<WatchingServerVerifier> {
        self.servers_by(Arc::new(Yes), NonZeroUsize::MIN)
    }

    fn clients_by(
        &self,
        inner: Arc<dyn ClientCertVerifier>,
        memory: NonZeroUsize,
    ) -> Arc<WatchingClientVerifier> {
        let builder = WatchingClientVerifier::builder(inner).with_trust_age(MINUTE);
        self.finish(builder, memory).build().unwrap()
    }

    pub fn clients(&self) -> Arc<WatchingClientVerifier> {
        self.clients_by(self.inner.clone(), self.memory)
    }

    pub fn fresh_clients(&self) -> Arc<WatchingClientVerifier> {
        self.clients_by(self.inner.clone(), NonZeroUsize::MIN)
    }

    pub fn own_opinion_of_clients(&self) -> Arc<WatchingClientVerifier> {
        self.clients_by(Arc::new(Yes), NonZeroUsize::MIN)
    }
}
