//! Until when does this verify, over all paths, for whom, and which certificate ends it.
//!
//! rustls-webpki is the one judge: everything said here is read from paths that it accepted.

mod anchors;
mod budget;
mod candidates;
mod first_issuer;
mod horizon;
mod judge;
mod names;
mod paths;
mod position;
mod refusal;
mod signatures;
mod timeline;

pub use anchors::{AnchorError, TrustAnchors, TrustAnchorsBuilder};
#[cfg(feature = "monitor")]
pub(crate) use budget::Budget;
#[cfg(feature = "monitor")]
pub(crate) use candidates::looked_at;
pub(crate) use judge::VerifiedCertificates;
pub use judge::{
    ChainJudge, ChainOutlook, LimitingCause, LimitingCertificate, Outlook, PeerOutlook, Usage,
};
pub use position::Position;
pub use refusal::Refusal;
#[cfg(feature = "monitor")]
pub(crate) use refusal::unresolved;
pub use timeline::{Interval, PathAnchor, RelyingTimeline, Timeline, VerifyingPath};
