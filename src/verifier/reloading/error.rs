//! Why a verifier cannot go by anchors and lists.

use rustls::client::VerifierBuilderError;

use crate::provider;

/// A verifier that cannot be built of the anchors and lists in force.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum ReloadingVerifierError {
    /// There is no provider to verify with.
    #[error("no crypto provider to verify with: {}", provider::why_none())]
    NoProvider,
    /// rustls makes no verifier of what is in force.
    #[error("rustls makes no verifier of the anchors and lists in force ({error}): replace them")]
    Unusable {
        /// What rustls says.
        error: VerifierBuilderError,
    },
}
