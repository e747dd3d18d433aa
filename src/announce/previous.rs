//! The announcement that another one follows, as its payload names it in `previous`.

use super::AnnouncementError;
use super::json_place::JsonPlace;
use crate::cert::Sha256Digest;

/// The announcement that another one follows, as that one's signatures vouch for it.
///
/// # What must the next announcement carry as `previous`?
/// ```no_run
/// use notafter::PinStore;
/// use notafter::announce::PreviousAnnouncement;
/// fn previous(store: &PinStore) -> Option<String> {
///     let PreviousAnnouncement { version, sha256, .. } = store.in_force()?;
///     Some(format!(r#"{{"version": {version}, "sha256": "{sha256}"}}"#))
/// }
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct PreviousAnnouncement {
    /// The version of that announcement.
    pub version: u64,
    /// SHA-256 over its payload's bytes, as they were signed.
    pub sha256: Sha256Digest,
}

impl PreviousAnnouncement {
    /// The announcement with this version and this digest of its payload.
    pub const fn new(version: u64, sha256: Sha256Digest) -> Self {
        Self { version, sha256 }
    }

    pub(super) fn parse(node: &JsonPlace<'_>) -> Result<Self, AnnouncementError> {
        let digest = node.field("sha256")?;
        let sha256 = Sha256Digest::from_hex(digest.text()?).ok_or_else(|| {
            digest.malformed("a digest is written in 64 lower-case hexadecimal digits")
        })?;
        let version = node.field("version")?.integer()?;
        Ok(Self { version, sha256 })
    }
}

/// How an announcement stands to the one in force.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Link {
    /// It names the one in force as the one that it follows.
    Follows,
    /// It follows one that never arrived here.
    Missed,
    /// Whoever signed it does not know of the one in force.
    Forks,
}

impl Link {
    pub(crate) fn between(
        in_force: Option<PreviousAnnouncement>,
        previous: Option<PreviousAnnouncement>,
    ) -> Self {
        match (in_force, previous) {
            (in_force, previous) if in_force == previous => Self::Follows,
            (None, Some(_)) => Self::Missed,
            (Some(known), Some(previous)) if previous.version > known.version => Self::Missed,
            _ => Self::Forks,
        }
    }
}
