//! What a stapled OCSP response says about a certificate, and until when (RFC 6960, RFC 5019).
//!
//! Pure: the bytes, the leaf, its issuer, the signature algorithms and the instant come from the
//! caller. Whether leaf and issuer verify is not asked here; [`ChainJudge`](crate::outlook) does.

mod cache;
mod cert_id;
mod judge;
mod outlook;
mod reason;
mod responder;
mod response;
mod scts;
mod signature;
mod status;

pub use cache::{StapleCache, StapleOffer};
pub use judge::StapleJudge;
pub use outlook::StapleOutlook;
pub use reason::{ResponderStatus, RevocationReason, SignatureProblem, UnreadableStaple};
pub use scts::scts_of_staple;
pub use status::StapleStatus;
