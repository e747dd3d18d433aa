//! Trust anchors and revocation lists that change while verifiers go by them.
//!
//! Where they lie is looked at in a few edge files; whether what lies there may replace what is in
//! force is a pure function of what was read, what is in force and the instant. What is in force is
//! published as a whole, in generations.

mod anchor_rules;
mod anchors;
mod anchors_builder;
mod crl_files;
mod crl_generation;
mod crl_rules;
mod crls;
mod crls_builder;
mod error;
mod kind;
mod known_issuers;
mod peers_rule;
mod places;
mod reloader;
mod standing;
mod telling;
mod watched;

pub use anchors::ReloadingAnchors;
pub use anchors_builder::ReloadingAnchorsBuilder;
pub use crl_generation::CrlGeneration;
pub use crl_rules::LostIssuers;
pub use crls::ReloadingCrls;
pub use crls_builder::ReloadingCrlsBuilder;
pub use error::{TrustBuildError, TrustReloadError};
pub use peers_rule::AllPeersFail;
pub use reloader::TrustReloadSummary;
