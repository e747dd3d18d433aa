//! Revocation: how fresh it is, and what it ends.

mod crl;
#[cfg(feature = "ocsp")]
mod staple;

pub use crl::{CrlDepth, CrlError, CrlExpiration, Crls, CrlsBuilder, UnknownRevocation};
#[cfg(feature = "ocsp")]
pub use staple::{
    ResponderStatus, RevocationReason, SignatureProblem, StapleCache, StapleJudge, StapleOffer,
    StapleOutlook, StapleStatus, UnreadableStaple,
};
