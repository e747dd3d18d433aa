//! What is unwise about pins beside what pinned roots say of their next keys (RFC 8649).

use super::{Pin, PinLint, PinState, SpkiPin};
use crate::cert::{Certificate, NextRootKey};

/// Of pins that are or will be accepted, beside the certificates of roots.
pub(super) fn lint_roots(usable: &[&Pin], roots: &[Certificate]) -> Vec<PinLint> {
    let mut lints = Vec::new();
    for root in roots {
        let key = SpkiPin::from_certificate(root);
        let is_pinned = usable.iter().any(|pin| counts_for(pin, &key));
        let Ok(Some(next)) = root.next_root_key() else {
            continue;
        };
        if !is_pinned || !root.is_self_issued() {
            continue;
        }
        let lint = lint_next(usable, roots, root, &next);
        lints.extend(lint.filter(|lint| !lints.contains(lint)));
    }
    lints
}

fn lint_next(
    usable: &[&Pin],
    roots: &[Certificate],
    root: &Certificate,
    next: &NextRootKey,
) -> Option<PinLint> {
    let named = SpkiPin::from_next_root_key(next);
    let named = named.or_else(|| {
        let shown = roots
            .iter()
            .find(|other| next.matches(other.facts().spki_der()));
        shown.map(SpkiPin::from_certificate)
    });
    let is_pinned = named.is_some_and(|key| usable.iter().any(|pin| counts_for(pin, &key)));
    if is_pinned {
        return None;
    }
    let is_successor = |pin: &&&Pin| {
        let is_ahead = matches!(pin.state, PinState::Announced | PinState::Backup);
        is_ahead && pin.position.needs_path() && pin.key != SpkiPin::from_certificate(root)
    };
    let (name, next) = (root.short_name(), next.clone());
    Some(match usable.iter().find(is_successor).zip(named) {
        Some((successor, _)) => PinLint::NextRootKeyDiffers {
            root: name,
            next,
            pin: successor.key,
        },
        None => PinLint::NextRootKeyUnpinned { root: name, next },
    })
}

fn counts_for(pin: &Pin, key: &SpkiPin) -> bool {
    pin.key == *key && pin.position.needs_path()
}
