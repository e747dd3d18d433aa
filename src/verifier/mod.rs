//! Wrappers around rustls's verifiers: they ask the inner verifier, then may only refuse more.

mod accepted;
mod assess;
mod builder;
mod cache;
mod client;
mod conclude;
mod grace;
mod matters;
mod memory;
mod peer;
mod pin_only;
mod pins;
mod presented;
mod proof;
mod server;
#[cfg(feature = "ocsp")]
mod staple;
mod tell;
mod tell_pins;
mod unproven;
mod watch;

use rustls::{CertificateError, Error};

pub use builder::{VerifierBuildError, WatchingVerifierBuilder};
pub use cache::{VerdictCache, VerdictCacheBuilder, VerdictCacheError};
pub use client::WatchingClientVerifier;
pub use grace::{PinnedGrace, PinnedGraceTooLong};
pub use pin_only::{NameCheck, PinOnlyVerifier, PinOnlyVerifierBuilder};
pub use presented::{PresentedBounds, PresentedError, presented_error};
pub use server::WatchingServerVerifier;
#[cfg(feature = "ocsp")]
pub use staple::{StapleRule, StapleStrictness};

use crate::pin::PinError;

/// The pin refusal inside of a rustls error, if it is one.
///
/// # Did this handshake fail because of a pin?
/// ```
/// # let error = rustls::Error::General("another".to_owned());
/// match notafter::pin_error(&error) {
///     Some(refusal) => eprintln!("{refusal}"),
///     None => eprintln!("not a matter of pins: {error}"),
/// }
/// ```
pub fn pin_error(error: &Error) -> Option<&PinError> {
    match error {
        Error::InvalidCertificate(CertificateError::Other(other)) => other.0.downcast_ref(),
        _ => None,
    }
}

/// The rustls error that carries a pin refusal; its alert is `certificate_unknown`.
fn refuse(error: PinError) -> Error {
    let other = rustls::OtherError(std::sync::Arc::new(error));
    Error::InvalidCertificate(CertificateError::Other(other))
}
