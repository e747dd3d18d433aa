//! One copy of the state, as bytes.

use base64_simd::STANDARD as BASE64;
use serde::{Deserialize, Serialize};

use super::history::{History, Remembered};
use crate::announcement::{Algorithms, PinFloor, SignedAnnouncement};
use crate::cert::{Sha256Digest, Timestamp};

const FORMAT: u32 = 1;

/// A copy of more bytes is neither written nor read.
pub(super) const MAX_BYTES: usize = 16 * 1024 * 1024;

/// Between the JSON and the checksum over it.
const CHECKSUM: &str = "\nsha256 ";

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Copy {
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
}

/// Why a copy does not count.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Unfit {
    /// It grew from a floor that this one replaces.
    OtherFloor {
        version: u64,
    },
    /// It may be good; the disk does not give it.
    Unreadable(String),
    Damaged(String),
}

impl Copy {
    pub(super) fn of(history: &History, floor: &PinFloor, sequence: u64) -> Self {
        let copied = |remembered: &Remembered| CopiedAnnouncement {
            applied: remembered.at.as_unix_seconds(),
            first_sight: remembered.first_sight.as_unix_seconds(),
            envelope: BASE64.encode_to_string(remembered.signed.bytes()),
        };
        Self {
            format: FORMAT,
            sequence,
            floor_version: floor.version(),
            floor_authority: floor.authority().fingerprint().to_string(),
            latest: history.state.latest().as_unix_seconds(),
            announcements: history.remembered.iter().map(copied).collect(),
        }
    }

    pub(super) fn encode(&self) -> Vec<u8> {
        let json = serde_json::to_string(self).unwrap_or_default();
        let checksum = Sha256Digest::of(json.as_bytes());
        format!("{json}{CHECKSUM}{checksum}\n").into_bytes()
    }

    pub(super) fn decode(bytes: &[u8]) -> Result<Self, Unfit> {
        let damaged = |reason: &str| Unfit::Damaged(reason.to_owned());
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
        let copy: Self =
            serde_json::from_str(json).map_err(|error| Unfit::Damaged(error.to_string()))?;
        if copy.format != FORMAT {
            let reason = format!("it has the format {}, known is {FORMAT}", copy.format);
            return Err(Unfit::Damaged(reason));
        }
        Ok(copy)
    }

    /// Applies its announcements again, each signature verified.
    pub(super) fn replay(
        &self,
        mut history: History,
        floor: &PinFloor,
        algorithms: Algorithms,
    ) -> Result<History, Unfit> {
        let same_authority = self.floor_authority == floor.authority().fingerprint().to_string();
        if self.floor_version < floor.version() || !same_authority {
            let version = self.floor_version;
            return Err(Unfit::OtherFloor { version });
        }
        for (n, copied) in self.announcements.iter().enumerate() {
            let at = Timestamp::from_unix_seconds(copied.applied);
            let first_sight = Timestamp::from_unix_seconds(copied.first_sight);
            let invalid = |reason: String| {
                let place = format!("announcement {} of {}", n + 1, self.announcements.len());
                Unfit::Damaged(format!("{place} does not hold: {reason}"))
            };
            let envelope = BASE64.decode_to_vec(copied.envelope.as_bytes());
            let envelope = envelope.map_err(|error| invalid(error.to_string()))?;
            let authority = history.state.authority_at(at);
            SignedAnnouncement::open(&envelope, authority, algorithms)
                .and_then(|signed| history.recall(signed, at, first_sight))
                .map_err(|error| invalid(error.to_string()))?;
        }
        let latest = Timestamp::from_unix_seconds(self.latest);
        history.state.reach(latest);
        Ok(history)
    }
}
