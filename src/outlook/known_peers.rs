//! Peers that proved themselves: what other anchors would have to accept.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

use pki_types::CertificateDer;

#[cfg(feature = "reload")]
use crate::cert::Certificate;

/// So many peers are remembered: those that proved themselves last.
const MAX_PEERS: usize = 64;
/// A chain of more bytes is not remembered; real ones have less than 10,000.
const MAX_BYTES: usize = 16 * 1024;

/// The chains of the peers that proved themselves last: anchors under which none of them would be
/// accepted any more are most likely a mistake.
///
/// A wrapper fills it ([`with_known_peers`]), with peers that were accepted and proved that they have
/// their key; or the application does, with [`Self::remember`]. `ReloadingAnchors` ask it before other
/// anchors come into force. 64 peers are remembered, told apart by their leaves, in 16 KiB each at the
/// most: about a megabyte.
///
/// It is nothing that a peer is accepted by: what it remembers only keeps anchors in force that are in
/// force already.
///
/// # How do I keep a bundle that shuts everybody out from counting?
/// ```
/// use std::sync::Arc;
/// use notafter::outlook::{KnownPeers, Usage};
/// use notafter::reload::ReloadingAnchors;
/// use notafter::verifier::ReloadingClientVerifier;
/// use notafter::WatchingClientVerifier;
/// # rustls::crypto::ring::default_provider().install_default().unwrap();
/// # let [from, to] = ["2025-01-01T00:00:00Z", "2125-01-01T00:00:00Z"].map(|t| t.parse().unwrap());
/// # let root = notafter::testing::TestCa::root("Root", from, to)?.anchors();
/// let clients = "/etc/service/client-ca.pem";
/// # let folder = tempfile::tempdir()?;
/// # let clients = folder.path().join("client-ca.der");
/// # std::fs::write(&clients, root.certificates().next().unwrap().der())?;
/// let known = Arc::new(KnownPeers::new());
/// let anchors = ReloadingAnchors::builder()
///     .with_path(clients)
///     .with_known_peers(known.clone(), Usage::ClientAuth)
///     .build()?;
/// let inner = ReloadingClientVerifier::builder(anchors).build()?;
/// let verifier = WatchingClientVerifier::builder(inner.clone())
///     .with_trust_in_force(inner)
///     .with_known_peers(known)
///     .build()?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// [`with_known_peers`]: crate::verifier::WatchingVerifierBuilder::with_known_peers
#[derive(Debug, Default)]
pub struct KnownPeers {
    /// The one that proved itself last is the last; none is of the leaf of another.
    chains: Mutex<VecDeque<Vec<CertificateDer<'static>>>>,
}

impl KnownPeers {
    /// Knows nobody yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Remembers a peer by its chain, leaf first: instead of what was remembered of the same leaf, and of
    /// the peer that proved itself longest ago where there is no more room. Chains of over 16 KiB are
    /// left out.
    pub fn remember<'c>(&self, chain: impl IntoIterator<Item = &'c CertificateDer<'c>>) {
        let chain: Vec<_> = chain.into_iter().collect();
        let bytes: usize = chain.iter().map(|der| der.len()).sum();
        let Some(leaf) = chain.first().filter(|_| bytes <= MAX_BYTES) else {
            return;
        };
        let mut chains = self.chains();
        if chains
            .back()
            .is_some_and(|last| last.iter().eq(chain.iter().copied()))
        {
            return;
        }
        let known = chains.iter().position(|known| known.first() == Some(*leaf));
        if let Some(known) = known {
            chains.remove(known);
        }
        if chains.len() >= MAX_PEERS {
            chains.pop_front();
        }
        let owned = chain.into_iter().map(|der| der.clone().into_owned());
        chains.push_back(owned.collect());
    }

    /// Forgets everybody: for when all peers are about to change on purpose.
    pub fn forget_all(&self) {
        self.chains().clear();
    }

    /// Counts the peers that are remembered.
    pub fn len(&self) -> usize {
        self.chains().len()
    }

    /// Says whether nobody is remembered.
    pub fn is_empty(&self) -> bool {
        self.chains().is_empty()
    }

    /// Each of them as far as it can be read, the one that proved itself last first.
    #[cfg(feature = "reload")]
    pub(crate) fn readable(&self) -> Vec<Vec<Certificate>> {
        let chains = self.chains().clone();
        let readable = chains.iter().rev().filter_map(|chain| {
            let (leaf, above) = chain.split_first()?;
            let leaf = Certificate::from_der(leaf).ok()?;
            // What cannot be read leads nowhere, and hides nothing.
            let above = above
                .iter()
                .filter_map(|der| Certificate::from_der(der).ok());
            Some(std::iter::once(leaf).chain(above).collect())
        });
        readable.collect()
    }

    fn chains(&self) -> MutexGuard<'_, VecDeque<Vec<CertificateDer<'static>>>> {
        // No code of ours panics under the lock.
        self.chains.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chain(leaf: u8, bytes: usize) -> Vec<CertificateDer<'static>> {
        let issuer = CertificateDer::from(vec![0xff; bytes - 1]);
        vec![CertificateDer::from(vec![leaf]), issuer]
    }

    fn leaves(known: &KnownPeers) -> Vec<u8> {
        known.chains().iter().map(|chain| chain[0][0]).collect()
    }

    #[test]
    fn the_last_64_leaves_are_remembered_each_in_16_kib_at_the_most() {
        let known = KnownPeers::new();
        assert!(known.is_empty());
        known.remember(&chain(200, MAX_BYTES + 1));
        known.remember([]);
        assert!(known.is_empty(), "too large, and nothing");
        known.remember(&chain(200, MAX_BYTES));
        assert_eq!(known.len(), 1);
        for leaf in 0..64 {
            known.remember(&chain(leaf, 100));
        }
        assert_eq!(known.len(), MAX_PEERS);
        assert_eq!(leaves(&known), (0..64).collect::<Vec<_>>());
        // It comes again, with another chain: one place, the latest.
        known.remember(&chain(7, 50));
        known.remember(&chain(7, 50));
        assert_eq!((known.len(), leaves(&known).last()), (MAX_PEERS, Some(&7)));
        assert_eq!(known.chains().back().unwrap()[1].len(), 49);
        known.forget_all();
        assert_eq!(known.len(), 0);
    }
}
