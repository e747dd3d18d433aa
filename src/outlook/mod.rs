//! Until when does this verify, over all paths, for whom, and which certificate ends it.
//!
//! rustls-webpki is the one judge: everything said here is read from paths that it accepted. A
//! [`ChainJudge`] has anchors, signature algorithms and a usage; chain, name and instant are given with
//! each question.
//!
//! # Until when does this chain verify, and what ends it?
//! ```
//! use notafter::{ChainJudge, TrustAnchors};
//! use notafter::outlook::Usage;
//! # use notafter::source::SourceContents;
//! # macro_rules! pem { ($name:literal) => { include_str!(concat!(
//! #     "../../tests/data/incidents/addtrust-2020-comodo-rsa/certs/", $name, ".pem")) } }
//! # let chain = concat!(pem!("leaf"), pem!("comodo-rsa-ov"), pem!("comodo-rsa-ca-by-addtrust"));
//! # let root = SourceContents::from_bytes("root.pem", pem!("addtrust-root").as_bytes());
//! # let found = SourceContents::from_bytes("served.pem", chain.as_bytes()).certificates;
//! # let chain: Vec<_> = found.into_iter().map(|found| found.certificate).collect();
//! # let provider = rustls::crypto::ring::default_provider();
//! let anchors = TrustAnchors::builder().with_source(&root).build();
//! let algorithms = provider.signature_verification_algorithms.all;
//! let judge = ChainJudge::new(anchors, algorithms, Usage::ServerAuth);
//! let outlook = judge.report(&chain, None, "2020-05-01T00:00:00Z".parse()?).rustls;
//! assert_eq!(outlook.effective_not_after, Some("2020-05-30T10:48:38Z".parse()?));
//! assert_eq!(outlook.limiting.unwrap().certificate.short_name(), "COMODO RSA Certification Authority");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod anchors;
mod anchors_files;
#[cfg(feature = "mozilla-anchors")]
mod anchors_mozilla;
#[cfg(feature = "os-anchors")]
mod anchors_os;
mod anchors_rustls;
mod answer;
mod budget;
mod candidates;
mod first_issuer;
mod horizon;
mod in_force;
mod judge;
mod known_peers;
mod names;
mod paths;
mod position;
mod refusal;
mod sct_constraint;
mod signatures;
mod timeline;

pub use anchors::{AnchorError, TrustAnchors, TrustAnchorsBuilder};
pub(crate) use answer::VerifiedCertificates;
pub use answer::{ChainOutlook, LimitingCause, LimitingCertificate, Outlook, PeerOutlook};
#[cfg(feature = "monitor")]
pub(crate) use budget::Budget;
#[cfg(feature = "monitor")]
pub(crate) use candidates::looked_at;
pub use horizon::RelyingParty;
pub use in_force::{TrustGeneration, TrustInForce};
pub use judge::{ChainJudge, Usage};
pub use known_peers::KnownPeers;
pub use position::Position;
pub use refusal::Refusal;
#[cfg(feature = "monitor")]
pub(crate) use refusal::unresolved;
pub(crate) use refusal::{readable_name, unsupported_words, webpki_words};
pub use sct_constraint::SctConstraint;
pub use timeline::{Interval, PathAnchor, RelyingTimeline, Timeline, VerifyingPath};
