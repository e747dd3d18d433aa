//! Verifiers of peers that show X.509-SVIDs: a leaf counts under the bundle of its own trust domain
//! alone, and its SPIFFE ID must be one that the caller accepts.

mod accepted;
mod builder;
mod bundles;
mod by_domain;
mod client;
mod error;
mod server;

pub use accepted::SpiffePeer;
pub use builder::SpiffeVerifierBuilder;
pub use bundles::SpiffeBundles;
pub use client::SpiffeClientVerifier;
pub use error::{SpiffePeerError, SpiffeVerifierError, spiffe_error};
pub use server::SpiffeServerVerifier;
