//! Why a pair is not served.

use thiserror::Error;

use crate::outlook::{Position, Refusal, RelyingParty, Usage};
use crate::provider;
use crate::source::SourceFailure;
use crate::text::visible;
use crate::time::Timestamp;
use crate::time::span::readable;

/// Why a certificate and its key were refused; what was served before is served on.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum ReloadError {
    /// A file, or a block in it, could not be read.
    #[error(transparent)]
    Unreadable {
        /// Which file, where, and why.
        failure: SourceFailure,
    },
    /// There is no private key in the key's file that can be read.
    #[error("{file}: {reason}", file = visible(.file), reason = visible(.reason))]
    KeyUnreadable {
        /// The key's file.
        file: String,
        /// What is wrong and what to do.
        reason: String,
    },
    /// The crypto provider does not take the private key.
    #[error(
        "{file}: rustls cannot use the private key ({reason}): use a key type that the crypto provider supports",
        file = visible(.file), reason = visible(.reason)
    )]
    KeyUnusable {
        /// The key's file.
        file: String,
        /// What the provider says.
        reason: String,
    },
    /// The private key does not belong to the first certificate.
    #[error(
        "the private key {key_file} does not belong to the leaf in {file}{}",
        belonging(*.belongs_to), file = visible(.file), key_file = visible(.key_file)
    )]
    KeyMismatch {
        /// The certificates' file.
        file: String,
        /// The key's file.
        key_file: String,
        /// The certificate of the file, counted from 1, that it does belong to.
        belongs_to: Option<usize>,
    },
    /// A signature made with the key does not verify with the certificate.
    #[error(
        "a signature made with {key_file} cannot be verified with the leaf in {file} ({reason}): order a new certificate for a new key",
        file = visible(.file), key_file = visible(.key_file), reason = visible(.reason)
    )]
    SignatureFailed {
        /// The certificates' file.
        file: String,
        /// The key's file.
        key_file: String,
        /// What went wrong.
        reason: String,
    },
    /// webpki, and so every rustls client, does not take the leaf.
    #[error(
        "{file}: rustls's clients do not accept the leaf ({reason}): order a new certificate",
        file = visible(.file), reason = visible(.reason)
    )]
    LeafUnusable {
        /// The certificates' file.
        file: String,
        /// What webpki says.
        reason: String,
    },
    /// A certificate that issued none of those before it (RFC 8446, 4.4.2).
    #[error(
        "{file}: certificate {number}, '{name}', issued none of those before it: write the leaf first and each issuer after what it issued, nothing else",
        file = visible(.file)
    )]
    OutOfOrder {
        /// The certificates' file.
        file: String,
        /// Which certificate, counted from 1.
        number: usize,
        /// What people call it.
        name: String,
    },
    /// No certificate of the file that bears the issuer's name made this signature: of a CA that
    /// took a new key under its old name, say.
    #[error(
        "{file}: '{issuer}', sent along as the issuer of the {position} '{name}', did not sign it, though it bears the issuer's name: deploy the intermediates that came with this leaf",
        file = visible(.file)
    )]
    NotSignedByIssuer {
        /// The certificates' file.
        file: String,
        /// The position of the certificate whose signature it is.
        position: Position,
        /// What people call it.
        name: String,
        /// What people call the one that should have signed it.
        issuer: String,
    },
    /// The extended key usage does not allow what the key is for (RFC 5280, 4.2.1.12).
    #[error(
        "{file}: the extended key usage of the {position} '{name}' is {}, without {}: order a certificate with that usage, or set what this key is for with with_usage", listed(.purposes), purpose(*.usage), file = visible(.file))]
    WrongUsage {
        /// The certificates' file.
        file: String,
        /// Its position.
        position: Position,
        /// What people call it.
        name: String,
        /// What the key is for.
        usage: Usage,
        /// What it allows: `serverAuth`, `clientAuth`, the OIDs of others.
        purposes: Vec<String>,
    },
    /// More than common clients take: the handshakes would fail however good the chain is.
    #[error(
        "{file}: its {certificates} certificates make a message of {bytes} bytes, and common clients take {most_certificates} certificates (OpenSSL) in {most_bytes} bytes (rustls): leave out those that are not the leaf or an issuer of one before them",
        file = visible(.file)
    )]
    ChainTooLarge {
        /// The certificates' file.
        file: String,
        /// How many it holds.
        certificates: usize,
        /// How many bytes the handshake message with them has.
        bytes: usize,
        /// How many certificates clients take.
        most_certificates: usize,
        /// How many bytes clients take.
        most_bytes: usize,
    },
    /// Nobody issued the leaf, and somebody issued the served one.
    #[error(
        "{file}: '{name}' is self-signed, and '{issuer}' issued the served certificate: deploy the one that the CA issued, or allow it with SelfSigned::Tell",
        file = visible(.file)
    )]
    SelfSigned {
        /// The certificates' file.
        file: String,
        /// What people call the leaf.
        name: String,
        /// What people call the issuer of the served leaf.
        issuer: String,
    },
    /// It does not verify where the served one does.
    #[error(
        "{file}: it does not verify, and the served one does ({relying_party}): {refusal}",
        file = visible(.file)
    )]
    NoLongerVerifies {
        /// The certificates' file.
        file: String,
        /// For whom.
        relying_party: RelyingParty,
        /// Why, and what to do.
        refusal: Box<Refusal>,
    },
    /// No pair has this certificates' file, or this name.
    #[error(
        "{file}: no pair with this certificates' file is served: name the file as it was given",
        file = visible(.file)
    )]
    NoSuchPair {
        /// The certificates' file.
        file: String,
    },
    /// No pair is pushed under this name.
    #[error("{name}: no pair is pushed under this name: add it first with add_pushed")]
    NothingPushed {
        /// The name.
        name: String,
    },
    /// Another pair has this name, or this certificates' file.
    #[error("{name}: another pair of this key is called so: give each a name of its own")]
    NameTaken {
        /// The name.
        name: String,
    },
    /// The source has no pair to give at the moment.
    #[error("{name}: {reason}")]
    SourceFailed {
        /// The source's name.
        name: String,
        /// What it says.
        reason: String,
    },
    /// Without this pair nothing would be served.
    #[error(
        "{file}: it is the last pair that is served: add another one before you remove it",
        file = visible(.file)
    )]
    LastPair {
        /// The certificates' file.
        file: String,
    },
    /// An issuer that the served chain sends along is no longer in the file: cut short, or the leaf
    /// was deployed without its chain.
    #[error(
        "{file}: the chain ends with '{name}' and lacks its issuer '{issuer}', which is sent along at the moment: deploy the full chain",
        file = visible(.file)
    )]
    IssuerMissing {
        /// The certificates' file.
        file: String,
        /// The last certificate of the file.
        name: String,
        /// The certificate that is missing.
        issuer: String,
    },
    /// A certificate is over: the leaf, or every presented issuer of it.
    #[error(
        "{file}: the {position} '{name}' expired at {not_after}, {} ago: put a renewed one there",
        readable(*.seconds), file = visible(.file)
    )]
    Expired {
        /// The certificates' file.
        file: String,
        /// Its position.
        position: Position,
        /// What people call it.
        name: String,
        /// Its last good second.
        not_after: Timestamp,
        /// For how long it has been over, in seconds.
        seconds: i64,
    },
    /// A certificate's time has not come: the leaf's, or that of every presented issuer of it.
    #[error(
        "{file}: the {position} '{name}' is not valid before {not_before}, in {}: it will be loaded then; check this machine's clock if that is wrong",
        readable(*.seconds), file = visible(.file)
    )]
    NotYetValid {
        /// The certificates' file.
        file: String,
        /// Its position.
        position: Position,
        /// What people call it.
        name: String,
        /// Its first good second.
        not_before: Timestamp,
        /// How long it is until then, in seconds.
        seconds: i64,
    },
    /// The leaf does not cover names that the served one covers.
    #[error(
        "{file}: it does not cover {}, which the served certificate covers: order one that does, or let go of them with LostNames::Tell",
        listed(.names), file = visible(.file)
    )]
    NamesLost {
        /// The certificates' file.
        file: String,
        /// Those names.
        names: Vec<String>,
    },
    /// The leaf was issued before the one that is served.
    #[error(
        "{file}: it was issued at {not_before}, before the served certificate ({served_not_before}): put the later one back, or allow it with OlderCertificate::Accept",
        file = visible(.file)
    )]
    OlderThanServed {
        /// The certificates' file.
        file: String,
        /// notBefore of the leaf on disk.
        not_before: Timestamp,
        /// notBefore of the served leaf.
        served_not_before: Timestamp,
    },
}

