//! One certificate: the facts that its bytes state.
//!
//! [`CertificateFacts`] borrows and allocates nothing; [`Certificate`] owns its bytes and answers the
//! same questions. What needs a full parse of the extensions is in `CertificateDetails`.

mod alt_names;
mod certificate;
pub(crate) mod der;
#[cfg(feature = "details")]
mod details;
mod facts;
mod layout;
mod name;
mod signature;

#[cfg(test)]
mod tests;

pub use alt_names::SubjectAltNames;
pub use certificate::{Certificate, CertificateBytes, Sha256Digest};
pub use der::{CertificateParseError, DerProblem};
#[cfg(feature = "details")]
pub use details::{CertificateDetails, DetailsError, KeyType};
pub use facts::CertificateFacts;
#[cfg(feature = "ocsp")]
pub(crate) use facts::Extension;
pub(crate) use facts::count_constraints;
#[cfg(feature = "ocsp")]
pub(crate) use name::dotted;
pub use signature::SignatureAlgorithms;

pub(crate) use der::in_sequence;
pub(crate) use name::readable as name_for_people;
pub(crate) use signature::fitting_algorithms;
