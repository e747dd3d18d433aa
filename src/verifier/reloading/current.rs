//! The verifier of the generation in force: made once for each, by rustls's own builder.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use arc_swap::ArcSwap;
use rustls::client::VerifierBuilderError;
use rustls::{Error, RootCertStore};

use crate::outlook::{TrustGeneration, TrustInForce as _};
use crate::reload::{CrlGeneration, ReloadingAnchors, ReloadingCrls};

/// What makes a verifier of anchors and lists.
pub(super) trait MakesVerifier: fmt::Debug + Send + Sync {
    type Verifier: ?Sized + Send + Sync;

    fn make(
        &self,
        roots: Arc<RootCertStore>,
        lists: Option<&CrlGeneration>,
    ) -> Result<Arc<Self::Verifier>, VerifierBuilderError>;
}

/// The places where anchors and lists are found, and the latest verifier made of them.
pub(super) struct CurrentVerifier<M: MakesVerifier> {
    pub(super) maker: M,
    anchors: Arc<ReloadingAnchors>,
    lists: Option<Arc<ReloadingCrls>>,
    latest: ArcSwap<MadeVerifier<M::Verifier>>,
    /// Held while one is made, so that each generation is made once.
    making: Mutex<()>,
}

/// A verifier, and what it was made of.
pub(super) struct MadeVerifier<V: ?Sized> {
    /// Where rustls makes none, nobody is accepted.
    verifier: Result<Arc<V>, VerifierBuilderError>,
    anchors: Arc<TrustGeneration>,
    lists: Option<Arc<CrlGeneration>>,
    /// Both of them, in an epoch of this verifier's own.
    pub(super) trust: Arc<TrustGeneration>,
}

impl<V: ?Sized> MadeVerifier<V> {
    fn made_by<M: MakesVerifier<Verifier = V>>(
        maker: &M,
        anchors: Arc<TrustGeneration>,
        lists: Option<Arc<CrlGeneration>>,
        epoch: u64,
    ) -> Self {
        let roots = Arc::new(RootCertStore::from(&*anchors.anchors));
        let trust = TrustGeneration::new(epoch, Arc::clone(&anchors.anchors));
        let crls = lists.as_ref().map(|lists| lists.crls.clone());
        Self {
            verifier: maker.make(roots, lists.as_deref()),
            trust: Arc::new(trust.with_crls(crls.unwrap_or_default())),
            anchors,
            lists,
        }
    }

    /// The verifier.
    ///
    /// # Errors
    /// A refusal, where rustls makes none.
    pub(super) fn verifier(&self) -> Result<&Arc<V>, Error> {
        let verifier = self.verifier.as_ref();
        verifier
            .map_err(|error| Error::General(format!("no verifier for what is trusted: {error}")))
    }
}

impl<M: MakesVerifier> CurrentVerifier<M> {
    pub(super) fn new(
        maker: M,
        anchors: Arc<ReloadingAnchors>,
        lists: Option<Arc<ReloadingCrls>>,
    ) -> Result<Self, VerifierBuilderError> {
        let in_force = lists.as_ref().map(|lists| lists.generation());
        let made = MadeVerifier::made_by(&maker, anchors.generation(), in_force, 0);
        if let Err(error) = &made.verifier {
            return Err(error.clone());
        }
        Ok(Self {
            latest: ArcSwap::from_pointee(made),
            maker,
            anchors,
            lists,
            making: Mutex::new(()),
        })
    }

    /// The verifier of the generation in force now. Only the first handshake of a generation waits
    /// until it is made.
    pub(super) fn current(&self) -> Arc<MadeVerifier<M::Verifier>> {
        let latest = self.latest.load_full();
        if self.is_in_force(&latest) {
            return latest;
        }
        // No code of ours panics under it, and it holds nothing.
        let _making = self.making.lock().unwrap_or_else(PoisonError::into_inner);
        let latest = self.latest.load_full();
        if self.is_in_force(&latest) {
            return latest;
        }
        let lists = self.lists.as_ref().map(|lists| lists.generation());
        let epoch = latest.trust.epoch + 1;
        let made = MadeVerifier::made_by(&self.maker, self.anchors.generation(), lists, epoch);
        let made = Arc::new(made);
        self.latest.store(Arc::clone(&made));
        made
    }

    fn is_in_force(&self, made: &MadeVerifier<M::Verifier>) -> bool {
        let same_lists = match (&self.lists, &made.lists) {
            (Some(lists), Some(made)) => Arc::ptr_eq(&lists.generation(), made),
            (None, None) => true,
            _ => false,
        };
        same_lists && Arc::ptr_eq(&self.anchors.generation(), &made.anchors)
    }
}

impl<M: MakesVerifier> fmt::Debug for CurrentVerifier<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CurrentVerifier")
            .field("anchors", &self.anchors)
            .field("lists", &self.lists)
            .finish_non_exhaustive()
    }
}
