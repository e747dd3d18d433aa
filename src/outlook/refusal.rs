//! Why a chain does not verify, in the most specific terms.

use pki_types::ServerName;
use thiserror::Error;

use super::candidates::looked_at;
use super::paths::{PathSearch, is_budget};
use super::{Position, TrustAnchors};
use crate::cert::{Certificate, KeyType, algorithm, is_verified_by_aws_lc_rs_alone};
use crate::time::Timestamp;

/// Why no path of a chain is accepted. Each reads as a sentence that says what to do.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum Refusal {
    /// A certificate's time is over.
    #[error("{position} '{subject}' expired at {not_after}: {}", expired_advice(*.position))]
    Expired {
        /// Its position: in the chain as presented, or the anchor.
        position: Position,
        /// What people call it.
        subject: String,
        /// Its last good second.
        not_after: Timestamp,
    },
    /// A certificate's time has not come.
    #[error(
        "{position} '{subject}' is not valid before {not_before}: check the clock, or wait to deploy it"
    )]
    NotYetValid {
        /// Its position.
        position: Position,
        /// What people call it.
        subject: String,
        /// Its first good second.
        not_before: Timestamp,
    },
    /// The chain ends at a certificate whose issuer is neither presented nor trusted.
    #[error(
        "the issuer of {position}, '{issuer}', is neither among the certificates given nor among the {anchors} trust anchors: \
         add its certificate to the chain, or trust its root"
    )]
    UnknownIssuer {
        /// The last certificate that could be reached from the leaf.
        position: Position,
        /// The name of the issuer that is missing.
        issuer: String,
        /// How many trust anchors there are.
        anchors: usize,
    },
    /// A signature in the chain was not made by the key that should have made it.
    #[error(
        "a signature in the chain does not fit its issuer's key: serve the intermediates that belong to this leaf"
    )]
    BadSignature,
    /// A revocation list names a certificate.
    #[error("{position} '{subject}' is revoked by its issuer: replace it, and find out why")]
    Revoked {
        /// Its position in the chain as presented.
        position: Position,
        /// What people call it.
        subject: String,
    },
    /// A revocation list that must be current is not.
    #[error(
        "a revocation list was current only until before {next_update}: fetch the next one from its CA"
    )]
    CrlExpired {
        /// Its nextUpdate.
        next_update: Timestamp,
    },
    /// The leaf does not cover the expected name.
    #[error("the leaf does not cover '{expected}', only {}: order a certificate with that name, or serve the right one", list(.presented))]
    NameNotCovered {
        /// The name that was asked for.
        expected: String,
        /// The names that the leaf covers.
        presented: Vec<String>,
    },
    /// The first certificate is a CA's.
    #[error("the first certificate is a CA certificate: put the leaf first")]
    LeafIsCa,
    /// The extended key usage does not allow the use.
    #[error(
        "the extended key usage of a certificate in the chain does not allow this use: order a certificate with the right usage"
    )]
    WrongUsage,
    /// webpki does not read the leaf as an end-entity certificate.
    #[error("rustls cannot use the leaf: {}", webpki_words(.error))]
    LeafUnusable {
        /// What webpki says.
        error: webpki::Error,
    },
    /// A budget, webpki's or the judge's own, was used up before a path was found: there may be one.
    #[error(
        "the search for a path was given up, there are too many possibilities ({error}): serve only the intermediates that the leaf needs"
    )]
    TooComplex {
        /// Which of webpki's budgets; that of building paths where it was the judge's own.
        error: webpki::Error,
    },
    /// There is nothing to judge.
    #[error("there is no certificate in the chain: give it at least a leaf")]
    NoCertificate,
    /// rustls cannot express the instant.
    #[error("rustls cannot judge {now}, which is before 1970: check the clock")]
    BeforeEpoch {
        /// The instant asked about.
        now: Timestamp,
    },
    /// Anything else that webpki says.
    #[error("rustls does not accept the chain: {}", webpki_words(.error))]
    Other {
        /// What webpki says.
        error: webpki::Error,
    },
}

