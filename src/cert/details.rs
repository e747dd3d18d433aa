//! What needs a full parse of a certificate, through x509-parser.

use std::fmt;

use thiserror::Error;
use x509_parser::certificate::X509Certificate;
use x509_parser::extensions::{ExtendedKeyUsage, GeneralName, KeyUsage, ParsedExtension};
use x509_parser::oid_registry::Oid;
use x509_parser::prelude::FromDer as _;
use x509_parser::public_key::RSAPublicKey;
use x509_parser::x509::SubjectPublicKeyInfo;

use super::der::{Reader, tag};
use super::{CertificateFacts, SubjectAltNames};

/// The richer facts of a certificate, computed on demand by
/// [`Certificate::details`](super::Certificate::details).
///
/// An extension that cannot be read counts as absent.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct CertificateDetails {
    /// subjectAltName (RFC 5280, 4.2.1.6).
    pub subject_alt_names: SubjectAltNames,
    /// The kind of public key.
    pub key_type: KeyType,
    /// The key's size in bits: the RSA modulus, or the order of the curve (its field, where the
    /// curve has no name); 0 where unknown.
    pub key_bits: u32,
    /// The algorithm of the certificate's signature: its usual name, or its OID.
    pub signature_algorithm: String,
    /// Whether that signs an MD2, MD5 or SHA-1 hash, so that it can be forged.
    #[cfg_attr(not(feature = "monitor"), allow(dead_code))]
    pub(crate) is_signature_forgeable: bool,
    /// cA of basicConstraints (RFC 5280, 4.2.1.9).
    pub is_ca: bool,
    /// pathLenConstraint of basicConstraints: how many CA certificates may follow below.
    pub path_len: Option<u32>,
    /// keyUsage by the names of RFC 5280, 4.2.1.3; `None` where the extension is absent.
    pub key_usage: Option<Vec<&'static str>>,
    /// extKeyUsage (RFC 5280, 4.2.1.12): usual names like `serverAuth`, OIDs for others; `None`
    /// where the extension is absent.
    pub extended_key_usage: Option<Vec<String>>,
    /// How many signed certificate timestamps it embeds (RFC 6962, 3.3).
    pub sct_count: usize,
    /// Where the issuer's certificate can be fetched (RFC 5280, 4.2.2.1, caIssuers).
    pub issuer_urls: Vec<String>,
}

/// The kind of a certificate's public key.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum KeyType {
    /// RSA, also when restricted to PSS.
    Rsa,
    /// NIST P-256 (secp256r1).
    EcP256,
    /// NIST P-384 (secp384r1).
    EcP384,
    /// NIST P-521 (secp521r1).
    EcP521,
    /// An elliptic curve without a name: the key states its parameters instead, which RFC 5480,
    /// 2.1.1 forbids and rustls refuses.
    EcExplicit,
    /// Ed25519 (RFC 8410).
    Ed25519,
    /// Ed448 (RFC 8410).
    Ed448,
    /// Any other, by the OID of the curve or of the algorithm.
    Other(String),
}

impl fmt::Display for KeyType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Rsa => "RSA",
            Self::EcP256 => "EC P-256",
            Self::EcP384 => "EC P-384",
            Self::EcP521 => "EC P-521",
            Self::EcExplicit => "EC with explicit parameters",
            Self::Ed25519 => "Ed25519",
            Self::Ed448 => "Ed448",
            Self::Other(oid) => oid,
        })
    }
}

/// x509-parser refuses a certificate whose outline our own walk reads.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("the certificate's dates and names can be read, its details cannot: {reason}")]
#[non_exhaustive]
pub struct DetailsError {
    /// What x509-parser says.
    pub reason: String,
}

impl CertificateDetails {
    pub(super) fn parse(facts: &CertificateFacts<'_>) -> Result<Self, DetailsError> {
        let (_, parsed) = X509Certificate::from_der(facts.der()).map_err(|e| DetailsError {
            reason: e.to_string(),
        })?;
        let (key_type, key_bits) = key(parsed.public_key());
        let mut details = Self {
            subject_alt_names: facts.subject_alt_names(),
            key_type,
            key_bits,
            signature_algorithm: algorithm_name(&parsed.signature_algorithm.algorithm),
            is_signature_forgeable: is_forgeable(&parsed.signature_algorithm.algorithm),
            is_ca: facts.is_ca(),
            path_len: None,
            key_usage: None,
            extended_key_usage: None,
            sct_count: 0,
            issuer_urls: Vec::new(),
        };
        for extension in parsed.extensions() {
            details.remember(extension.parsed_extension());
        }
        Ok(details)
    }

    fn remember(&mut self, extension: &ParsedExtension<'_>) {
        match extension {
            ParsedExtension::BasicConstraints(constraints) => {
                self.path_len = constraints.path_len_constraint;
            }
            ParsedExtension::KeyUsage(usage) => self.key_usage = Some(key_usage_names(usage)),
            ParsedExtension::ExtendedKeyUsage(usage) => {
                self.extended_key_usage = Some(extended_key_usage_names(usage));
            }
            ParsedExtension::SCT(list) => self.sct_count = list.len(),
            ParsedExtension::AuthorityInfoAccess(access) => {
                for description in access.iter() {
                    let ca_issuers =
                        description.access_method.to_id_string() == "1.3.6.1.5.5.7.48.2";
                    if let (true, GeneralName::URI(uri)) =
                        (ca_issuers, &description.access_location)
                    {
                        self.issuer_urls.push((*uri).to_owned());
                    }
                }
            }
            _ => {}
        }
    }
}

