//! Who a peer is by what its leaf says, rather than by the name that a connection was made to.
//!
//! Where peers are known by an identity, an application says by which: whatever implements
//! [`IdentifiesPeers`] makes a [`PeerIdentity`] of a leaf. [`SpiffeIdentities`] does so for X.509-SVIDs
//! (SPIFFE, X509-SVID, 2 and 5.2), whose identity is a [`SpiffeId`] in a [`TrustDomain`]. All of it is a
//! function of the leaf's bytes: whether somebody vouches for them, and whether the peer has the
//! leaf's key, is for verifiers.
//!
//! # What is the SPIFFE ID of this certificate?
//! ```
//! use notafter::Certificate;
//! use notafter::identity::{SpiffeId, SpiffeIdentities, SvidError};
//! fn id_of(leaf: &Certificate) -> Result<SpiffeId, SvidError> {
//!     SpiffeIdentities::id_of(leaf)
//! }
//! # use notafter::source::SourceContents;
//! # let pem = include_bytes!("../../tests/data/incidents/dst-root-x3-2021/certs/leaf.pem");
//! # let contents = SourceContents::from_bytes("", pem);
//! # let web = &contents.certificates[0].certificate;
//! assert_eq!(id_of(web), Err(SvidError::NoUri));
//! ```

mod error;
mod peer_identity;
mod spiffe_id;
mod svid;
mod text_error;

#[cfg(test)]
mod tests;

pub use error::{IdentityError, SvidError};
pub use peer_identity::{IdentifiesPeers, PeerIdentity};
pub use spiffe_id::{SpiffeId, TrustDomain};
pub use svid::SpiffeIdentities;
pub use text_error::{PeerIdentityError, SpiffeIdError};
