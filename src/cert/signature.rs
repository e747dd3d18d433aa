//! Signature algorithms by the identifiers that keys and signatures state.

use pki_types::SignatureVerificationAlgorithm;

/// Signature algorithms as a crypto provider lists them (rustls's in
/// `signature_verification_algorithms.all`).
pub type SignatureAlgorithms = &'static [&'static dyn SignatureVerificationAlgorithm];

/// Whether any of these verifies a signature by a public key of this kind, given as below.
#[cfg(any(feature = "monitor", feature = "reload"))]
pub(crate) fn verifies_by(all: SignatureAlgorithms, public_key: &[u8]) -> bool {
    all.iter()
        .any(|algorithm| algorithm.public_key_alg_id().as_ref() == public_key)
}

#[cfg(any(feature = "announcements", feature = "ocsp", feature = "reload"))]
/// Those that verify a signature of this kind by a public key of this kind; both are given by the
/// content of their AlgorithmIdentifier (RFC 5280, 4.1.1.2), as pki-types holds it.
pub(crate) fn fitting_algorithms(
    all: SignatureAlgorithms,
    public_key: &[u8],
    signature: &[u8],
) -> impl Iterator<Item = &'static dyn SignatureVerificationAlgorithm> {
    all.iter().copied().filter(move |algorithm| {
        algorithm.public_key_alg_id().as_ref() == public_key
            && algorithm.signature_alg_id().as_ref() == signature
    })
}
