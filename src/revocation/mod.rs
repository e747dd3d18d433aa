//! Revocation: how fresh it is, and what it ends.

mod crl;
mod next_update;
#[cfg(feature = "ocsp")]
mod ocsp;

pub(crate) use next_update::{crl_next_update, staple_next_update};

pub use crl::{CrlDepth, CrlError, CrlExpiration, Crls, CrlsBuilder, UnknownRevocation};
#[cfg(feature = "ocsp")]
pub use ocsp::{
    ResponderStatus, RevocationReason, SignatureProblem, StapleCache, StapleJudge, StapleOffer,
    StapleOutlook, StapleStatus, UnreadableStaple,
};