impl ReloadError {
    /// The stable code, in snake case.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Unreadable { failure } => failure.reason.as_str(),
            Self::KeyUnreadable { .. } => "key_unreadable",
            Self::KeyUnusable { .. } => "key_unusable",
            Self::KeyMismatch { .. } => "key_mismatch",
            Self::SignatureFailed { .. } => "signature_failed",
            Self::LeafUnusable { .. } => "leaf_unusable",
            Self::OutOfOrder { .. } => "out_of_order",
            Self::NotSignedByIssuer { .. } => "not_signed_by_issuer",
            Self::WrongUsage { .. } => "wrong_usage",
            Self::ChainTooLarge { .. } => "chain_too_large",
            Self::SelfSigned { .. } => "self_signed",
            Self::NoLongerVerifies { .. } => "no_longer_verifies",
            Self::NoSuchPair { .. } => "no_such_pair",
            Self::LastPair { .. } => "last_pair",
            Self::NothingPushed { .. } => "nothing_pushed",
            Self::NameTaken { .. } => "name_taken",
            Self::SourceFailed { .. } => "source_failed",
            Self::IssuerMissing { .. } => "issuer_missing",
            Self::Expired { .. } => "expired",
            Self::NotYetValid { .. } => "not_yet_valid",
            Self::NamesLost { .. } => "names_lost",
            Self::OlderThanServed { .. } => "older_than_served",
        }
    }

    /// Whether it is the same thing that is wrong; the instant and the place in a file apart.
    pub(super) fn is_same_cause(&self, other: &Self) -> bool {
        let mut other = other.clone();
        match (self, &mut other) {
            (Self::Unreadable { failure }, Self::Unreadable { failure: other }) => {
                failure.reason == other.reason && failure.place.source == other.place.source
            }
            (Self::KeyUnreadable { .. }, Self::KeyUnreadable { .. }) => true,
            (Self::Expired { seconds: now, .. }, Self::Expired { seconds, .. })
            | (Self::NotYetValid { seconds: now, .. }, Self::NotYetValid { seconds, .. }) => {
                *seconds = *now;
                *self == other
            }
            _ => *self == other,
        }
    }

    /// Whether files that are being written at this moment could look like that.
    pub(super) fn may_be_torn(&self) -> bool {
        if let Self::NoLongerVerifies { refusal, .. } = self {
            return matches!(**refusal, Refusal::UnknownIssuer { .. });
        }
        matches!(
            self,
            Self::Unreadable { .. }
                | Self::KeyUnreadable { .. }
                | Self::KeyMismatch { .. }
                | Self::IssuerMissing { .. }
        )
    }
}

