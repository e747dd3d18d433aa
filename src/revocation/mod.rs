//! Revocation: how fresh it is, and what it ends.
//!
//! [`Crls`] are lists with the rules for them, which a [`ChainJudge`](crate::ChainJudge) looks
//! certificates up in; `StapleJudge` says what a stapled OCSP response is worth, and until when. Bytes,
//! issuers, signature algorithms and the instant are the caller's: nothing is fetched here.
//!
//! # Until when does a staple say good?
#![cfg_attr(feature = "ocsp", doc = "```")]
#![cfg_attr(not(feature = "ocsp"), doc = "```ignore")]
//! use notafter::revocation::StapleJudge;
//! # use notafter::source::SourceContents;
//! # macro_rules! data { ($name:literal) => {
//! #     include_bytes!(concat!("../../tests/data/staples/", $name)) } }
//! # let read = |pem: &[u8]| SourceContents::from_bytes("", pem).certificates.remove(0).certificate;
//! # let (leaf, issuer) = (read(data!("leaf.pem")), read(data!("issuer.pem")));
//! # let staple: &[u8] = data!("good.der");
//! # let provider = rustls::crypto::ring::default_provider();
//! let algorithms = provider.signature_verification_algorithms.all;
//! let now = "2026-01-01T00:00:00Z".parse()?;
//! let outlook = StapleJudge::new().judge(staple, &leaf, &issuer, algorithms, now);
//! assert_eq!(outlook.good_until(), Some("2026-01-08T00:00:00Z".parse()?));
//! # Ok::<(), notafter::time::TimestampParseError>(())
//! ```

mod crl;
mod next_update;
#[cfg(feature = "ocsp")]
mod ocsp;

#[cfg(feature = "reload")]
pub(crate) use crl::CrlScope;
pub(crate) use next_update::{crl_next_update, crl_this_update, staple_next_update};

pub use crl::{CrlDepth, CrlError, CrlExpiration, Crls, CrlsBuilder, UnknownRevocation};
#[cfg(feature = "ocsp")]
pub use ocsp::{
    ResponderStatus, RevocationReason, SignatureProblem, StapleCache, StapleJudge, StapleOffer,
    StapleOutlook, StapleStatus, UnreadableStaple, scts_of_staple,
};
