//! Until when does this verify, over all paths, for whom, and which certificate ends it.
//!
//! rustls-webpki is the one judge: everything said here is read from paths that it accepted.

mod anchors;
mod anchors_stored;
mod answer;
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
pub(crate) use answer::VerifiedCertificates;
pub use answer::{ChainOutlook, LimitingCause, LimitingCertificate, Outlook, PeerOutlook};
#[cfg(feature = "monitor")]
pub(crate) use budget::Budget;
#[cfg(feature = "monitor")]
pub(crate) use candidates::looked_at;
pub use judge::{ChainJudge, Usage};
pub use position::Position;
pub use refusal::Refusal;
#[cfg(feature = "monitor")]
pub(crate) use refusal::unresolved;
pub use timeline::{Interval, PathAnchor, RelyingTimeline, Timeline, VerifyingPath};
