//! When a certificate should have been renewed, and whether what is served is what was renewed.
//!
//! [`Skew`] compares what a service serves with what lies on disk; `RenewalInfo` reads what a CA
//! suggests (ACME Renewal Information, RFC 9773).

#[cfg(feature = "ari")]
mod ari;
mod skew;

#[cfg(feature = "ari")]
pub use ari::{RenewalInfo, RenewalInfoError};
pub use skew::{Skew, SkewKind};