fn belonging(to: Option<usize>) -> String {
    match to {
        Some(number) => {
            format!(" but to certificate {number} of that file: write the leaf first")
        }
        None => ": deploy certificate and key of the same order together".to_owned(),
    }
}

/// What RFC 5280 calls the purpose of this usage.
pub(super) const fn purpose(usage: Usage) -> &'static str {
    match usage {
        Usage::ServerAuth => "serverAuth",
        Usage::ClientAuth => "clientAuth",
    }
}

/// The first few of any number of names.
pub(super) fn listed(names: &[String]) -> String {
    const SHOWN: usize = 5;
    if names.is_empty() {
        return "nothing".to_owned();
    }
    let shown: Vec<_> = names.iter().take(SHOWN).map(|n| format!("'{n}'")).collect();
    let more = names.len().saturating_sub(SHOWN);
    match more {
        0 => shown.join(", "),
        more => format!("{} and {more} more", shown.join(", ")),
    }
}

/// A [`ReloadingKey`](super::ReloadingKey) that cannot start.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ReloadBuildError {
    /// It was not said what to serve.
    #[error(
        "there is nothing to serve: call with_pair with a certificate file and its key file, or \
         with_pushed, or with_source"
    )]
    NoPair,
    /// There is no provider to sign with.
    #[error("no crypto provider to sign with: {}", provider::why_none())]
    NoProvider,
    /// A pair that cannot be served.
    #[error("cannot start: {error}")]
    Pair {
        /// Why.
        error: ReloadError,
    },
}
