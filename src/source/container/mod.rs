//! PKCS#12, PKCS#7 and Java's keystores: what OpenSSL, Windows and Java write, and rustls does not load.
//!
//! What crates there are for them take strict DER alone, fail as a whole where one entry is damaged,
//! hold no bound on iterations, or trust the counts in the file; so the outlines are walked here, and
//! everything that computes is RustCrypto's.

mod ber;
mod check;
mod containers;
mod fault;
mod hash;
mod java;
mod java_bytes;
mod key;
mod open;
mod order;
mod pbe;
mod pbmac1;
mod pem_blocks;
mod pkcs12;
mod pkcs7;
mod sealed_object;
mod secret;
mod thing;

pub use containers::Containers;
#[cfg(feature = "monitor")]
pub(super) use fault::ContainerFault;
#[cfg(feature = "monitor")]
pub(super) use open::private_key;
pub(super) use open::read;
pub(super) use pem_blocks::ContainerBlocks;