impl Refusal {
    /// The stable code, in snake case.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Expired { .. } => "expired",
            Self::NotYetValid { .. } => "not_yet_valid",
            Self::UnknownIssuer { .. } => "unknown_issuer",
            Self::BadSignature => "bad_signature",
            Self::Revoked { .. } => "revoked",
            Self::CrlExpired { .. } => "crl_expired",
            Self::NameNotCovered { .. } => "name_not_covered",
            Self::LeafIsCa => "leaf_is_ca",
            Self::WrongUsage => "wrong_usage",
            Self::LeafUnusable { .. } => "leaf_unusable",
            Self::TooComplex { .. } => "too_complex",
            Self::NoCertificate => "no_certificate",
            Self::BeforeEpoch { .. } => "before_epoch",
            Self::Other { .. } => "does_not_verify",
        }
    }

    /// The certificate at fault, where one is.
    pub fn position(&self) -> Option<Position> {
        match self {
            Self::Expired { position, .. }
            | Self::NotYetValid { position, .. }
            | Self::Revoked { position, .. }
            | Self::UnknownIssuer { position, .. } => Some(*position),
            Self::NameNotCovered { .. } | Self::LeafIsCa | Self::LeafUnusable { .. } => {
                Some(Position::Leaf)
            }
            _ => None,
        }
    }

    /// What a search says that was not complete and found nothing.
    pub(super) fn too_complex(error: webpki::Error) -> Self {
        Self::TooComplex {
            error: match is_budget(&error) {
                true => error,
                false => webpki::Error::MaximumPathBuildCallsExceeded,
            },
        }
    }

    /// Translates webpki's most specific error, and finds the certificate that it speaks of.
    pub(super) fn from_search(
        error: &webpki::Error,
        search: &PathSearch<'_>,
        now: Timestamp,
    ) -> Self {
        let anchors = search.anchors();
        let chain = || std::iter::once(search.leaf()).chain(search.presented());
        let positioned = || chain().enumerate().map(|(n, c)| (Position::in_chain(n), c));
        match error {
            webpki::Error::CertExpired { not_after, .. } => {
                let not_after = Timestamp::from(*not_after);
                let expired = |c: &Certificate| c.not_after() == not_after && not_after < now;
                let (position, subject) = match positioned().find(|(_, c)| expired(c)) {
                    Some((position, certificate)) => (position, certificate.short_name()),
                    None => (Position::Leaf, search.leaf().short_name()),
                };
                Self::Expired {
                    position,
                    subject,
                    not_after,
                }
            }
            webpki::Error::CertNotValidYet { not_before, .. } => {
                let not_before = Timestamp::from(*not_before);
                let early = |c: &Certificate| c.not_before() == not_before && now < not_before;
                let (position, subject) = match positioned().find(|(_, c)| early(c)) {
                    Some((position, certificate)) => (position, certificate.short_name()),
                    None => (Position::Leaf, search.leaf().short_name()),
                };
                Self::NotYetValid {
                    position,
                    subject,
                    not_before,
                }
            }
            webpki::Error::UnknownIssuer => {
                let presented = looked_at(search.presented());
                let chain: Vec<_> = std::iter::once(search.leaf()).chain(presented).collect();
                let (n, last) = unresolved(&chain, anchors).unwrap_or((0, search.leaf()));
                Self::UnknownIssuer {
                    position: Position::in_chain(n),
                    issuer: last.issuer_short_name(),
                    anchors: anchors.len(),
                }
            }
            webpki::Error::CertRevoked => {
                let revoked = positioned().find(|(_, c)| search.crls().revokes(c));
                let (position, certificate) = revoked.unwrap_or((Position::Leaf, search.leaf()));
                Self::Revoked {
                    position,
                    subject: certificate.short_name(),
                }
            }
            webpki::Error::CrlExpired { next_update, .. } => Self::CrlExpired {
                next_update: (*next_update).into(),
            },
            webpki::Error::InvalidSignatureForPublicKey => Self::BadSignature,
            webpki::Error::CaUsedAsEndEntity => Self::LeafIsCa,
            webpki::Error::RequiredEkuNotFoundContext(_) => Self::WrongUsage,
            error if is_budget(error) => Self::TooComplex {
                error: error.clone(),
            },
            error => Self::Other {
                error: error.clone(),
            },
        }
    }

    pub(super) fn from_name(error: webpki::Error, name: &ServerName<'_>) -> Self {
        match error {
            webpki::Error::CertNotValidForName(context) => Self::NameNotCovered {
                expected: name.to_str().into_owned(),
                presented: context.presented.iter().map(|n| readable_name(n)).collect(),
            },
            error => Self::Other { error },
        }
    }
}

/// The last certificate that the leaf leads to by names, if none on the way is issued by an
/// anchor: its index and itself.
pub(crate) fn unresolved<'c>(
    chain: &[&'c Certificate],
    anchors: &TrustAnchors,
) -> Option<(usize, &'c Certificate)> {
    let mut reached = vec![(0, *chain.first()?)];
    let mut known = vec![false; chain.len()];
    let mut next = 0;
    while let Some((_, current)) = reached.get(next).copied() {
        next += 1;
        let issuer = current.facts().issuer_der();
        if anchors.has_subject(issuer) {
            return None;
        }
        for ((index, candidate), known) in chain.iter().enumerate().zip(&mut known).skip(1) {
            if !*known && candidate.facts().subject_der() == issuer {
                *known = true;
                reached.push((index, *candidate));
            }
        }
    }
    reached.last().copied()
}

