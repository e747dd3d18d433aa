//! One copy of the state, as bytes: one line of JSON, and a checksum over it.

use base64_simd::STANDARD as BASE64;
use serde::{Deserialize, Serialize};

use super::history::History;
use super::kept::KeptAnnouncement;
use crate::announce::PinFloor;
use crate::announce::rules::AppliedBefore;
use crate::cert::Sha256Digest;
use crate::time::Timestamp;

const FORMAT: u32 = 1;

/// A copy of more bytes is neither written nor read.
pub(super) const MAX_BYTES: usize = 16 * 1024 * 1024;

/// Between the JSON and the checksum over it.
const CHECKSUM: &str = "\nsha256 ";

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

/// Why a copy does not count.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum CopyError {
    /// The copy may be good; the disk does not give it, or a newer version of this crate wrote it.
    Unreadable(String),
    Damaged(String),
}

/// Stands in every copy, whatever else a later format changes.
#[derive(Deserialize)]
struct CopyHead {
    format: u32,
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
        let json = serde_json::to_string(self).unwrap_or_default();
        let checksum = Sha256Digest::of(json.as_bytes());
        format!("{json}{CHECKSUM}{checksum}\n").into_bytes()
    }

    pub(super) fn decode(bytes: &[u8]) -> Result<Self, CopyError> {
        let damaged = |reason: &str| CopyError::Damaged(reason.to_owned());
        if bytes.len() > MAX_BYTES {
            return Err(damaged("it is larger than any state"));
        }
        let text = std::str::from_utf8(bytes).map_err(|_| damaged("it is not text"))?;
        let (json, checksum) = text
            .rsplit_once(CHECKSUM)
            .ok_or_else(|| damaged("it ends too early"))?;
        if checksum != format!("{}\n", Sha256Digest::of(json.as_bytes())) {
            return Err(damaged("its checksum does not fit"));
        }
        let malformed = |error: serde_json::Error| CopyError::Damaged(error.to_string());
        let CopyHead { format } = serde_json::from_str(json).map_err(malformed)?;
        if format > FORMAT {
            return Err(CopyError::Unreadable(format!(
                "it has the format {format} of a newer version, known is {FORMAT}"
            )));
        }
        serde_json::from_str(json).map_err(malformed)
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
