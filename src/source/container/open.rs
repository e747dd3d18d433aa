//! Opening a container, whichever it is.

use pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};

use super::fault::ContainerFault;
use super::secret::{IterationBudget, Secret};
use super::thing::{Opened, Thing};
use super::{java, order, pkcs7, pkcs12};
use crate::source::foreign_format::ForeignFormat;
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
    let things = match open(format, bytes, passphrase) {
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
    let mut opened = open(format, bytes, passphrase)?;
    for thing in &opened.things {
        if let Thing::Key { key, .. } = thing {
            let key = key.open(opened.secret.as_ref(), &mut opened.budget)?;
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

fn open(
    format: ForeignFormat,
    bytes: &[u8],
    passphrase: Option<&Passphrase>,
) -> Result<Opened, ContainerFault> {
    if format == ForeignFormat::Pkcs7 {
        return Ok(Opened {
            things: pkcs7::open(bytes)?,
            secret: None,
            budget: IterationBudget::new(),
        });
    }
    let secret = match passphrase {
        Some(passphrase) => {
            let bytes = passphrase.bytes();
            let bytes = bytes.ok_or(ContainerFault::NobodyKnowsPassphrase)?;
            Some(Secret::new(bytes))
        }
        None => None,
    };
    match format {
        ForeignFormat::Jks | ForeignFormat::Jceks => java::open(bytes, secret),
        _ => pkcs12::open(bytes, secret),
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
