//! In which order the things of a container are given: it has none of its own, or one that says
//! nothing, and a chain begins with its leaf.

use super::thing::Thing;
use crate::cert::CertificateFacts;

/// So many certificates are put in order; those that come after them stay where they are.
const MAX_CHAIN: usize = 16;

/// The numbers of the things: first the certificate of the first key (where there is no key, the only
/// one that is not a CA's), then who issued it, and so on; then everything else as it lies.
pub(super) fn chain_first(things: &[Thing]) -> Vec<usize> {
    let mut chain: Vec<usize> = lead(things).into_iter().collect();
    while let Some(issuer) = chain.last().and_then(|last| issuer(things, *last, &chain)) {
        chain.push(issuer);
        if chain.len() >= MAX_CHAIN {
            break;
        }
    }
    let mut order = chain.clone();
    order.extend((0..things.len()).filter(|number| !chain.contains(number)));
    order
}

fn lead(things: &[Thing]) -> Option<usize> {
    let key_of = |thing: &Thing| match thing {
        Thing::Key { key_id, .. } => key_id.clone(),
        _ => None,
    };
    let first_key = things.iter().find_map(key_of);
    let of_key = first_key.and_then(|key| {
        things.iter().position(|thing| {
            matches!(thing, Thing::Certificate { key_id, .. } if key_id.as_ref() == Some(&key))
        })
    });
    of_key.or_else(|| {
        let is_leaf = |number: &usize| facts(things, *number).is_some_and(|facts| !facts.is_ca());
        let mut leaves = (0..things.len()).filter(is_leaf);
        leaves.next().filter(|_| leaves.next().is_none())
    })
}

fn issuer(things: &[Thing], of: usize, chain: &[usize]) -> Option<usize> {
    let issued = facts(things, of)?;
    if issued.is_self_issued() {
        return None;
    }
    let is_issuer = |number: &usize| {
        !chain.contains(number)
            && facts(things, *number)
                .is_some_and(|facts| facts.is_ca() && facts.subject_der() == issued.issuer_der())
    };
    (0..things.len()).find(is_issuer)
}

fn facts(things: &[Thing], number: usize) -> Option<CertificateFacts<'_>> {
    match things.get(number)? {
        Thing::Certificate { der, .. } => CertificateFacts::parse(der).ok(),
        _ => None,
    }
}
