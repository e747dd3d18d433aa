//! The revocation lists in force.

use pki_types::CertificateRevocationListDer;

use crate::cert::name_for_people;
use crate::revocation::{CrlScope, Crls};
use crate::time::{Timestamp, Validity};

/// The revocation lists as they are in force, all of one moment.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct CrlGeneration {
    /// Another number than that of any generation before.
    pub epoch: u64,
    /// The lists with the rules for them.
    pub crls: Crls,
    /// The same lists, for a rustls verifier: the one that was made last comes first, for rustls goes by the
    /// first that speaks for a certificate.
    pub ders: Vec<CertificateRevocationListDer<'static>>,
    pub(super) lists: Vec<ListInForce>,
}

/// What is known of a list in force.
#[derive(Debug, Clone)]
pub(super) struct ListInForce {
    pub(super) file: String,
    pub(super) scope: CrlScope,
    pub(super) this_update: Timestamp,
    pub(super) next_update: Timestamp,
}

impl ListInForce {
    pub(super) fn issuer_name(&self) -> String {
        name_for_people(&self.scope.issuer)
    }

    /// A list is current while now < nextUpdate.
    pub(super) const fn validity(&self) -> Validity {
        Validity {
            not_before: self.this_update,
            not_after: self.next_update.saturating_add(-1),
        }
    }
}