/// webpki prints presented names as Debug: `DnsName("example.com")`.
pub(crate) fn readable_name(name: &str) -> String {
    let inner = name
        .split_once('(')
        .and_then(|(_, rest)| rest.strip_suffix(')'));
    inner.unwrap_or(name).trim_matches('"').to_owned()
}

/// What to do about a certificate whose time is over.
const fn expired_advice(position: Position) -> &'static str {
    match position {
        Position::Leaf => "renew it and reload the service",
        Position::Intermediate(_) => "serve its successor, or a chain that does without it",
        Position::Anchor => "have a chain to another anchor",
    }
}

fn list(names: &[String]) -> String {
    const SHOWN: usize = 8;
    match names {
        [] => "no name at all".to_owned(),
        names if names.len() > SHOWN => {
            let shown = names
                .iter()
                .take(SHOWN)
                .cloned()
                .collect::<Vec<_>>()
                .join(", ");
            format!("{shown} and {} more", names.len() - SHOWN)
        }
        names => names.join(", "),
    }
}

/// webpki's errors as words; its own Display is its Debug.
pub(crate) fn webpki_words(error: &webpki::Error) -> String {
    let words = match error {
        webpki::Error::BadDer | webpki::Error::TrailingData(_) => {
            "a certificate in it is not well-formed DER"
        }
        webpki::Error::BadDerTime => {
            "a certificate in it has a date that webpki does not read (before 1970, or malformed)"
        }
        webpki::Error::CertDistrusted => "a public key in it is distrusted",
        webpki::Error::UnknownRevocationStatus => {
            "no revocation list speaks for a certificate in it"
        }
        webpki::Error::EmptyEkuExtension => "a certificate in it has an empty extended key usage",
        webpki::Error::EndEntityUsedAsCa => {
            "a certificate in it was issued by one that is not a CA"
        }
        webpki::Error::ExtensionValueInvalid | webpki::Error::MalformedExtensions => {
            "an extension in it is malformed"
        }
        webpki::Error::InvalidCertValidity => "a certificate in it ends before it begins",
        webpki::Error::MaximumPathDepthExceeded => "it is longer than six intermediates",
        webpki::Error::NameConstraintViolation => "a CA in it may not issue for this name",
        webpki::Error::PathLenConstraintViolated => "a CA in it may not have so many CAs below it",
        webpki::Error::SignatureAlgorithmMismatch => {
            "a certificate in it names two signature algorithms"
        }
        webpki::Error::UnsupportedCertVersion => "a certificate in it is not version 3",
        webpki::Error::UnsupportedCriticalExtension => {
            "a certificate in it has a critical extension that rustls does not know"
        }
        webpki::Error::UnsupportedSignatureAlgorithmContext(context) => {
            return unsupported_words("a signature in it", &context.signature_algorithm_id, None);
        }
        webpki::Error::UnsupportedSignatureAlgorithmForPublicKeyContext(context) => {
            let key = Some(&*context.public_key_algorithm_id);
            return unsupported_words("a signature in it", &context.signature_algorithm_id, key);
        }
        webpki::Error::UnsupportedCrlSignatureAlgorithmContext(context) => {
            let list = "the signature of a revocation list for it";
            return unsupported_words(list, &context.signature_algorithm_id, None);
        }
        webpki::Error::UnsupportedCrlSignatureAlgorithmForPublicKeyContext(context) => {
            let list = "the signature of a revocation list for it";
            let key = Some(&*context.public_key_algorithm_id);
            return unsupported_words(list, &context.signature_algorithm_id, key);
        }
        other => return other.to_string(),
    };
    words.to_owned()
}

/// A signature that the provider has no algorithm for, alone or together with the issuer's key, so
/// that nobody knows whether it is good.
pub(crate) fn unsupported_words(what: &str, signature: &[u8], key: Option<&[u8]>) -> String {
    let name = algorithm::signature_name(signature);
    let by = match key {
        None => String::new(),
        Some(key) if algorithm::makes(key, signature) => {
            format!(" by a key of the kind {}", KeyType::of(key))
        }
        Some(key) => {
            return format!(
                "{what} is {name}, which a key of the kind {}, its issuer's, never makes: \
                 serve the intermediates that belong to this leaf",
                KeyType::of(key)
            );
        }
    };
    let remedy = match is_verified_by_aws_lc_rs_alone(signature, key) {
        true => "aws-lc-rs does, so take that provider, or have it signed with another algorithm",
        false => {
            "have it signed with another algorithm, such as sha256WithRSAEncryption or ecdsa-with-SHA256"
        }
    };
    format!("{what} is {name}{by}, which the crypto provider does not verify: {remedy}")
}
