//! What verifiers can say.

use rustls::pki_types::alg_id;
use rustls::{CertificateError, ExtendedKeyPurpose, OtherError};

use super::pki::now;

/// Every kind of `CertificateError`; that none is missing is held by a count in rustls's source.
pub fn certificate_errors() -> Vec<CertificateError> {
    use CertificateError as E;
    let time = now();
    #[allow(deprecated)]
    let deprecated = E::UnsupportedSignatureAlgorithm;
    vec![
        E::BadEncoding,
        E::Expired,
        E::ExpiredContext {
            time,
            not_after: time,
        },
        E::NotValidYet,
        E::NotValidYetContext {
            time,
            not_before: time,
        },
        E::Revoked,
        E::UnhandledCriticalExtension,
        E::UnknownIssuer,
        E::UnknownRevocationStatus,
        E::ExpiredRevocationList,
        E::ExpiredRevocationListContext {
            time,
            next_update: time,
        },
        E::BadSignature,
        deprecated,
        E::UnsupportedSignatureAlgorithmContext {
            signature_algorithm_id: vec![1],
            supported_algorithms: vec![alg_id::ED25519],
        },
        E::UnsupportedSignatureAlgorithmForPublicKeyContext {
            signature_algorithm_id: vec![1],
            public_key_algorithm_id: vec![2],
        },
        E::NotValidForName,
        E::NotValidForNameContext {
            expected: "a.example".try_into().unwrap(),
            presented: vec!["b.example".to_owned()],
        },
        E::InvalidPurpose,
        E::InvalidPurposeContext {
            required: ExtendedKeyPurpose::ServerAuth,
            presented: vec![ExtendedKeyPurpose::ClientAuth],
        },
        E::InvalidOcspResponse,
        E::ApplicationVerificationFailure,
        E::Other(OtherError(std::sync::Arc::new(std::fmt::Error))),
    ]
}
