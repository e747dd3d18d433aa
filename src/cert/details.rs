//! What needs a full parse of a certificate, through x509-parser.

use thiserror::Error;
use x509_parser::certificate::X509Certificate;
use x509_parser::extensions::{ExtendedKeyUsage, GeneralName, KeyUsage, ParsedExtension};
use x509_parser::oid_registry::Oid;
use x509_parser::prelude::FromDer as _;
use x509_parser::public_key::RSAPublicKey;
use x509_parser::x509::SubjectPublicKeyInfo;

use super::der::{Reader, tag};
use super::{CertificateFacts, KeyType, NextRootKey, SubjectAltNames, algorithm};

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
    /// The key's size in bits: the RSA modulus, the order of the curve (its field, where the
    /// curve has no name), or the whole public key of ML-DSA, as OpenSSL counts; 0 where unknown.
    pub key_bits: u32,
    /// The algorithm of the certificate's signature: its usual name, as in `ecdsa-with-SHA256`,
    /// `rsassaPss with SHA-256` or `ML-DSA-65`, or its OID.
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
    /// The hash of the key that will follow this root's own (RFC 8649).
    pub next_root_key: Option<NextRootKey>,
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
        let key_type = KeyType::of(algorithm::of_key(facts.spki_der()));
        let signature_algorithm = algorithm::of_signature(facts.der());
        let mut details = Self {
            subject_alt_names: facts.subject_alt_names(),
            key_bits: key_bits(&key_type, parsed.public_key()),
            key_type,
            signature_algorithm: algorithm::signature_name(signature_algorithm),
            is_signature_forgeable: algorithm::is_forgeable(signature_algorithm),
            is_ca: facts.is_ca(),
            path_len: None,
            key_usage: None,
            extended_key_usage: None,
            sct_count: 0,
            issuer_urls: Vec::new(),
            next_root_key: facts.next_root_key().ok().flatten(),
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

/// The size of a key of this kind.
fn key_bits(key_type: &KeyType, spki: &SubjectPublicKeyInfo<'_>) -> u32 {
    match key_type {
        // The same key (RFC 4055, 1.2).
        KeyType::Rsa | KeyType::RsaPss { .. } => {
            let rsa = RSAPublicKey::from_der(&spki.subject_public_key.data);
            rsa.map_or(0, |(_, rsa)| bit_length(rsa.modulus))
        }
        KeyType::EcExplicit => {
            let parameters = spki.algorithm.parameters.as_ref();
            parameters.and_then(|p| field_bits(p.data)).unwrap_or(0)
        }
        KeyType::EcP256 | KeyType::Ed25519 => 256,
        KeyType::EcP384 => 384,
        KeyType::Ed448 => 448,
        KeyType::EcP521 => 521,
        // FIPS 204, table 2.
        KeyType::MlDsa44 => 1312 * 8,
        KeyType::MlDsa65 => 1952 * 8,
        KeyType::MlDsa87 => 2592 * 8,
        KeyType::Other(_) => 0,
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
