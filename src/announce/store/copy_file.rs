//! What every copy on disk is: one line of JSON, and a checksum over it.

use std::io;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::cert::Sha256Digest;

/// Between the JSON and the checksum over it.
const CHECKSUM: &str = "\nsha256 ";

/// Why a copy does not count.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::announce) enum CopyError {
    /// The copy may be good; the disk does not give it, or a newer version of this crate wrote it: it is not
    /// overwritten.
    Unreadable(String),
    /// Its bytes are none that were written: it is replaced.
    Damaged(String),
}

impl CopyError {
    /// That the storage did not give it.
    pub(in crate::announce) fn of_reading(error: &io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::InvalidData => Self::Damaged(error.to_string()),
            _ => Self::Unreadable(format!("it cannot be read: {error}")),
        }
    }
}

/// What is read of one kind of copies.
#[derive(Debug, Clone, Copy)]
pub(in crate::announce) struct CopyForm {
    /// Greater ones are of newer versions of this crate.
    pub(in crate::announce) format: u32,
    /// A copy of more bytes is not read.
    pub(in crate::announce) max_bytes: usize,
}

/// Stands in every copy, whatever else a later format changes.
#[derive(Deserialize)]
struct CopyHead {
    format: u32,
}

pub(in crate::announce) fn encode(copy: &impl Serialize) -> Vec<u8> {
    let json = serde_json::to_string(copy).unwrap_or_default();
    let checksum = Sha256Digest::of(json.as_bytes());
    format!("{json}{CHECKSUM}{checksum}\n").into_bytes()
}

/// # Errors
/// [`CopyError`] where it is none that was written, or of a newer version.
pub(in crate::announce) fn decode<T: DeserializeOwned>(
    bytes: &[u8],
    form: CopyForm,
) -> Result<T, CopyError> {
    let damaged = |reason: &str| CopyError::Damaged(reason.to_owned());
    if bytes.len() > form.max_bytes {
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
    if format > form.format {
        return Err(CopyError::Unreadable(format!(
            "it has the format {format} of a newer version, known is {}",
            form.format
        )));
    }
    serde_json::from_str(json).map_err(malformed)
}
