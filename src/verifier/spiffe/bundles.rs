//! The bundles of trust domains: each with its anchors, which may change while the process runs.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use crate::identity::{PeerIdentity, TrustDomain};
use crate::outlook::{TrustAnchors, TrustGeneration, TrustInForce};

/// For each trust domain its bundle: the anchors under which its X.509-SVIDs verify, and those of no
/// other domain (SPIFFE, Trust Domain and Bundle, 3).
///
/// The own domain is one of them; every other one is federated, and no more than that. A bundle is fixed,
/// or follows whatever is [`TrustInForce`]: `ReloadingAnchors`, say. Domains come and go while the
/// process runs. With any change all of it is in another epoch: what wrappers, caches and guards that
/// were given it by `with_trust_in_force` remember of any domain is decided again.
///
/// Of what a bundle follows, the anchors count; revocation lists do not, for SVIDs are short-lived and no
/// list of theirs is looked up.
///
/// # How do I trust my own domain, and a partner's whose bundle is a file that changes?
/// ```
/// use std::sync::Arc;
/// use notafter::TrustAnchors;
/// use notafter::outlook::TrustInForce;
/// use notafter::verifier::SpiffeBundles;
/// # fn bundles(
/// #     own: TrustAnchors,
/// #     partners: Arc<dyn TrustInForce>,
/// # ) -> Result<(), notafter::identity::SpiffeIdError> {
/// let bundles = SpiffeBundles::new()
///     .with_bundle("prod.example".parse()?, own)
///     .with_bundle_in_force("partner.example".parse()?, partners); // a `ReloadingAnchors`, say
/// // The federation ends:
/// bundles.remove_bundle(&"partner.example".parse()?);
/// # Ok(())
/// # }
/// ```
pub struct SpiffeBundles {
    state: RwLock<BundleState>,
}

struct BundleState {
    sources: BTreeMap<TrustDomain, Arc<dyn TrustInForce>>,
    latest: Arc<BundlesInForce>,
}

/// All bundles of one moment.
#[derive(Debug)]
pub(super) struct BundlesInForce {
    /// The epoch of each source, in the order of their domains.
    source_epochs: Vec<u64>,
    pub(super) domains: BTreeMap<TrustDomain, Arc<TrustGeneration>>,
    /// The anchors of all of them together.
    all: Arc<TrustGeneration>,
    /// For peers of domains that have no bundle.
    none: Arc<TrustGeneration>,
}

/// Anchors that do not change.
#[derive(Debug)]
struct FixedBundle(Arc<TrustGeneration>);

impl TrustInForce for FixedBundle {
    fn generation(&self) -> Arc<TrustGeneration> {
        Arc::clone(&self.0)
    }
}

impl SpiffeBundles {
    /// Begins without a bundle: nobody is trusted.
    pub fn new() -> Self {
        let sources = BTreeMap::new();
        let latest = Arc::new(BundlesInForce::of(&sources, 0));
        Self {
            state: RwLock::new(BundleState { sources, latest }),
        }
    }

    /// Verifies peers of this domain by these anchors, instead of by a bundle of before.
    #[must_use]
    pub fn with_bundle(
        self,
        trust_domain: TrustDomain,
        anchors: impl Into<Arc<TrustAnchors>>,
    ) -> Self {
        self.set_bundle(trust_domain, anchors);
        self
    }

    /// Verifies peers of this domain by the anchors that are in force there.
    #[must_use]
    pub fn with_bundle_in_force(
        self,
        trust_domain: TrustDomain,
        bundle: Arc<dyn TrustInForce>,
    ) -> Self {
        self.set_bundle_in_force(trust_domain, bundle);
        self
    }

    /// Does what [`with_bundle`](Self::with_bundle) does, while the process runs: for bundles that an
    /// agent pushes.
    pub fn set_bundle(&self, trust_domain: TrustDomain, anchors: impl Into<Arc<TrustAnchors>>) {
        let generation = Arc::new(TrustGeneration::new(0, anchors));
        self.set_bundle_in_force(trust_domain, Arc::new(FixedBundle(generation)));
    }

