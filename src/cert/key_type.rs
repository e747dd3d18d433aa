//! What kind of public key it is.

use std::fmt;

use super::algorithm::{PssParameters, RSASSA_PSS, parts};
use super::der::tag;
use super::name::dotted;

/// The kind of a certificate's public key.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum KeyType {
    /// RSA.
    Rsa,
    /// RSA restricted to PSS (RFC 4055, 1.2), which no provider that comes with rustls verifies with.
    RsaPss {
        /// The only hash that the key may sign, as in `SHA-256`, or its OID; `None` where it is any.
        hash: Option<String>,
    },
    /// NIST P-256 (secp256r1).
    EcP256,
    /// NIST P-384 (secp384r1).
    EcP384,
    /// NIST P-521 (secp521r1), which aws-lc-rs verifies with and ring does not.
    EcP521,
    /// An elliptic curve without a name: the key states its parameters instead, which RFC 5480,
    /// 2.1.1 forbids and rustls refuses.
    EcExplicit,
    /// Ed25519 (RFC 8410).
    Ed25519,
    /// Ed448 (RFC 8410), which no provider that comes with rustls verifies with.
    Ed448,
    /// ML-DSA-44 (FIPS 204, RFC 9881), which aws-lc-rs verifies with and ring does not.
    MlDsa44,
    /// ML-DSA-65, likewise.
    MlDsa65,
    /// ML-DSA-87, likewise.
    MlDsa87,
    /// Any other, by the OID of the curve or of the algorithm.
    Other(String),
}

impl KeyType {
    /// By the content of the key's AlgorithmIdentifier (RFC 5280, 4.1.2.7).
    pub(crate) fn of(algorithm: &[u8]) -> Self {
        let (oid, mut parameters) = parts(algorithm);
        match oid.as_str() {
            "1.2.840.113549.1.1.1" => Self::Rsa,
            RSASSA_PSS => Self::RsaPss {
                hash: (!parameters.is_at_end())
                    .then(|| PssParameters::read(parameters).hash_name().to_owned()),
            },
            "1.2.840.10045.2.1" if parameters.peek() == Some(tag::SEQUENCE) => Self::EcExplicit,
            "1.2.840.10045.2.1" => {
                let curve = parameters.enter(tag::OID);
                let curve = curve.map_or(oid, |curve| dotted(curve.content()));
                match curve.as_str() {
                    "1.2.840.10045.3.1.7" => Self::EcP256,
                    "1.3.132.0.34" => Self::EcP384,
                    "1.3.132.0.35" => Self::EcP521,
                    _ => Self::Other(curve),
                }
            }
            "1.3.101.112" => Self::Ed25519,
            "1.3.101.113" => Self::Ed448,
            "2.16.840.1.101.3.4.3.17" => Self::MlDsa44,
            "2.16.840.1.101.3.4.3.18" => Self::MlDsa65,
            "2.16.840.1.101.3.4.3.19" => Self::MlDsa87,
            _ => Self::Other(oid),
        }
    }

    /// Whether aws-lc-rs verifies by such a key and ring does not.
    #[cfg(feature = "monitor")]
    pub(crate) const fn is_of_aws_lc_rs_alone(&self) -> bool {
        matches!(
            self,
            Self::EcP521 | Self::MlDsa44 | Self::MlDsa65 | Self::MlDsa87
        )
    }
}

/// Whether aws-lc-rs verifies such a signature and ring does not, by any key or by this kind of key.
pub(crate) fn is_verified_by_aws_lc_rs_alone(signature: &[u8], key: Option<&[u8]>) -> bool {
    let (oid, parameters) = parts(signature);
    let of_p521 = || key.is_some_and(|key| KeyType::of(key) == KeyType::EcP521);
    parameters.is_at_end()
        && match oid.as_str() {
            "2.16.840.1.101.3.4.3.17" | "2.16.840.1.101.3.4.3.18" | "2.16.840.1.101.3.4.3.19" => {
                true
            }
            "1.2.840.10045.4.3.4" => key.is_none() || of_p521(),
            "1.2.840.10045.4.3.2" | "1.2.840.10045.4.3.3" => of_p521(),
            _ => false,
        }
}

impl fmt::Display for KeyType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Rsa => "RSA",
            Self::RsaPss { hash: Some(hash) } => {
                return write!(f, "RSA for PSS alone, with {hash}");
            }
            Self::RsaPss { hash: None } => "RSA for PSS alone",
            Self::EcP256 => "EC P-256",
            Self::EcP384 => "EC P-384",
            Self::EcP521 => "EC P-521",
            Self::EcExplicit => "EC with explicit parameters",
            Self::Ed25519 => "Ed25519",
            Self::Ed448 => "Ed448",
            Self::MlDsa44 => "ML-DSA-44",
            Self::MlDsa65 => "ML-DSA-65",
            Self::MlDsa87 => "ML-DSA-87",
            Self::Other(oid) => oid,
        })
    }
}