fn key(spki: &SubjectPublicKeyInfo<'_>) -> (KeyType, u32) {
    let algorithm = spki.algorithm.algorithm.to_id_string();
    let curve = || {
        let parameters = spki.algorithm.parameters.as_ref()?;
        Some(parameters.as_oid().ok()?.to_id_string())
    };
    let explicit = || {
        let parameters = spki.algorithm.parameters.as_ref()?;
        (parameters.tag().0 == u32::from(tag::SEQUENCE & 0x1f)).then(|| field_bits(parameters.data))
    };
    match algorithm.as_str() {
        // rsaEncryption, id-RSASSA-PSS: the same key (RFC 4055, 1.2).
        "1.2.840.113549.1.1.1" | "1.2.840.113549.1.1.10" => {
            match RSAPublicKey::from_der(&spki.subject_public_key.data) {
                Ok((_, rsa)) => (KeyType::Rsa, bit_length(rsa.modulus)),
                Err(_) => (KeyType::Rsa, 0),
            }
        }
        "1.2.840.10045.2.1" if explicit().is_some() => {
            (KeyType::EcExplicit, explicit().flatten().unwrap_or(0))
        }
        "1.2.840.10045.2.1" => match curve().as_deref() {
            Some("1.2.840.10045.3.1.7") => (KeyType::EcP256, 256),
            Some("1.3.132.0.34") => (KeyType::EcP384, 384),
            Some("1.3.132.0.35") => (KeyType::EcP521, 521),
            other => (KeyType::Other(other.unwrap_or(&algorithm).to_owned()), 0),
        },
        "1.3.101.112" => (KeyType::Ed25519, 256),
        "1.3.101.113" => (KeyType::Ed448, 448),
        _ => (KeyType::Other(algorithm), 0),
    }
}

/// The bits of the prime field of `ECParameters` (SEC 1, C.2), whose content this is.
fn field_bits(parameters: &[u8]) -> Option<u32> {
    const PRIME_FIELD: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x01, 0x01];
    let mut parameters = Reader::new(parameters);
    parameters.enter(tag::INTEGER).ok()?;
    let mut field = parameters.enter(tag::SEQUENCE).ok()?;
    let kind = field.enter(tag::OID).ok()?.content();
    let prime = field.enter(tag::INTEGER).ok()?.content();
    (kind == PRIME_FIELD).then(|| bit_length(prime))
}

/// The bits of a big-endian number without its leading zeroes.
fn bit_length(number: &[u8]) -> u32 {
    let significant = number.iter().skip_while(|byte| **byte == 0).count();
    let first = number.iter().find(|byte| **byte != 0).copied().unwrap_or(0);
    let bits = u32::try_from(significant).unwrap_or(0).saturating_mul(8);
    bits.saturating_sub(if significant == 0 {
        0
    } else {
        first.leading_zeros()
    })
}

fn algorithm_name(oid: &Oid<'_>) -> String {
    let id = oid.to_id_string();
    let name = match id.as_str() {
        "1.2.840.113549.1.1.2" => "md2WithRSAEncryption",
        "1.2.840.113549.1.1.4" => "md5WithRSAEncryption",
        "1.2.840.113549.1.1.5" => "sha1WithRSAEncryption",
        "1.2.840.113549.1.1.10" => "rsassaPss",
        "1.2.840.113549.1.1.11" => "sha256WithRSAEncryption",
        "1.2.840.113549.1.1.12" => "sha384WithRSAEncryption",
        "1.2.840.113549.1.1.13" => "sha512WithRSAEncryption",
        "1.2.840.10045.4.1" => "ecdsa-with-SHA1",
        "1.2.840.10045.4.3.2" => "ecdsa-with-SHA256",
        "1.2.840.10045.4.3.3" => "ecdsa-with-SHA384",
        "1.2.840.10045.4.3.4" => "ecdsa-with-SHA512",
        "1.3.101.112" => "Ed25519",
        "1.3.101.113" => "Ed448",
        _ => return id,
    };
    name.to_owned()
}

/// md2, md5 and sha1WithRSAEncryption (RFC 3279, 2.2.1), and ecdsa-with-SHA1 (2.2.3).
fn is_forgeable(oid: &Oid<'_>) -> bool {
    matches!(
        oid.to_id_string().as_str(),
        "1.2.840.113549.1.1.2"
            | "1.2.840.113549.1.1.4"
            | "1.2.840.113549.1.1.5"
            | "1.2.840.10045.4.1"
    )
}

fn key_usage_names(usage: &KeyUsage) -> Vec<&'static str> {
    let bits = [
        (usage.digital_signature(), "digitalSignature"),
        (usage.non_repudiation(), "nonRepudiation"),
        (usage.key_encipherment(), "keyEncipherment"),
        (usage.data_encipherment(), "dataEncipherment"),
        (usage.key_agreement(), "keyAgreement"),
        (usage.key_cert_sign(), "keyCertSign"),
        (usage.crl_sign(), "cRLSign"),
        (usage.encipher_only(), "encipherOnly"),
        (usage.decipher_only(), "decipherOnly"),
    ];
    named(&bits).collect()
}

fn extended_key_usage_names(usage: &ExtendedKeyUsage<'_>) -> Vec<String> {
    let purposes = [
        (usage.any, "anyExtendedKeyUsage"),
        (usage.server_auth, "serverAuth"),
        (usage.client_auth, "clientAuth"),
        (usage.code_signing, "codeSigning"),
        (usage.email_protection, "emailProtection"),
        (usage.time_stamping, "timeStamping"),
        (usage.ocsp_signing, "OCSPSigning"),
    ];
    let others = usage.other.iter().map(Oid::to_id_string);
    named(&purposes).map(str::to_owned).chain(others).collect()
}

fn named<'n>(flags: &[(bool, &'n str)]) -> impl Iterator<Item = &'n str> {
    flags.iter().filter(|(set, _)| *set).map(|(_, name)| *name)
}