    /// Does what [`with_bundle_in_force`](Self::with_bundle_in_force) does, while the process runs.
    pub fn set_bundle_in_force(&self, trust_domain: TrustDomain, bundle: Arc<dyn TrustInForce>) {
        let mut state = self.write();
        state.sources.insert(trust_domain, bundle);
        state.renew();
    }

    /// Trusts nobody of this domain any more. Says whether it had a bundle.
    pub fn remove_bundle(&self, trust_domain: &TrustDomain) -> bool {
        let mut state = self.write();
        let was_there = state.sources.remove(trust_domain).is_some();
        if was_there {
            state.renew();
        }
        was_there
    }

    /// Lists the domains that have a bundle, in order.
    pub fn trust_domains(&self) -> Vec<TrustDomain> {
        self.read().sources.keys().cloned().collect()
    }

    /// The bundles as they are now.
    pub(super) fn in_force(&self) -> Arc<BundlesInForce> {
        let state = self.read();
        if state.is_current() {
            return Arc::clone(&state.latest);
        }
        drop(state);
        let mut state = self.write();
        if !state.is_current() {
            state.renew();
        }
        Arc::clone(&state.latest)
    }

    fn read(&self) -> RwLockReadGuard<'_, BundleState> {
        // No code of ours panics under the lock, and it is whole between any two calls.
        self.state.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, BundleState> {
        self.state.write().unwrap_or_else(PoisonError::into_inner)
    }
}

impl BundleState {
    fn is_current(&self) -> bool {
        let epochs = self.sources.values();
        let epochs = epochs.map(|source| source.generation().epoch);
        epochs.eq(self.latest.source_epochs.iter().copied())
    }

    fn renew(&mut self) {
        let epoch = self.latest.all.epoch.wrapping_add(1);
        self.latest = Arc::new(BundlesInForce::of(&self.sources, epoch));
    }
}

impl BundlesInForce {
    fn of(sources: &BTreeMap<TrustDomain, Arc<dyn TrustInForce>>, epoch: u64) -> Self {
        let (mut source_epochs, mut domains) = (Vec::new(), BTreeMap::new());
        let mut all = TrustAnchors::builder();
        for (trust_domain, source) in sources {
            let generation = source.generation();
            let anchors = &generation.anchors;
            let dated: Vec<_> = anchors.certificates().map(|c| c.der().clone()).collect();
            // Those that came as certificates are not taken twice.
            let undated = anchors.as_slice().iter().cloned();
            all = all.with_certificates(&dated).with_undated_anchors(undated);
            source_epochs.push(generation.epoch);
            let bundle = TrustGeneration::new(epoch, Arc::clone(anchors));
            domains.insert(trust_domain.clone(), Arc::new(bundle));
        }
        Self {
            source_epochs,
            domains,
            all: Arc::new(TrustGeneration::new(epoch, all.build())),
            none: Arc::new(TrustGeneration::new(epoch, TrustAnchors::default())),
        }
    }
}

impl Default for SpiffeBundles {
    fn default() -> Self {
        Self::new()
    }
}

impl TrustInForce for SpiffeBundles {
    fn generation(&self) -> Arc<TrustGeneration> {
        Arc::clone(&self.in_force().all)
    }

    fn generation_for(&self, identity: &PeerIdentity) -> Arc<TrustGeneration> {
        let in_force = self.in_force();
        let id = identity.spiffe_id();
        let bundle = id.and_then(|id| in_force.domains.get(id.trust_domain()));
        Arc::clone(bundle.unwrap_or(&in_force.none))
    }
}

impl fmt::Debug for SpiffeBundles {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = self.read();
        f.debug_struct("SpiffeBundles")
            .field("trust_domains", &state.sources.keys())
            .field("epoch", &state.latest.all.epoch)
            .finish_non_exhaustive()
    }
}
