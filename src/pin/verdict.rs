//! What the pins of a set say of one peer: the one place where that is decided, for every verifier.
//!
//! A leaf pin is compared with the key whose possession the peer proves, a pin of a CA with the keys
//! of paths that verified. Keys that a peer merely sent along never come here.

use super::{NearMiss, Pin, PinError, PinSet, PinSetStanding, PinState, PresentedKey, SpkiPin};
use crate::cert::CertificateParseError;
use crate::identity::PeerIdentity;
use crate::outlook::Position;
use crate::time::Timestamp;

/// The keys that one peer is judged by.
pub(crate) struct ShownKeys<'k> {
    /// The name that the connection was made to; `None` for TLS clients.
    pub(crate) host: Option<&'k str>,
    /// Who the peer says it is, where peers are known by identities.
    pub(crate) identity: Option<&'k PeerIdentity>,
    /// That of the leaf, or of the raw public key; or why it cannot be read.
    pub(crate) leaf: Result<SpkiPin, &'k CertificateParseError>,
    pub(crate) above: KeysAbove<'k>,
}

/// What stands above a leaf.
pub(crate) enum KeysAbove<'k> {
    /// Nothing: a raw public key, or a leaf whose pin alone is asked for.
    Nothing,
    /// Nobody knows: there are no anchors by which paths could be verified.
    Unknown,
    /// The keys of these paths.
    Verified(&'k dyn VerifiedPaths),
}

/// The verified paths of one peer at one instant.
pub(crate) trait VerifiedPaths {
    /// Whether there is a path with keys that fit and that whoever verifies paths stands by.
    ///
    /// # Errors
    /// Why no path verifies, for people.
    fn any(&self, fits: &mut dyn FnMut(&PathKeys) -> bool) -> Result<bool, String>;
}

/// The keys of one verified path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PathKeys {
    pub(crate) leaf: SpkiPin,
    /// Nearest the leaf first.
    pub(crate) intermediates: Vec<SpkiPin>,
    pub(crate) anchor: SpkiPin,
}

/// What pins say of one peer at one instant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum PinVerdict {
    /// This pin is accepted, and one of the peer's keys is its.
    Matches(Pin),
    /// The set is past its date and decides no more; and the peer has no key in wrong hands.
    Undecided,
    /// The pins refuse it, enforced or not.
    Refused(PinError),
}

impl PinVerdict {
    pub(crate) const fn matched(&self) -> Option<&Pin> {
        match self {
            Self::Matches(pin) => Some(pin),
            Self::Undecided | Self::Refused(_) => None,
        }
    }

    pub(crate) const fn refusal(&self) -> Option<&PinError> {
        match self {
            Self::Refused(refusal) => Some(refusal),
            Self::Matches(_) | Self::Undecided => None,
        }
    }
}

/// What `set` says at `now` of a peer with these keys.
pub(crate) fn judge(set: &PinSet, shown: &ShownKeys<'_>, now: Timestamp) -> PinVerdict {
    let judged = match set.standing(now) {
        PinSetStanding::InForce | PinSetStanding::InGrace { .. } => {
            find_match(set, shown, now).map(PinVerdict::Matches)
        }
        // Where it decides no more, it still knows whose keys are in wrong hands.
        PinSetStanding::Open => refuse_rejected(set, shown).map(|()| PinVerdict::Undecided),
        PinSetStanding::Closed => Err(expired(set, shown.host, shown.identity, now)),
    };
    judged.unwrap_or_else(PinVerdict::Refused)
}

/// The refusal by a set that is past its date.
pub(crate) fn expired(
    set: &PinSet,
    host: Option<&str>,
    identity: Option<&PeerIdentity>,
    now: Timestamp,
) -> PinError {
    PinError::SetExpired {
        host: host.map(str::to_owned),
        identity: identity.cloned(),
        not_after: set.expiry().map_or(now, |(end, _)| end),
    }
}

/// The pin that a verified path matches at `now`; none where a rejected key is on it.
pub(crate) fn match_path<'s>(set: &'s PinSet, keys: &PathKeys, now: Timestamp) -> Option<&'s Pin> {
    if rejected_on(set, keys).is_some() {
        return None;
    }
    most_telling(set.accepted(now).filter(|pin| keys.has_key_of(pin)))
}

fn find_match(set: &PinSet, shown: &ShownKeys<'_>, now: Timestamp) -> Result<Pin, PinError> {
    let leaf = shown.leaf.map_err(|error| shown.unreadable(error))?;
    if set.is_rejected(&leaf) {
        return Err(shown.rejected(leaf));
    }
    let mismatch = |presented: Vec<PresentedKey>| PinError::Mismatch {
        host: shown.host(),
        identity: shown.identity.cloned(),
        expected: set.accepted(now).cloned().collect(),
        near_misses: near_misses(set, &presented, now),
        presented,
    };
    let at_leaf = match_leaf(set, &leaf, now);
    let leaf_decides = match shown.above {
        KeysAbove::Nothing => true,
        KeysAbove::Unknown | KeysAbove::Verified(_) => {
            let path_may_match = || set.accepted(now).any(|pin| pin.position.needs_path());
            !set.rejects_above() && (at_leaf.is_some() || !path_may_match())
        }
    };
    if leaf_decides {
        let matched = at_leaf.cloned();
        return matched.ok_or_else(|| mismatch(vec![PresentedKey::leaf(leaf)]));
    }
    let KeysAbove::Verified(paths) = shown.above else {
        return Err(shown.no_path("it was given none".to_owned()));
    };
    let (mut matched, mut first_path) = (None, None);
    let mut fits = |keys: &PathKeys| {
        first_path.get_or_insert_with(|| keys.presented());
        matched = match_path(set, keys, now);
        matched.is_some()
    };
    let found = paths
        .any(&mut fits)
        .map_err(|reason| shown.no_path(reason))?;
    match matched.filter(|_| found) {
        Some(pin) => Ok(pin.clone()),
        None => Err(mismatch(
            first_path.unwrap_or_else(|| vec![PresentedKey::leaf(leaf)]),
        )),
    }
}

