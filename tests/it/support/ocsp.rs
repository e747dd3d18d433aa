//! OCSP responses minted to order, and signature algorithms that real ones of 2012 need.

use std::time::Duration;

use notafter::{Certificate, Timestamp};
use rcgen::{KeyPair, SigningKey as _};
use rustls::pki_types::{
    AlgorithmIdentifier, InvalidSignature, SignatureVerificationAlgorithm, alg_id,
};
use x509_cert::Certificate as ParsedCertificate;
use x509_cert::der::asn1::{BitString, GeneralizedTime, Null, ObjectIdentifier, OctetString};
use x509_cert::der::{Decode as _, Encode as _};
use x509_cert::ext::Extension;
use x509_cert::ext::pkix::CrlReason;
use x509_cert::spki::AlgorithmIdentifierOwned;
use x509_ocsp::{
    BasicOcspResponse, CertId, CertStatus, OcspGeneralizedTime, OcspResponse, ResponderId,
    ResponseData, RevokedInfo, SingleResponse, Version,
};

use crate::support::tls;

pub type Algorithms = &'static [&'static dyn SignatureVerificationAlgorithm];

/// Both providers' own algorithms.
pub fn provided() -> [(&'static str, Algorithms); 2] {
    tls::providers().map(|(name, p)| (name, p.signature_verification_algorithms.all))
}

/// The same with RSA and SHA-1, which rustls has not, by the same provider.
pub fn with_sha1() -> [(&'static str, Algorithms); 2] {
    provided().map(|(name, all)| {
        let sha1 = [true, false].map(|null| &*Box::leak(Box::new(RsaSha1 { name, null })));
        let sha1 = sha1.map(|a| a as &'static dyn SignatureVerificationAlgorithm);
        let all: Vec<_> = all.iter().copied().chain(sha1).collect();
        (name, &*all.leak())
    })
}

/// sha1WithRSAEncryption with its parameter NULL, or without parameters as some responders write.
#[derive(Debug)]
struct RsaSha1 {
    name: &'static str,
    null: bool,
}

impl SignatureVerificationAlgorithm for RsaSha1 {
    fn public_key_alg_id(&self) -> AlgorithmIdentifier {
        alg_id::RSA_ENCRYPTION
    }

    fn signature_alg_id(&self) -> AlgorithmIdentifier {
        let with_null = &[
            0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x05, 0x05, 0x00,
        ];
        AlgorithmIdentifier::from_slice(if self.null {
            with_null
        } else {
            &with_null[..11]
        })
    }

    fn verify_signature(
        &self,
        key: &[u8],
        message: &[u8],
        signature: &[u8],
    ) -> Result<(), InvalidSignature> {
        macro_rules! verify_by {
            ($provider:ident) => {{
                use $provider::signature;
                let rsa = &signature::RSA_PKCS1_1024_8192_SHA1_FOR_LEGACY_USE_ONLY;
                let key = signature::UnparsedPublicKey::new(rsa, key);
                key.verify(message, signature).map_err(|_| InvalidSignature)
            }};
        }
        match self.name {
            "ring" => verify_by!(ring),
            _ => verify_by!(aws_lc_rs),
        }
    }
}

/// How a CertID hashes.
#[derive(Debug, Clone, Copy)]
pub enum Hash {
    Sha1,
    Sha256,
    Sha384,
    Sha512,
}

impl Hash {
    fn of(self, bytes: &[u8]) -> OctetString {
        let algorithm = match self {
            Self::Sha1 => &ring::digest::SHA1_FOR_LEGACY_USE_ONLY,
            Self::Sha256 => &ring::digest::SHA256,
            Self::Sha384 => &ring::digest::SHA384,
            Self::Sha512 => &ring::digest::SHA512,
        };
        OctetString::new(ring::digest::digest(algorithm, bytes).as_ref()).unwrap()
    }

    fn id(self) -> AlgorithmIdentifierOwned {
        let oid = match self {
            Self::Sha1 => "1.3.14.3.2.26",
            Self::Sha256 => "2.16.840.1.101.3.4.2.1",
            Self::Sha384 => "2.16.840.1.101.3.4.2.2",
            Self::Sha512 => "2.16.840.1.101.3.4.2.3",
        };
        algorithm(oid, true)
    }
}

fn algorithm(oid: &str, null: bool) -> AlgorithmIdentifierOwned {
    AlgorithmIdentifierOwned {
        oid: ObjectIdentifier::new(oid).unwrap(),
        parameters: null.then(|| Null.into()),
    }
}

fn parsed(certificate: &Certificate) -> ParsedCertificate {
    ParsedCertificate::from_der(certificate.der()).unwrap()
}

fn time(t: Timestamp) -> OcspGeneralizedTime {
    let seconds = u64::try_from(t.as_unix_seconds()).unwrap();
    OcspGeneralizedTime(GeneralizedTime::from_unix_duration(Duration::from_secs(seconds)).unwrap())
}

pub fn good() -> CertStatus {
    CertStatus::Good(Null)
}

pub fn unknown() -> CertStatus {
    CertStatus::Unknown(Null)
}

pub fn revoked(since: Timestamp, reason: Option<CrlReason>) -> CertStatus {
    CertStatus::Revoked(RevokedInfo {
        revocation_time: time(since),
        revocation_reason: reason,
    })
}

/// One answer about a leaf, from `dates.0` to `dates.1`.
pub fn answer(
    (leaf, issuer): (&Certificate, &Certificate),
    hash: Hash,
    status: CertStatus,
    dates: (Timestamp, Option<Timestamp>),
) -> SingleResponse {
    let issuer = parsed(issuer).tbs_certificate;
    let key = issuer.subject_public_key_info.subject_public_key;
    SingleResponse {
        cert_id: CertId {
            hash_algorithm: hash.id(),
            issuer_name_hash: hash.of(&issuer.subject.to_der().unwrap()),
            issuer_key_hash: hash.of(key.raw_bytes()),
            serial_number: parsed(leaf).tbs_certificate.serial_number,
        },
        cert_status: status,
        this_update: time(dates.0),
        next_update: dates.1.map(time),
        single_extensions: None,
    }
}

pub fn extension(oid: &str, critical: bool) -> Extension {
    Extension {
        extn_id: ObjectIdentifier::new(oid).unwrap(),
        critical,
        extn_value: OctetString::new([5, 0]).unwrap(),
    }
}

pub fn by_name(responder: &Certificate) -> ResponderId {
    ResponderId::ByName(parsed(responder).tbs_certificate.subject)
}

pub fn by_key(responder: &Certificate) -> ResponderId {
    let key = parsed(responder).tbs_certificate.subject_public_key_info;
    ResponderId::ByKey(Hash::Sha1.of(key.subject_public_key.raw_bytes()))
}

/// What is signed: these answers by this responder.
pub fn data(id: ResponderId, at: Timestamp, answers: Vec<SingleResponse>) -> ResponseData {
    ResponseData {
        version: Version::V1,
        responder_id: id,
        produced_at: time(at),
        responses: answers,
        response_extensions: None,
    }
}

/// A whole response, signed by this P-256 key.
pub fn signed(data: ResponseData, key: &KeyPair, certificates: &[&Certificate]) -> Vec<u8> {
    let signature = key.sign(&data.to_der().unwrap()).unwrap();
    let certs: Vec<_> = certificates.iter().map(|c| parsed(c)).collect();
    let basic = BasicOcspResponse {
        tbs_response_data: data,
        signature_algorithm: algorithm("1.2.840.10045.4.3.2", false),
        signature: BitString::from_bytes(&signature).unwrap(),
        certs: (!certs.is_empty()).then_some(certs),
    };
    OcspResponse::successful(basic).unwrap().to_der().unwrap()
}
