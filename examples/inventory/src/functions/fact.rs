//! What can be asked of one certificate.

use datafusion::arrow::datatypes::DataType;

use super::instant_type;

/// One fact, and so one function: its name after `cert_`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Fact {
    /// The first second at which it is valid.
    NotBefore,
    /// The last second at which it is valid.
    NotAfter,
    /// not_after - not_before.
    LifetimeSeconds,
    /// The subject for people.
    Subject,
    /// The issuer for people.
    Issuer,
    /// The serial number's content octets in hexadecimal.
    Serial,
    /// The names of subjectAltName.
    Names,
    /// The pin of its key.
    SpkiSha256,
    /// SHA-256 over the whole certificate.
    Fingerprint,
    /// Whether basicConstraints says cA.
    IsCa,
    /// Whether issuer and subject are the same bytes.
    IsSelfIssued,
    /// Whether it asks for a stapled OCSP response.
    MustStaple,
    /// The subject key identifier.
    SubjectKeyId,
    /// The authority key identifier.
    AuthorityKeyId,
    /// Why the row is no certificate.
    Error,
    /// The same as a code.
    ErrorCode,
    /// The kind of its public key.
    KeyType,
    /// The size of its public key.
    KeyBits,
    /// The algorithm of its signature.
    SignatureAlgorithm,
    /// Why those three are null where the row is a certificate.
    DetailsError,
}

impl Fact {
    /// Every fact: first those that one walk over the bytes finds, up to [`Fact::ErrorCode`], then those
    /// that need the whole certificate to be parsed.
    pub const ALL: [Self; 20] = [
        Self::NotBefore,
        Self::NotAfter,
        Self::LifetimeSeconds,
        Self::Subject,
        Self::Issuer,
        Self::Serial,
        Self::Names,
        Self::SpkiSha256,
        Self::Fingerprint,
        Self::IsCa,
        Self::IsSelfIssued,
        Self::MustStaple,
        Self::SubjectKeyId,
        Self::AuthorityKeyId,
        Self::Error,
        Self::ErrorCode,
        Self::KeyType,
        Self::KeyBits,
        Self::SignatureAlgorithm,
        Self::DetailsError,
    ];

    /// The name of its function.
    pub const fn function(self) -> &'static str {
        match self {
            Self::NotBefore => "cert_not_before",
            Self::NotAfter => "cert_not_after",
            Self::LifetimeSeconds => "cert_lifetime_seconds",
            Self::Subject => "cert_subject",
            Self::Issuer => "cert_issuer",
            Self::Serial => "cert_serial",
            Self::Names => "cert_names",
            Self::SpkiSha256 => "cert_spki_sha256",
            Self::Fingerprint => "cert_fingerprint",
            Self::IsCa => "cert_is_ca",
            Self::IsSelfIssued => "cert_is_self_issued",
            Self::MustStaple => "cert_must_staple",
            Self::SubjectKeyId => "cert_subject_key_id",
            Self::AuthorityKeyId => "cert_authority_key_id",
            Self::Error => "cert_error",
            Self::ErrorCode => "cert_error_code",
            Self::KeyType => "cert_key_type",
            Self::KeyBits => "cert_key_bits",
            Self::SignatureAlgorithm => "cert_signature_algorithm",
            Self::DetailsError => "cert_details_error",
        }
    }

    /// The name of its field in `cert_facts(der)`.
    pub fn field(self) -> &'static str {
        self.function().trim_start_matches("cert_")
    }

    /// What it says, for people.
    pub const fn description(self) -> &'static str {
        match self {
            Self::NotBefore => "the first second at which it is valid",
            Self::NotAfter => "the last second at which it is valid",
            Self::LifetimeSeconds => {
                "not_after - not_before; 0 where it states its end before its start"
            }
            Self::Subject => "the subject, as in C=US, O=Let's Encrypt, CN=R3",
            Self::Issuer => "the issuer, likewise",
            Self::Serial => "the serial number's octets in hexadecimal",
            Self::Names => {
                "a list: DNS names, then IP addresses, URIs and email addresses of subjectAltName"
            }
            Self::SpkiSha256 => "the pin of its key: sha256/BASE64",
            Self::Fingerprint => "SHA-256 of the whole certificate in hexadecimal",
            Self::IsCa => "whether basicConstraints says cA",
            Self::IsSelfIssued => "whether issuer and subject are the same",
            Self::MustStaple => "whether it asks for a stapled OCSP response",
            Self::SubjectKeyId => {
                "the subject key identifier in hexadecimal; null where it has none"
            }
            Self::AuthorityKeyId => {
                "the authority key identifier in hexadecimal; null where it has none"
            }
            Self::Error => "why the row is no certificate, as a sentence; null where it is one",
            Self::ErrorCode => "the same as a code to group by",
            Self::KeyType => "the kind of key, as in RSA, EC P-256 or ML-DSA-65",
            Self::KeyBits => "the size of the key in bits; 0 where it is not known",
            Self::SignatureAlgorithm => "as in sha256WithRSAEncryption",
            Self::DetailsError => {
                "why cert_key_type, cert_key_bits and cert_signature_algorithm are null though the row is a certificate"
            }
        }
    }

    /// The type of its answers.
    pub fn data_type(self) -> DataType {
        match self {
            Self::NotBefore | Self::NotAfter => instant_type(),
            Self::Names => DataType::new_list(DataType::Utf8View, true),
            Self::IsCa | Self::IsSelfIssued | Self::MustStaple => DataType::Boolean,
            Self::LifetimeSeconds => DataType::Int64,
            Self::KeyBits => DataType::UInt32,
            _ => DataType::Utf8View,
        }
    }

    /// Whether the whole certificate must be parsed for it, by x509-parser.
    pub const fn needs_details(self) -> bool {
        matches!(
            self,
            Self::KeyType | Self::KeyBits | Self::SignatureAlgorithm | Self::DetailsError
        )
    }
}
