//! The pins that are in force: sets beside each other, of which the most specific one counts, and
//! the generations that follow each other.

use std::collections::HashSet;
use std::fmt;
use std::sync::Arc;

use pki_types::ServerName;

use super::{PinLint, PinScope, PinSet, PinSetError};
use crate::identity::PeerIdentity;
use crate::time::Timestamp;

/// Pin sets beside each other: for each peer the one with the most specific scope counts, alone. Where
/// peers are known by identities, a scope of those is more specific than any of hosts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PinSets {
    sets: Vec<PinSet>,
    unpinned: Vec<PinScope>,
}

impl PinSets {
    /// Puts these sets beside each other.
    ///
    /// # Errors
    /// [`PinSetError`] where two of them name the same hosts.
    pub fn new(sets: impl IntoIterator<Item = PinSet>) -> Result<Self, PinSetError> {
        let sets: Vec<_> = sets.into_iter().collect();
        let mut seen: HashSet<&PinScope> = HashSet::new();
        for scope in sets.iter().flat_map(PinSet::scopes) {
            if !seen.insert(scope) {
                let scope = scope.clone();
                return Err(PinSetError::RepeatedScope { scope });
            }
        }
        let catch_all = sets.iter().filter(|set| set.scopes().is_empty());
        if catch_all.count() > 1 {
            return Err(PinSetError::RepeatedCatchAll);
        }
        let unpinned = Vec::new();
        Ok(Self { sets, unpinned })
    }

    /// Leaves these hosts out, although a less specific scope covers them: for them no set counts. A client
    /// for which pins stand beside the inner verifier then asks that one alone; one for which pins stand in
    /// its place refuses.
    ///
    /// # Errors
    /// [`PinSetError`] where a set names the same hosts, or the scope is one of identities.
    ///
    /// # How do I pin all of a domain but one host?
    /// ```
    /// use notafter::PinSet;
    /// use notafter::pin::PinSets;
    /// # let in_use = "sha256/C5+lpZ7tcVwmwQIMcRtPbsQtWLABXhQzejna0wHFr8M=".parse()?;
    /// let of_the_domain = PinSet::builder().with_current(in_use).with_scope("**.example.com".parse()?).build()?;
    /// let pins = PinSets::from(of_the_domain).with_unpinned(["cdn.example.com".parse()?])?;
    /// assert!(pins.for_server(&"www.example.com".try_into()?).is_some());
    /// assert!(pins.for_server(&"cdn.example.com".try_into()?).is_none());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn with_unpinned(
        mut self,
        hosts: impl IntoIterator<Item = PinScope>,
    ) -> Result<Self, PinSetError> {
        let named = self.sets.iter().flat_map(PinSet::scopes);
        let mut seen: HashSet<PinScope> = named.chain(&self.unpinned).cloned().collect();
        for scope in hosts {
            if scope.is_of_identities() {
                return Err(PinSetError::UnpinnedIdentity { scope });
            }
            if !seen.insert(scope.clone()) {
                return Err(PinSetError::RepeatedScope { scope });
            }
            self.unpinned.push(scope);
        }
        Ok(self)
    }

    /// Lists the hosts that are left out.
    pub fn unpinned(&self) -> &[PinScope] {
        &self.unpinned
    }

    /// Walks over the sets.
    pub fn iter(&self) -> impl Iterator<Item = &PinSet> {
        self.sets.iter()
    }

    /// Finds the set that counts for connections to this name: exact names before wildcards, longer
    /// domains before shorter ones, `*.` before `**.`, a set for every peer last. `None` also where the most
    /// specific scope is one of those that are left out.
    pub fn for_server(&self, name: &ServerName<'_>) -> Option<&PinSet> {
        match self.most_specific(|scope| scope.covers(name)) {
            Some(by_name) => by_name,
            None => self.for_every_peer(),
        }
    }

    /// Finds the set that counts for a peer of this identity before any for the name that the
    /// connection was made to: exact identities before longer paths before shorter ones before trust
    /// domains. `None` where no set is for identities that are this one.
    pub fn for_identity(&self, identity: &PeerIdentity) -> Option<&PinSet> {
        self.most_specific(|scope| scope.covers_identity(identity))?
    }

    /// Says whether any set is for peers by their identity, so that a verifier must know those.
    pub fn need_identities(&self) -> bool {
        let mut scopes = self.sets.iter().flat_map(PinSet::scopes);
        scopes.any(PinScope::is_of_identities)
    }

    /// What the most specific scope is of: a set, or what is left out. `None` where none covers.
    fn most_specific(&self, covers: impl Fn(&PinScope) -> bool) -> Option<Option<&PinSet>> {
        let of_sets = self
            .sets
            .iter()
            .flat_map(|set| set.scopes().iter().map(move |scope| (scope, Some(set))));
        let left_out = self.unpinned.iter().map(|scope| (scope, None));
        let covering = of_sets.chain(left_out).filter(|(scope, _)| covers(scope));
        let best = covering.max_by_key(|(scope, _)| scope.specificity());
        best.map(|(_, set)| set)
    }

    /// Finds the set without hosts.
    pub fn for_every_peer(&self) -> Option<&PinSet> {
        self.sets.iter().find(|set| set.scopes().is_empty())
    }

    /// Says what is unwise about the sets, each by itself and beside the others.
    pub fn lints(&self) -> Vec<PinLint> {
        let mut lints: Vec<_> = self.sets.iter().flat_map(PinSet::lints).collect();
        for pin in self.sets.iter().flat_map(PinSet::usable) {
            let lint = PinLint::RejectedElsewhere { pin: pin.key };
            let elsewhere = self.sets.iter().any(|other| other.is_rejected(&pin.key));
            if elsewhere && !lints.contains(&lint) {
                lints.push(lint);
            }
        }
        lints
    }
}

