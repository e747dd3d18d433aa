//! Events of peers that are known by identities, into the `metrics` facade.

use std::collections::HashSet;
use std::num::NonZeroUsize;
use std::sync::{Mutex, PoisonError};

use metrics::{counter, describe_counter};

use super::Observer;
use crate::event::Event;
use crate::identity::PeerIdentity;

/// So many identities have a label of their own unless told otherwise.
const DEFAULT_IDENTITIES: NonZeroUsize = match NonZeroUsize::new(1024) {
    Some(identities) => identities,
    None => NonZeroUsize::MIN,
};

const PEER_EVENTS: &str = "notafter_peer_events_total";
/// The label of all identities beyond those.
const OTHERS: &str = "(others)";

/// Counts events of peers that are known by identities as `notafter_peer_events_total` by `identity`,
/// `code` and `severity`: beside [`MetricsObserver`](super::MetricsObserver), which counts all of
/// them without saying whose they are.
///
/// Only a peer that proved itself has an identity in its events, so strangers make no labels. So many
/// identities as there is room for, 1,024 unless told otherwise, are counted by themselves, the first
/// that something is told of; all others together as `(others)`.
///
/// # How do I see on a dashboard which SPIFFE ID is about to expire?
/// ```
/// use std::sync::Arc;
/// use notafter::WatchingServerVerifier;
/// use notafter::identity::SpiffeIdentities;
/// use notafter::observer::PeerMetricsObserver;
/// # fn wrap(
/// #     inner: Arc<dyn rustls::client::danger::ServerCertVerifier>,
/// # ) -> Result<(), notafter::verifier::VerifierBuildError> {
/// let verifier = WatchingServerVerifier::builder(inner)
///     .with_peer_identity(Arc::new(SpiffeIdentities))
///     .with_observer(Arc::new(PeerMetricsObserver::new()))
///     .build()?;
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct PeerMetricsObserver {
    most: NonZeroUsize,
    labelled: Mutex<HashSet<PeerIdentity>>,
}

impl PeerMetricsObserver {
    /// Describes the counter to the recorder that is installed now: install it first.
    pub fn new() -> Self {
        describe_counter!(
            PEER_EVENTS,
            "What was told of peers that are known by identities, by identity, code and severity."
        );
        Self {
            most: DEFAULT_IDENTITIES,
            labelled: Mutex::default(),
        }
    }

    /// Counts so many identities by themselves.
    #[must_use]
    pub const fn with_identities(mut self, most: NonZeroUsize) -> Self {
        self.most = most;
        self
    }

    fn label(&self, identity: &PeerIdentity) -> String {
        // No code of ours panics under the lock.
        let labelled = self.labelled.lock();
        let mut labelled = labelled.unwrap_or_else(PoisonError::into_inner);
        if labelled.len() < self.most.get() {
            labelled.insert(identity.clone());
        }
        match labelled.contains(identity) {
            true => identity.to_string(),
            false => OTHERS.to_owned(),
        }
    }
}

impl Default for PeerMetricsObserver {
    fn default() -> Self {
        Self::new()
    }
}

impl Observer for PeerMetricsObserver {
    fn observe(&self, event: &Event) {
        let Some(identity) = &event.identity else {
            return;
        };
        let (code, severity) = (event.code.as_str(), event.severity.as_str());
        let identity = self.label(identity);
        counter!(PEER_EVENTS, "identity" => identity, "code" => code, "severity" => severity)
            .increment(1);
    }

    fn is_prompt(&self) -> bool {
        true
    }
}
