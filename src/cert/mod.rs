//! One certificate: the facts that its bytes state.
//!
//! [`CertificateFacts`] borrows and allocates nothing; [`Certificate`] owns its bytes and answers the
//! same questions. Both know the bytes and nothing else: no instant, no anchor, no opinion. What needs
//! a full parse of keys and extensions is in `CertificateDetails`.
//!
//! # Until when is this certificate valid, and for which names?
//! ```
//! use notafter::Certificate;
//! # use notafter::source::SourceContents;
//! # let pem = include_bytes!("../../tests/data/incidents/dst-root-x3-2021/certs/leaf.pem");
//! # let contents = SourceContents::from_bytes("", pem);
//! # let der = contents.certificates[0].certificate.der().as_ref();
//! let certificate = Certificate::from_der(der)?;
//! assert_eq!(certificate.not_after().to_string(), "2021-12-27T14:46:27Z");
//! assert!(certificate.subject_alt_names().dns.contains(&"corti.li".to_owned()));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

pub(crate) mod algorithm;
mod alt_names;
mod certificate;
pub(crate) mod der;
#[cfg(feature = "details")]
mod details;
mod digest;
mod facts;
#[cfg(any(feature = "announcements", feature = "ocsp", feature = "reload"))]
mod issuance;
mod key_type;
mod layout;
mod name;
mod next_root_key;
mod sct;
mod signature;

#[cfg(test)]
mod sct_tests;
#[cfg(test)]
mod tests;

pub use alt_names::SubjectAltNames;
pub(crate) use alt_names::uris as uris_of_names;
pub use certificate::{Certificate, CertificateBytes};
pub use der::{CertificateParseError, DerProblem};
#[cfg(feature = "details")]
pub use details::{CertificateDetails, DetailsError};
pub use digest::{DigestParseError, Sha256Digest};
pub use facts::CertificateFacts;
#[cfg(feature = "ocsp")]
pub(crate) use facts::EXTENDED_KEY_USAGE;
#[cfg(feature = "ocsp")]
pub(crate) use facts::Extension;
pub(crate) use facts::count_constraints;
#[cfg(feature = "ocsp")]
pub(crate) use facts::purposes;
pub(crate) use facts::{BASIC_CONSTRAINTS, KEY_USAGE, SUBJECT_ALT_NAME};
#[cfg(feature = "ocsp")]
pub(crate) use issuance::is_issued_by;
#[cfg(feature = "reload")]
pub(crate) use issuance::signature_by;
#[cfg(any(feature = "announcements", feature = "reload"))]
pub(crate) use issuance::{IssuerSignature, issuer_signature};
#[cfg(feature = "details")]
pub use key_type::KeyType;
#[cfg(not(feature = "details"))]
pub(crate) use key_type::KeyType;
pub(crate) use key_type::is_verified_by_aws_lc_rs_alone;
#[cfg(any(feature = "ocsp", feature = "reload"))]
pub(crate) use name::dotted;
pub use next_root_key::{NextRootKey, NextRootKeyError, RootKeyHash};
pub use sct::{Sct, SctList, SctParseError, SctProblem};
pub use signature::SignatureAlgorithms;

pub(crate) use der::in_sequence;
pub(crate) use name::readable as name_for_people;
#[cfg(any(feature = "announcements", feature = "ocsp", feature = "reload"))]
pub(crate) use signature::fitting_algorithms;
#[cfg(any(feature = "monitor", feature = "reload"))]
pub(crate) use signature::verifies_by;
