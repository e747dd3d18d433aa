//! What peers of each trust domain are verified by, made once for each generation of the bundles.

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock};

use rustls::RootCertStore;
use rustls::crypto::CryptoProvider;

use super::bundles::{BundlesInForce, SpiffeBundles};
use super::error::SpiffePeerError;
use crate::identity::{SpiffeId, TrustDomain};

/// Makes what verifies by one bundle; nothing of what rustls makes nothing of.
pub(super) type MakeOfBundle<T> = fn(Arc<RootCertStore>, &Arc<CryptoProvider>) -> Option<T>;

/// What is made of each bundle in force.
#[derive(Debug)]
pub(super) struct ByTrustDomain<T> {
    bundles: Arc<SpiffeBundles>,
    make: MakeOfBundle<T>,
    latest: RwLock<Arc<MadeOfBundles<T>>>,
}

#[derive(Debug)]
struct MadeOfBundles<T> {
    bundles: Arc<BundlesInForce>,
    by_domain: BTreeMap<TrustDomain, T>,
}

impl<T: Clone> ByTrustDomain<T> {
    pub(super) fn new(
        bundles: Arc<SpiffeBundles>,
        make: MakeOfBundle<T>,
        provider: &Arc<CryptoProvider>,
    ) -> Self {
        let latest = MadeOfBundles::made_by(make, bundles.in_force(), provider);
        Self {
            bundles,
            make,
            latest: RwLock::new(Arc::new(latest)),
        }
    }

    /// What verifies peers of this ID's trust domain now.
    ///
    /// # Errors
    /// [`SpiffePeerError::NoBundle`] where it has no bundle, or one without anchors.
    pub(super) fn of(
        &self,
        id: &SpiffeId,
        provider: &Arc<CryptoProvider>,
    ) -> Result<T, SpiffePeerError> {
        let current = self.current(provider);
        let made = current.by_domain.get(id.trust_domain());
        made.cloned()
            .ok_or_else(|| SpiffePeerError::NoBundle { id: id.clone() })
    }

    fn current(&self, provider: &Arc<CryptoProvider>) -> Arc<MadeOfBundles<T>> {
        let bundles = self.bundles.in_force();
        // No code of ours panics under the lock.
        let latest = self.latest.read().unwrap_or_else(PoisonError::into_inner);
        if Arc::ptr_eq(&latest.bundles, &bundles) {
            return Arc::clone(&latest);
        }
        drop(latest);
        let current = Arc::new(MadeOfBundles::made_by(self.make, bundles, provider));
        // Whoever writes an older one here meanwhile only has the next handshake make it again.
        let mut latest = self.latest.write().unwrap_or_else(PoisonError::into_inner);
        *latest = Arc::clone(&current);
        current
    }
}

impl<T> MadeOfBundles<T> {
    fn made_by(
        make: MakeOfBundle<T>,
        bundles: Arc<BundlesInForce>,
        provider: &Arc<CryptoProvider>,
    ) -> Self {
        let made = bundles.domains.iter().filter_map(|(domain, bundle)| {
            let roots = RootCertStore::from(&*bundle.anchors);
            let made = match roots.is_empty() {
                true => None,
                false => make(Arc::new(roots), provider),
            };
            Some((domain.clone(), made?))
        });
        Self {
            by_domain: made.collect(),
            bundles,
        }
    }
}