impl From<PinSet> for PinSets {
    fn from(set: PinSet) -> Self {
        Self {
            sets: vec![set],
            unpinned: Vec::new(),
        }
    }
}

/// The pins as they are in force, all of one moment.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct PinGeneration {
    /// Another number than that of any generation before. What was decided in an older epoch
    /// is decided again.
    pub epoch: u64,
    /// The pins.
    pub sets: PinSets,
    /// The last second at which the announcement that they come from could be applied. After it none
    /// has come: withdrawals may be kept away. `None` where they come from no announcement.
    pub announcement_expires: Option<Timestamp>,
}

impl PinGeneration {
    /// Makes a generation of these sets, from no announcement.
    pub const fn new(epoch: u64, sets: PinSets) -> Self {
        Self {
            epoch,
            sets,
            announcement_expires: None,
        }
    }

    /// Says that the pins come from an announcement that could be applied until this second.
    #[must_use]
    pub const fn with_announcement_expires(mut self, expires: Option<Timestamp>) -> Self {
        self.announcement_expires = expires;
        self
    }
}

/// Where a verifier finds the pins that are in force. It is asked in every handshake and must
/// not block.
pub trait PinsInForce: fmt::Debug + Send + Sync {
    /// Tells the generation in force now.
    fn generation(&self) -> Arc<PinGeneration>;
}

/// Pins that do not change while the process runs.
#[derive(Debug)]
pub struct FixedPins(Arc<PinGeneration>);

impl FixedPins {
    /// Keeps these sets in force for good.
    pub fn new(sets: impl Into<PinSets>) -> Self {
        Self(Arc::new(PinGeneration::new(0, sets.into())))
    }
}

impl PinsInForce for FixedPins {
    fn generation(&self) -> Arc<PinGeneration> {
        Arc::clone(&self.0)
    }
}

impl From<PinSet> for Arc<dyn PinsInForce> {
    fn from(set: PinSet) -> Self {
        Arc::new(FixedPins::new(set))
    }
}

impl From<PinSets> for Arc<dyn PinsInForce> {
    fn from(sets: PinSets) -> Self {
        Arc::new(FixedPins::new(sets))
    }
}
