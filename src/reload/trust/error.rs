//! Why anchors or lists do not replace those in force.

use thiserror::Error;

use crate::outlook::AnchorError;
use crate::provider;
use crate::source::SourceFailure;
use crate::text::visible;
use crate::time::Timestamp;

/// Why trust anchors or revocation lists were refused; what was in force before stays in force.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum TrustReloadError {
    /// There is no trust anchor.
    #[error(
        "{place}: there is no trust anchor in it{}: put the bundle back, for with none nobody is accepted",
        why(.first), place = visible(.place)
    )]
    NoAnchors {
        /// Where it was looked for.
        place: String,
        /// The first thing that could not be read.
        first: Option<AnchorError>,
    },
    /// More of it cannot be read than of what is in force: cut off or damaged.
    #[error(
        "{damaged} trust anchors cannot be used, where {before} of those in force could not, the first of them: {first}"
    )]
    Damaged {
        /// How many cannot be used.
        damaged: usize,
        /// How many could not when what is in force was loaded.
        before: usize,
        /// The first of them.
        first: AnchorError,
    },
    /// There are far fewer anchors than before.
    #[error(
        "{place}: it holds {anchors} trust anchors, where {before} are in force, and less than {percent} % are not taken for whole: put the others back, or take them away in steps",
        place = visible(.place)
    )]
    TooFew {
        /// Where they lie.
        place: String,
        /// How many there are.
        anchors: usize,
        /// How many are in force.
        before: usize,
        /// The share that there must be, in percent.
        percent: u8,
    },
    /// There are fewer than before in a file that was written in place a moment ago.
    #[error(
        "{place}: it holds {held}, where {before} are in force, and was written to less than {seconds} s ago: it counts once it holds still",
        place = visible(.place)
    )]
    StillWritten {
        /// Where they lie.
        place: String,
        /// How many there are.
        held: usize,
        /// How many are in force.
        before: usize,
        /// For how long it must hold still, in seconds.
        seconds: i64,
    },
    /// The own chain verifies under the anchors in force and would not under these.
    #[error(
        "the own chain of '{name}' verifies under the trust anchors in force, and would not under those in {place} ({refusal}): add the root that it ends at",
        place = visible(.place)
    )]
    OwnChainFails {
        /// Where they lie.
        place: String,
        /// What people call the chain's leaf.
        name: String,
        /// Why it would not verify.
        refusal: String,
    },
    /// Known peers verify under the anchors in force, and none of them would under these.
    #[error(
        "none of the {peers} known peers ({named}) that verify by the trust anchors loaded before would verify by those in {place}: add the root that they end at, or say AllPeersFail::Tell if that is meant",
        place = visible(.place)
    )]
    AllPeersFail {
        /// Where they lie.
        place: String,
        /// How many peers there are.
        peers: usize,
        /// What people call the leaves of a few of them.
        named: String,
    },
    /// A file of revocation lists cannot be read.
    #[error(transparent)]
    Unreadable {
        /// Which file, where, and why.
        failure: SourceFailure,
    },
    /// There is no revocation list.
    #[error(
        "{place}: there is no revocation list in it: put the list back, for without any nothing is looked up",
        place = visible(.place)
    )]
    NoLists {
        /// Where it was looked for.
        place: String,
    },
    /// Something that is no revocation list for webpki: cut off or damaged.
    #[error(
        "{file}: revocation list {number} cannot be used ({reason}): fetch it again from its CA",
        file = visible(.file), reason = visible(.reason)
    )]
    ListUnusable {
        /// The file.
        file: String,
        /// Which list of the file, counted from 1.
        number: usize,
        /// What is wrong.
        reason: String,
    },
    /// A list is not signed by any of its issuer's keys that are known.
    #[error(
        "{file}: the list of '{issuer}' is not signed by the key of that CA, so that everybody would be refused whom it speaks for: fetch it again from its CA",
        file = visible(.file)
    )]
    SignatureFails {
        /// The file.
        file: String,
        /// The issuer's name.
        issuer: String,
    },
    /// No list is there of an issuer that one in force is of.
    #[error(
        "{place}: there is no list of '{issuer}' any more, as there was until now: put it back, or say LostIssuers::Tell if that is meant",
        place = visible(.place)
    )]
    IssuerLost {
        /// Where the lists lie.
        place: String,
        /// The issuer's name.
        issuer: String,
    },
    /// A list is of a time that is still to come.
    #[error(
        "{file}: the list of '{issuer}' is of {this_update}, which is still to come, and in force it would keep out those made until then: set the clock right, or fetch it again from its CA; otherwise it counts once that time is near",
        file = visible(.file)
    )]
    ListNotYetValid {
        /// The file.
        file: String,
        /// The issuer's name.
        issuer: String,
        /// Its thisUpdate.
        this_update: Timestamp,
    },
    /// A list was made before the one in force of the same issuer.
    #[error(
        "{file}: the list of '{issuer}' was made at {this_update}, before the one in force ({in_force}): an old list may lack what was revoked since; put the later one back",
        file = visible(.file)
    )]
    OlderList {
        /// The file.
        file: String,
        /// The issuer's name.
        issuer: String,
        /// Its thisUpdate.
        this_update: Timestamp,
        /// That of the list in force.
        in_force: Timestamp,
    },
}

impl TrustReloadError {
    /// The stable code, in snake case.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::NoAnchors { .. } => "no_anchors",
            Self::Damaged { .. } => "damaged",
            Self::TooFew { .. } => "too_few",
            Self::StillWritten { .. } => "still_written",
            Self::OwnChainFails { .. } => "own_chain_fails",
            Self::AllPeersFail { .. } => "all_peers_fail",
            Self::Unreadable { failure } => failure.reason.as_str(),
            Self::NoLists { .. } => "no_lists",
            Self::ListUnusable { .. } => "list_unusable",
            Self::SignatureFails { .. } => "signature_fails",
            Self::IssuerLost { .. } => "issuer_lost",
            Self::ListNotYetValid { .. } => "list_not_yet_valid",
            Self::OlderList { .. } => "older_list",
        }
    }

    /// Whether files that are being written at this moment could look like that.
    pub(super) const fn may_be_torn(&self) -> bool {
        !matches!(
            self,
            Self::OwnChainFails { .. }
                | Self::AllPeersFail { .. }
                | Self::ListNotYetValid { .. }
                | Self::OlderList { .. }
        )
    }
}

fn why(first: &Option<AnchorError>) -> String {
    let first = first.as_ref();
    first.map_or_else(String::new, |error| format!(" ({error})"))
}

/// Trust anchors or revocation lists that cannot be followed from the start.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum TrustBuildError {
    /// It was not said where they lie.
    #[error(
        "nothing to load was given: call with_path, or with_bytes for what the application pushes"
    )]
    NoPlace,
    /// There is no provider to verify the own chain, known peers, or the signatures of lists, with.
    #[error(
        "no crypto provider to verify the own chain, known peers, or the signatures of lists, with: {}",
        provider::why_none()
    )]
    NoProvider,
    /// What lies there cannot be used.
    #[error("cannot start: {error}")]
    Unusable {
        /// Why.
        error: TrustReloadError,
    },
}
