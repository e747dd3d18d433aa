//! All roots that are known to name a next key, and what one more certificate changes.

use std::cmp::Ordering;

use super::held_root::{HeldRoot, MAX_ROOT_BYTES, check_form};
use super::overlay::{is_ended, positions_of};
use super::{RootAnnouncementError, RootOutcome};
use crate::cert::{Certificate, SignatureAlgorithms};
use crate::pin::{PinPosition, PinSet, PinSets, SpkiPin};
use crate::time::Timestamp;

/// How far the clocks of who issues and who looks may lie apart.
const CLOCK_TOLERANCE: i64 = 5 * 60;

/// So many roots are remembered: who pins more pins a list.
pub(super) const MAX_ROOTS: usize = 32;

/// What is remembered of roots.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct RootBook {
    pub(super) roots: Vec<HeldRoot>,
    /// The latest instant that it knows of: no first sight lies before it.
    pub(super) latest: Timestamp,
}

/// What a certificate changed, and of which root.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct RootEntry {
    pub(super) root: HeldRoot,
    pub(super) outcome: RootOutcome,
    /// What the root stated before, where it states something else now.
    pub(super) replaced: Option<HeldRoot>,
}

impl RootEntry {
    fn of(root: &HeldRoot, outcome: RootOutcome) -> Self {
        Self {
            root: root.clone(),
            outcome,
            replaced: None,
        }
    }
}

/// By what a certificate is judged.
#[derive(Clone, Copy)]
pub(super) struct Grounds<'a> {
    /// The pins in force, successors that roots announced among them.
    pub(super) sets: &'a PinSets,
    pub(super) algorithms: SignatureAlgorithms,
    pub(super) now: Timestamp,
}

impl RootBook {
    pub(super) const fn new(latest: Timestamp) -> Self {
        Self {
            roots: Vec::new(),
            latest,
        }
    }

    /// Whether the certificate has a key that a root names. Knowing a key that fits a digest is no privilege.
    pub(super) fn is_named(roots: &[HeldRoot], certificate: &Certificate) -> bool {
        let facts = certificate.facts();
        let is_small = certificate.der().len() <= MAX_ROOT_BYTES;
        is_small && roots.iter().any(|root| root.names(facts.spki_der()))
    }

    /// Looks at one certificate: it may have the key that a root names, and it may be a root's that names
    /// one.
    pub(super) fn observe(
        &mut self,
        certificate: &Certificate,
        grounds: Grounds<'_>,
    ) -> Result<RootEntry, RootAnnouncementError> {
        let confirmed = self.confirm(certificate);
        let stated = self.state(certificate, grounds);
        match (stated, confirmed) {
            (Ok(entry), _) => Ok(entry),
            (Err(_), Some(entry)) => Ok(entry),
            (Err(refused), None) => Err(refused),
        }
    }

    /// The root that names this certificate's key; the first to which that is news, where there are several.
    fn confirm(&mut self, certificate: &Certificate) -> Option<RootEntry> {
        if !Self::is_named(&self.roots, certificate) {
            return None;
        }
        let facts = certificate.facts();
        let spki = facts.spki_der();
        let (mut known, mut confirmed) = (None, None);
        for root in self.roots.iter_mut().filter(|root| root.names(spki)) {
            if root.learn(spki) {
                confirmed.get_or_insert_with(|| RootEntry::of(root, RootOutcome::Confirmed));
            } else {
                known.get_or_insert_with(|| RootEntry::of(root, RootOutcome::Known));
            }
        }
        confirmed.or(known)
    }

    /// What the certificate of a pinned root states of its successor.
    fn state(
        &mut self,
        certificate: &Certificate,
        grounds: Grounds<'_>,
    ) -> Result<RootEntry, RootAnnouncementError> {
        check_root(certificate, grounds)?;
        let seen = self.latest.max(grounds.now);
        let stated = HeldRoot::verify(certificate, grounds.algorithms, seen)?;
        let same_key = |root: &&mut HeldRoot| root.key == stated.key;
        let Some(held) = self.roots.iter_mut().find(same_key) else {
            check_dates(certificate, grounds.now)?;
            return self.enter(stated, grounds.sets);
        };
        let order = certificate.not_before().cmp(&held.certificate.not_before());
        if held.next == stated.next {
            // The hold-down goes on, and lasts as long as the newest certificate does.
            if order == Ordering::Greater && check_dates(certificate, grounds.now).is_ok() {
                held.certificate = stated.certificate;
            }
            return Ok(RootEntry::of(held, RootOutcome::Known));
        }
        match order {
            Ordering::Greater => {
                check_dates(certificate, grounds.now)?;
                let outcome = match stated.next {
                    Some(_) => RootOutcome::Announced,
                    None => RootOutcome::Withdrawn,
                };
                self.latest = self.latest.max(stated.first_sight);
                let before = std::mem::replace(held, stated);
                let mut entry = RootEntry::of(held, outcome);
                entry.replaced = Some(before);
                Ok(entry)
            }
            Ordering::Equal => Err(RootAnnouncementError::Conflict {
                subject: certificate.short_name(),
                not_before: certificate.not_before(),
            }),
            Ordering::Less => Err(RootAnnouncementError::Superseded {
                subject: certificate.short_name(),
                not_before: certificate.not_before(),
                newest: held.certificate.not_before(),
            }),
        }
    }