/// # Errors
/// The rejected key that the peer has, or that every path of it goes over.
fn refuse_rejected(set: &PinSet, shown: &ShownKeys<'_>) -> Result<(), PinError> {
    let leaf = match shown.leaf {
        Ok(leaf) => leaf,
        // Nobody knows whether its key is one of those in wrong hands.
        Err(error) if set.rejects_any() => return Err(shown.unreadable(error)),
        Err(_) => return Ok(()),
    };
    if set.is_rejected(&leaf) {
        return Err(shown.rejected(leaf));
    }
    let KeysAbove::Verified(paths) = shown.above else {
        return Ok(());
    };
    if !set.rejects_above() {
        return Ok(());
    }
    let mut first_rejected = None;
    let mut has_none = |keys: &PathKeys| {
        let rejected = rejected_on(set, keys);
        first_rejected = first_rejected.or(rejected);
        rejected.is_none()
    };
    let found = paths
        .any(&mut has_none)
        .map_err(|reason| shown.no_path(reason))?;
    match (found, first_rejected) {
        (true, _) => Ok(()),
        (false, Some(key)) => Err(shown.rejected(key)),
        (false, None) => {
            let reason = "the inner verifier accepts none of its paths by itself";
            Err(shown.no_path(reason.to_owned()))
        }
    }
}

/// The pin that the leaf's key matches by itself.
fn match_leaf<'s>(set: &'s PinSet, leaf: &SpkiPin, now: Timestamp) -> Option<&'s Pin> {
    let at_leaf = |pin: &&Pin| pin.position.includes_leaf() && pin.key == *leaf;
    most_telling(set.accepted(now).filter(at_leaf))
}

/// The rejected key nearest the leaf on a verified path, whatever the set's standing.
fn rejected_on(set: &PinSet, keys: &PathKeys) -> Option<SpkiPin> {
    if set.is_rejected(&keys.leaf) {
        return Some(keys.leaf);
    }
    let is_rejected = |(position, key): &(Position, SpkiPin)| {
        let mut rejected = set.pins().iter().filter(|p| p.state == PinState::Rejected);
        rejected.any(|pin| pin.key == *key && pin.position.includes(*position))
    };
    let mut keys = keys.with_positions();
    keys.find(is_rejected).map(|(_, key)| key)
}

/// The pins of presented keys that do not count, and why.
fn near_misses(set: &PinSet, presented: &[PresentedKey], now: Timestamp) -> Vec<NearMiss> {
    let mut misses = Vec::new();
    for pin in set.pins() {
        for shown in presented.iter().filter(|shown| shown.pin == pin.key) {
            let counts = pin.is_accepted(now)
                && pin.position.includes(shown.position)
                && !set.is_rejected(&pin.key);
            if !counts {
                misses.push(NearMiss {
                    pin: pin.clone(),
                    shown_at: shown.position,
                });
            }
        }
    }
    misses
}

/// The pin that says most about a match: the key in use before its successor before a backup.
fn most_telling<'p>(matching: impl Iterator<Item = &'p Pin>) -> Option<&'p Pin> {
    matching.min_by_key(|pin| match pin.state {
        PinState::Current => 0,
        PinState::Announced => 1,
        PinState::Backup | PinState::Retired | PinState::Rejected => 2,
    })
}

impl PathKeys {
    fn with_positions(&self) -> impl Iterator<Item = (Position, SpkiPin)> {
        let leaf = std::iter::once((Position::Leaf, self.leaf));
        let intermediates = self.intermediates.iter().enumerate();
        let intermediates = intermediates.map(|(n, key)| (Position::in_chain(n + 1), *key));
        leaf.chain(intermediates)
            .chain(std::iter::once((Position::Anchor, self.anchor)))
    }

    fn has_key_of(&self, pin: &Pin) -> bool {
        let mut keys = self.with_positions();
        keys.any(|(position, key)| pin.key == key && pin.position.includes(position))
    }

    /// The keys as a refusal shows them.
    fn presented(&self) -> Vec<PresentedKey> {
        let keys = self.with_positions();
        keys.map(|(position, pin)| PresentedKey { position, pin })
            .collect()
    }
}

impl ShownKeys<'_> {
    fn host(&self) -> Option<String> {
        self.host.map(str::to_owned)
    }

    fn rejected(&self, key: SpkiPin) -> PinError {
        PinError::Rejected {
            host: self.host(),
            identity: self.identity.cloned(),
            key,
        }
    }

    fn unreadable(&self, error: &CertificateParseError) -> PinError {
        PinError::Unreadable {
            host: self.host(),
            identity: self.identity.cloned(),
            reason: error.to_string(),
        }
    }

    fn no_path(&self, reason: String) -> PinError {
        PinError::NoPath {
            host: self.host(),
            identity: self.identity.cloned(),
            reason,
        }
    }
}

#[cfg(test)]
#[path = "verdict_tests.rs"]
mod tests;
