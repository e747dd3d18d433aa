//! The wrappers of today behind the traits of tomorrow.
//!
//! Types of `rustls-pki-types` are those of both lines; the others are carried over, one by one.

mod clients;
mod servers;

use notafter::pin_error;
use pki_types::CertificateDer;
use rustls::SignerPublicKey;
use rustls::client::danger::SignatureVerificationInput;
use rustls::error::{CertificateError, Error, OtherError};
use rustls_0_23::internal::msgs::codec::{Codec as _, Reader};
use rustls_0_23::{
    CertificateError as CertificateError023, DigitallySignedStruct, Error as Error023,
};

pub use clients::BridgedOfClients;
pub use servers::{Bridged, Inner};

pub fn provider() -> rustls_0_23::crypto::CryptoProvider {
    rustls_0_23::crypto::ring::default_provider()
}

/// Who signed, and the signature as rustls 0.23 has it: what it was on the wire.
fn signed<'i>(
    input: &SignatureVerificationInput<'i>,
) -> Result<(&'i CertificateDer<'i>, DigitallySignedStruct), Error> {
    let SignerPublicKey::X509(leaf) = input.signer else {
        return Err(CertificateError::BadEncoding.into());
    };
    let signature = input.signature.signature();
    let mut wire = input.signature.scheme.0.to_be_bytes().to_vec();
    wire.extend(u16::try_from(signature.len()).unwrap().to_be_bytes());
    wire.extend(signature);
    let signature = DigitallySignedStruct::read(&mut Reader::init(&wire)).unwrap();
    Ok((leaf, signature))
}

fn to_0_23(error: &Error) -> Error023 {
    let Error::InvalidCertificate(error) = error else {
        return Error023::General(error.to_string());
    };
    Error023::InvalidCertificate(match error {
        CertificateError::ExpiredContext { time, not_after } => {
            CertificateError023::ExpiredContext {
                time: *time,
                not_after: *not_after,
            }
        }
        CertificateError::NotValidYetContext { time, not_before } => {
            CertificateError023::NotValidYetContext {
                time: *time,
                not_before: *not_before,
            }
        }
        CertificateError::UnknownIssuer => CertificateError023::UnknownIssuer,
        CertificateError::BadSignature => CertificateError023::BadSignature,
        other => panic!("no test has met {other:?} yet"),
    })
}

/// What a refusal by pins is, is found again in what it was put into.
fn to_0_24(error: Error023) -> Error {
    if let Some(refusal) = pin_error(&error) {
        return CertificateError::Other(OtherError::new(refusal.clone())).into();
    }
    let Error023::InvalidCertificate(error) = error else {
        return Error::General(error.to_string());
    };
    Error::InvalidCertificate(match error {
        CertificateError023::ExpiredContext { time, not_after } => {
            CertificateError::ExpiredContext { time, not_after }
        }
        CertificateError023::NotValidYetContext { time, not_before } => {
            CertificateError::NotValidYetContext { time, not_before }
        }
        CertificateError023::UnknownIssuer => CertificateError::UnknownIssuer,
        CertificateError023::BadSignature => CertificateError::BadSignature,
        CertificateError023::InvalidOcspResponse => CertificateError::InvalidOcspResponse,
        other => panic!("no test has met {other:?} yet"),
    })
}