    /// A root of which nothing was known.
    fn enter(
        &mut self,
        stated: HeldRoot,
        sets: &PinSets,
    ) -> Result<RootEntry, RootAnnouncementError> {
        if stated.next.is_none() {
            let subject = stated.name();
            return Err(RootAnnouncementError::StatesNone { subject });
        }
        if self.roots.len() >= MAX_ROOTS {
            // Those that other configurations knew give way.
            let unpinned = |root: &HeldRoot| !is_pinned(sets, &root.key);
            let Some(oldest) = self.roots.iter().position(unpinned) else {
                return Err(RootAnnouncementError::TooManyRoots { limit: MAX_ROOTS });
            };
            self.roots.remove(oldest);
        }
        self.latest = self.latest.max(stated.first_sight);
        let entry = RootEntry::of(&stated, RootOutcome::Announced);
        self.roots.push(stated);
        Ok(entry)
    }

    /// Takes a root over as it was remembered, as far as it is verified.
    pub(super) fn recall(&mut self, root: HeldRoot) {
        let is_known = self.roots.iter().any(|known| known.key == root.key);
        if !is_known && self.roots.len() < MAX_ROOTS {
            self.roots.push(root);
        }
    }

    /// Takes over what was kept before this process could read it, with what was seen here since.
    pub(super) fn resume(&mut self, kept: Self) {
        let seen = std::mem::replace(self, kept);
        self.latest = self.latest.max(seen.latest);
        for mut root in seen.roots {
            let Some(known) = self.roots.iter_mut().find(|known| known.key == root.key) else {
                self.recall(root);
                continue;
            };
            let is_newer = root.certificate.not_before() > known.certificate.not_before();
            if root.next == known.next {
                root.first_sight = known.first_sight;
                root.next_spki = root.next_spki.or_else(|| known.next_spki.take());
                known.next_spki.clone_from(&root.next_spki);
            }
            if is_newer {
                *known = root;
            }
        }
    }

    /// Forgets roots whose pins are over, or in wrong hands; and gives them.
    pub(super) fn end(&mut self, sets: &PinSets) -> Vec<HeldRoot> {
        let (ended, roots) = std::mem::take(&mut self.roots)
            .into_iter()
            .partition(|root| is_ended(sets, &root.key));
        self.roots = roots;
        ended
    }

    /// Remembers that `now` was reached. A clock that runs ahead cannot move it further than a root lasts.
    pub(super) fn reach(&mut self, now: Timestamp) {
        let ends = self.roots.iter().map(|root| root.certificate.not_after());
        if let Some(end) = ends.max() {
            self.latest = self.latest.max(now.min(end));
        }
    }
}

/// What keeps a certificate out before anything of it is read.
pub(super) fn check_root(
    certificate: &Certificate,
    grounds: Grounds<'_>,
) -> Result<(), RootAnnouncementError> {
    check_form(certificate)?;
    check_pinned(certificate, grounds.sets, grounds.now)
}

fn is_pinned(sets: &PinSets, key: &SpkiPin) -> bool {
    let mut pins = sets.iter().flat_map(PinSet::pins);
    pins.any(|pin| pin.key == *key)
}

/// Its key must be accepted, at a position at which a root stands.
fn check_pinned(
    certificate: &Certificate,
    sets: &PinSets,
    now: Timestamp,
) -> Result<(), RootAnnouncementError> {
    let key = SpkiPin::from_certificate(certificate);
    let positions: Vec<PinPosition> = positions_of(sets, &key, now).collect();
    if positions.iter().any(|position| position.needs_path()) {
        return Ok(());
    }
    let subject = certificate.short_name();
    Err(match positions.first() {
        Some(position) => RootAnnouncementError::WrongPosition {
            subject,
            key,
            position: *position,
        },
        None => RootAnnouncementError::NotPinned { subject, key },
    })
}

fn check_dates(certificate: &Certificate, now: Timestamp) -> Result<(), RootAnnouncementError> {
    let (not_before, not_after) = (certificate.not_before(), certificate.not_after());
    let subject = || certificate.short_name();
    if not_before > now.saturating_add(CLOCK_TOLERANCE) {
        return Err(RootAnnouncementError::NotYetValid {
            subject: subject(),
            not_before,
            now,
        });
    }
    if now > not_after {
        return Err(RootAnnouncementError::Expired {
            subject: subject(),
            not_after,
            now,
        });
    }
    Ok(())
}
