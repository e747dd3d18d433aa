//! Stapled OCSP responses: what they say, until when, and who may say it.

mod cache;
mod corpus;
mod handshake;
mod minted;
mod openssl;
mod scene;
mod signers;
mod upstream;
