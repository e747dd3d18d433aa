//! Revocation: how fresh it is, and what it ends.

mod crl;

pub use crl::{CrlDepth, CrlError, CrlExpiration, Crls, CrlsBuilder, UnknownRevocation};
