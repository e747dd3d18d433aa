//! What was told, across a restart: a JSON document.

use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::Matter;
use super::told_matters::LastTold;
use crate::cert::Sha256Digest;
use crate::event::{EventCode, Role};
use crate::policy::Band;

/// The version of the document that this crate writes.
const VERSION: u32 = 1;

/// What was told last of these matters, as a document.
pub(super) fn to_json<'m>(told: impl Iterator<Item = (&'m Matter, &'m LastTold)>) -> String {
    let document = SavedTransitions {
        notafter_transitions: VERSION,
        standings: told.map(|(matter, last)| saved(matter, last)).collect(),
    };
    // Strings and numbers in a fixed shape: there is nothing here that could fail to serialize.
    serde_json::to_string(&document).unwrap_or_default()
}

/// What such a document says, all of it or nothing.
pub(super) fn from_json(json: &str) -> Result<Vec<(Matter, LastTold)>, SavedStateError> {
    let damaged = |error: serde_json::Error| SavedStateError::Damaged {
        reason: error.to_string(),
    };
    let document: SavedTransitions = serde_json::from_str(json).map_err(damaged)?;
    let version = document.notafter_transitions;
    if version != VERSION {
        return Err(SavedStateError::UnknownVersion { version });
    }
    let entries = document.standings.into_iter().enumerate();
    let read =
        entries.map(|(number, entry)| restored(entry).ok_or(SavedStateError::BadEntry { number }));
    read.collect()
}

/// A saved state that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum SavedStateError {
    /// The text is not the JSON document that was saved.
    #[error(
        "the saved state of what was told is damaged ({reason}): it is not used, and everything that is not ok is told as new"
    )]
    Damaged {
        /// What serde_json says, with line and column.
        reason: String,
    },
    /// The state was saved by another release.
    #[error(
        "the saved state of what was told has version {version}, this release reads 1: it is not used, and everything that is not ok is told as new"
    )]
    UnknownVersion {
        /// The version that it states.
        version: u32,
    },
    /// One entry of the state has no meaning to this release.
    #[error(
        "entry {number} of the saved state of what was told cannot be understood: the state is not used, and everything that is not ok is told as new"
    )]
    BadEntry {
        /// Which entry, counted from 0.
        number: usize,
    },
}

#[derive(Serialize, Deserialize)]
struct SavedTransitions {
    notafter_transitions: u32,
    standings: Vec<SavedMatter>,
}

#[derive(Serialize, Deserialize)]
struct SavedMatter {
    topic: String,
    role: String,
    name: Option<String>,
    sha256: Option<String>,
    band: String,
    told: String,
    looked: String,
    quiet: i64,
}

fn saved(matter: &Matter, last: &LastTold) -> SavedMatter {
    SavedMatter {
        topic: matter.topic.as_str().to_owned(),
        role: matter.role.as_str().to_owned(),
        name: matter.name.clone(),
        sha256: matter.sha256.map(|digest| digest.to_string()),
        band: last.band.as_str().to_owned(),
        told: last.told.to_string(),
        looked: last.looked.to_string(),
        quiet: last.quiet,
    }
}

fn restored(saved: SavedMatter) -> Option<(Matter, LastTold)> {
    let mut codes = EventCode::ALL.iter().copied();
    let topic = codes.find(|code| code.as_str() == saved.topic)?;
    let role = Role::ALL
        .into_iter()
        .find(|role| role.as_str() == saved.role)?;
    let band = Band::ALL
        .into_iter()
        .find(|band| band.as_str() == saved.band)?;
    let sha256 = match saved.sha256 {
        None => None,
        Some(hex) => Some(Sha256Digest::from_hex(&hex)?),
    };
    let last = LastTold {
        band,
        told: saved.told.parse().ok()?,
        looked: saved.looked.parse().ok()?,
        quiet: saved.quiet.max(0),
    };
    let matter = Matter::new(topic, role)
        .with_name(saved.name)
        .with_sha256(sha256);
    Some((matter, last))
}
