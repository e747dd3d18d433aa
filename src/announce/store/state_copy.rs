//! One copy of the state: what is in it, and what it comes to.

use base64_simd::STANDARD as BASE64;
use serde::{Deserialize, Serialize};

use super::copy_file::{self, CopyError, CopyForm};
use super::history::History;
use super::kept::KeptAnnouncement;
use crate::announce::PinFloor;
use crate::announce::rules::AppliedBefore;
use crate::cert::Sha256Digest;
use crate::time::Timestamp;

const FORMAT: u32 = 1;

/// A copy of more bytes is neither written nor read.
pub(super) const MAX_BYTES: usize = 16 * 1024 * 1024;

/// What one copy holds. Of a damaged one nothing is believed, and of a whole one only what is signed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct StateCopy {
    format: u32,
    /// Rises with each write.
    pub(super) sequence: u64,
    floor_version: u64,
    floor_authority: String,
    /// Unix seconds, as the instants below.
    latest: i64,
    announcements: Vec<CopiedAnnouncement>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct CopiedAnnouncement {
    applied: i64,
    first_sight: i64,
    envelope: String,
    /// The fingerprint of the authority that ruled then, in hexadecimal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    ruled: Option<String>,
    /// Does not hold under the configuration that wrote the copy.
    #[serde(default, skip_serializing_if = "is_false")]
    aside: bool,
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde gives a reference")]
const fn is_false(value: &bool) -> bool {
    !*value
}

impl StateCopy {
    pub(super) fn of(history: &History, floor: &PinFloor, sequence: u64) -> Self {
        let copied = |kept: KeptAnnouncement| CopiedAnnouncement {
            applied: kept.applied.at.as_unix_seconds(),
            first_sight: kept.applied.first_sight.as_unix_seconds(),
            envelope: BASE64.encode_to_string(&kept.envelope),
            ruled: kept.applied.ruled.map(|ruled| ruled.to_string()),
            aside: kept.aside,
        };
        Self {
            format: FORMAT,
            sequence,
            floor_version: floor.version(),
            floor_authority: floor.authority().fingerprint().to_string(),
            latest: history.state.latest().as_unix_seconds(),
            announcements: history.kept().into_iter().map(copied).collect(),
        }
    }

    pub(super) fn encode(&self) -> Vec<u8> {
        copy_file::encode(self)
    }

    pub(super) fn decode(bytes: &[u8]) -> Result<Self, CopyError> {
        let form = CopyForm {
            format: FORMAT,
            max_bytes: MAX_BYTES,
        };
        copy_file::decode(bytes, form)
    }

    /// The version of the floor under which it was written.
    pub(super) const fn floor_version(&self) -> u64 {
        self.floor_version
    }

    /// Whether this floor replaces the one that it was written under: its version is higher, or others
    /// announce.
    pub(super) fn is_replaced_by(&self, floor: &PinFloor) -> bool {
        self.floor_version < floor.version()
            || self.floor_authority != floor.authority().fingerprint().to_string()
    }

    /// The latest instant that was reached.
    pub(super) const fn latest(&self) -> Timestamp {
        Timestamp::from_unix_seconds(self.latest)
    }

    /// The announcements in it. Nothing is verified yet.
    pub(super) fn kept(&self) -> Result<Vec<KeptAnnouncement>, CopyError> {
        let kept = self.announcements.iter().enumerate().map(|(n, copied)| {
            let envelope = BASE64.decode_to_vec(copied.envelope.as_bytes());
            let envelope = envelope.map_err(|error| {
                let place = format!("announcement {} of {}", n + 1, self.announcements.len());
                CopyError::Damaged(format!("{place} is not base64: {error}"))
            })?;
            Ok(KeptAnnouncement {
                envelope,
                applied: AppliedBefore {
                    at: Timestamp::from_unix_seconds(copied.applied),
                    first_sight: Timestamp::from_unix_seconds(copied.first_sight),
                    // It is only a hint.
                    ruled: copied.ruled.as_deref().and_then(Sha256Digest::from_hex),
                },
                aside: copied.aside,
            })
        });
        kept.collect()
    }
}
