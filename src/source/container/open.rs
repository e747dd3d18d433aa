//! Opening a container, whichever it is.

use pkcs8::der::zeroize::Zeroizing;
use pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};

use super::fault::ContainerFault;
use super::secret::Secret;
use super::thing::{Opened, SealedKey, Thing};
use super::{java, order, pkcs7, pkcs12};
use crate::source::foreign_format::ForeignFormat;
use crate::source::kdf_cost::IterationBudget;
use crate::source::passphrase::Passphrase;
use crate::source::scan::{self, Scanned};
use crate::source::{FailureReason, Place, SourceFailure};

/// Everything in a container, the chain of its key first. Its keys are not opened.
pub(in super::super) fn read(
    place: &Place,
    format: ForeignFormat,
    bytes: &[u8],
    passphrase: Option<&Passphrase>,
) -> Vec<Scanned> {
    let things = match open(format, bytes, passphrase, &mut IterationBudget::new()) {
        Ok(opened) => opened.things,
        Err(fault) => return vec![Scanned::Failure(failure(place.clone(), format, fault))],
    };
    let numbers = order::chain_first(&things);
    let scanned = numbers.into_iter().filter_map(|number| {
        let mut place = place.clone();
        // What lies in a PEM block has its number.
        place.block.get_or_insert(number + 1);
        Some(match things.get(number)? {
            Thing::Certificate { der, .. } => scan::certificate(place, der),
            Thing::Key { .. } => Scanned::PrivateKey(place),
            Thing::Fault(fault) => Scanned::Failure(failure(place, format, *fault)),
        })
    });
    scanned.collect()
}

/// The first private key in a container.
///
/// # Errors
/// [`ContainerFault`] where there is none, or it does not open.
pub(in super::super) fn private_key(
    format: ForeignFormat,
    bytes: &[u8],
    passphrase: Option<&Passphrase>,
) -> Result<PrivateKeyDer<'static>, ContainerFault> {
    let mut budget = IterationBudget::new();
    let opened = open(format, bytes, passphrase, &mut budget)?;
    for thing in &opened.things {
        if let Thing::Key { key, .. } = thing {
            let key = match key.open(opened.secret.as_ref(), &mut budget) {
                Err(ContainerFault::WrongPassphrase) => of_its_own(key, passphrase, &mut budget)?,
                key => key?,
            };
            let key = PrivatePkcs8KeyDer::from(&key[..]);
            return Ok(PrivateKeyDer::Pkcs8(key).clone_key());
        }
    }
    let fault = opened.things.into_iter().find_map(|thing| match thing {
        Thing::Fault(fault) => Some(fault),
        _ => None,
    });
    Err(fault.unwrap_or(ContainerFault::NotRead("no private key")))
}

/// A key that the passphrase of its container does not open, and another one may.
fn of_its_own(
    key: &SealedKey,
    passphrase: Option<&Passphrase>,
    budget: &mut IterationBudget,
) -> Result<Zeroizing<Vec<u8>>, ContainerFault> {
    let Some(passphrase) = passphrase.filter(|passphrase| passphrase.count() > 1) else {
        return Err(ContainerFault::WrongPassphrase);
    };
    for known in passphrase.each().flatten() {
        match key.open(Some(&Secret::new(known)), budget) {
            Err(ContainerFault::WrongPassphrase) => {}
            opened => return opened,
        }
    }
    Err(ContainerFault::WrongPassphrases(passphrase.count()))
}

/// Opened with the first of its passphrases that opens everything in it; where none does, with the first
/// that opens the most.
fn open(
    format: ForeignFormat,
    bytes: &[u8],
    passphrase: Option<&Passphrase>,
    budget: &mut IterationBudget,
) -> Result<Opened, ContainerFault> {
    let Some(passphrase) = passphrase.filter(|_| format != ForeignFormat::Pkcs7) else {
        return open_by(format, bytes, None, budget);
    };
    let mut best = Err(ContainerFault::NobodyKnowsPassphrase);
    for known in passphrase.each().flatten() {
        let opened = match open_by(format, bytes, Some(Secret::new(known)), budget) {
            Err(ContainerFault::WrongPassphrase) => {
                best = best.or(Err(ContainerFault::WrongPassphrase));
                continue;
            }
            opened => opened?,
        };
        let closed = opened.closed();
        if closed == 0 {
            return Ok(opened);
        }
        if best
            .as_ref()
            .map_or(true, |best: &Opened| closed < best.closed())
        {
            best = Ok(opened);
        }
    }
    match passphrase.count() {
        ..=1 => best,
        count => best
            .map(|opened| opened.by_none_of(count))
            .map_err(|fault| fault.by_none_of(count)),
    }
}

fn open_by(
    format: ForeignFormat,
    bytes: &[u8],
    secret: Option<Secret>,
    budget: &mut IterationBudget,
) -> Result<Opened, ContainerFault> {
    match format {
        ForeignFormat::Pkcs7 => Ok(Opened {
            things: pkcs7::open(bytes)?,
            secret: None,
        }),
        ForeignFormat::Jks | ForeignFormat::Jceks => java::open(bytes, secret),
        _ => pkcs12::open(bytes, secret, budget),
    }
}

pub(super) fn failure(place: Place, format: ForeignFormat, fault: ContainerFault) -> SourceFailure {
    let reason = fault.reason();
    let failure = SourceFailure::at(place, reason, format!("{} {fault}", format.name()));
    match reason {
        FailureReason::OtherFormat => failure.with_advice(format.to_certificates()),
        _ => failure,
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    #[test]
    fn what_several_passphrases_cost_counts_together() {
        let asked = Arc::new(AtomicUsize::new(0));
        let passphrase = || {
            let asked = Arc::clone(&asked);
            Passphrase::from_fn(move || {
                asked.fetch_add(1, Ordering::Relaxed);
                Some("wrong".into())
            })
        };
        let passphrases = Passphrase::any_of((0..100).map(|_| passphrase()));
        let mut budget = IterationBudget::new();
        budget
            .take(10_000_000 - 25_000)
            .unwrap_or_else(|_| panic!("that much there is"));
        // Each costs 10,000.
        let store = include_bytes!("../../../tests/data/containers/key.p12");
        let opened = open(
            ForeignFormat::Pkcs12,
            store,
            Some(&passphrases),
            &mut budget,
        );
        assert_eq!(opened.map(drop), Err(ContainerFault::TooCostly));
        assert_eq!(asked.load(Ordering::Relaxed), 3);
    }
}
