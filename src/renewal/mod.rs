//! When a certificate should have been renewed, and whether what is served is what was renewed.
//!
//! [`Skew`] compares what a service serves with what lies on disk; `RenewalInfo` reads what a CA
//! suggests (ACME Renewal Information, RFC 9773). Neither fetches anything or knows the clock.
//! [`IdentityInForce`] says to sessions that another identity is shown than the one they began with.
//!
//! # Was my certificate renewed, and is it served?
//! ```
//! use notafter::renewal::{Skew, SkewKind};
//! # use notafter::source::SourceContents;
//! # let pem = include_bytes!("../../tests/data/incidents/dst-root-x3-2021/certs/leaf.pem");
//! # let leaf = SourceContents::from_bytes("", pem).certificates.remove(0).certificate;
//! let (serving, on_disk) = (leaf.clone(), leaf);
//! let (due, now) = ("2021-11-27T14:46:27Z".parse()?, "2021-12-01T14:46:27Z".parse()?);
//! let skew = Skew::between(&serving, Some(&on_disk), due, now);
//! assert_eq!(skew.map(|skew| skew.kind), Some(SkewKind::DueButNotRenewed));
//! # Ok::<(), notafter::time::TimestampParseError>(())
//! ```

#[cfg(feature = "ari")]
mod ari;
mod identity;
mod skew;

#[cfg(feature = "ari")]
pub use ari::{RenewalInfo, RenewalInfoError};
pub use identity::IdentityInForce;
pub use skew::{Skew, SkewKind};
