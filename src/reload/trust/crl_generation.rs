//! The revocation lists in force.

use pki_types::CertificateRevocationListDer;

use crate::revocation::Crls;
use crate::time::{Timestamp, Validity};

/// The revocation lists as they are in force, all of one moment.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct CrlGeneration {
    /// Another number than that of any generation before.
    pub epoch: u64,
    /// The lists with the rules for them.
    pub crls: Crls,
    /// The same lists, for a rustls verifier.
    pub ders: Vec<CertificateRevocationListDer<'static>>,
    pub(super) lists: Vec<ListInForce>,
}

/// What is known of a list in force.
#[derive(Debug, Clone)]
pub(super) struct ListInForce {
    pub(super) file: String,
    /// DER without the outer SEQUENCE.
    pub(super) issuer: Vec<u8>,
    pub(super) this_update: Timestamp,
    pub(super) next_update: Timestamp,
}

impl ListInForce {
    /// A list is current while now < nextUpdate.
    pub(super) const fn validity(&self) -> Validity {
        Validity {
            not_before: self.this_update,
            not_after: self.next_update.saturating_add(-1),
        }
    }
}
