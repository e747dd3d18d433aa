//! What was told, across a restart.

use std::num::NonZeroUsize;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::standing::Standing;
use super::{Matter, Transitions};
use crate::cert::Sha256Digest;
use crate::event::{EventCode, Role};
use crate::policy::Band;

/// The version of the document that this crate writes.
const VERSION: u32 = 1;

#[derive(Serialize, Deserialize)]
struct Document {
    notafter_transitions: u32,
    standings: Vec<Entry>,
}

#[derive(Serialize, Deserialize)]
struct Entry {
    topic: String,
    role: String,
    name: Option<String>,
    sha256: Option<String>,
    band: String,
    told: String,
    looked: String,
    quiet: i64,
}

impl Transitions {
    /// What was told so far as JSON, for [`Transitions::restore`] after a restart.
    ///
    /// It holds the names of hosts and sources, and nothing secret.
    pub fn save(&self) -> String {
        let entry = |(matter, standing): (&Matter, &Standing)| Entry {
            topic: matter.topic.as_str().to_owned(),
            role: matter.role.as_str().to_owned(),
            name: matter.name.clone(),
            sha256: matter.sha256.map(|digest| digest.to_string()),
            band: standing.band.as_str().to_owned(),
            told: standing.told.to_string(),
            looked: standing.looked.to_string(),
            quiet: standing.quiet,
        };
        let document = Document {
            notafter_transitions: VERSION,
            standings: self.standings.iter().map(entry).collect(),
        };
        // Strings and numbers in a fixed shape: there is nothing here that could fail to serialize.
        serde_json::to_string(&document).unwrap_or_default()
    }

    /// Goes on where [`Transitions::save`] was called: what was told is not told again before its
    /// time, and what recovered meanwhile is told as recovered.
    ///
    /// # Errors
    /// [`SavedStateError`] where the text is not what `save` wrote. Nothing of it is used then:
    /// start with [`Transitions::new`], which tells everything that is not ok as new.
    pub fn restore(saved: &str, capacity: NonZeroUsize) -> Result<Self, SavedStateError> {
        let mut transitions = Self::new(capacity);
        transitions.restore_from(saved)?;
        Ok(transitions)
    }

    /// The same for one that exists, with its room and its intervals; what is known already stays.
    ///
    /// # Errors
    /// [`SavedStateError`] as for [`Transitions::restore`]: then nothing has changed.
    pub fn restore_from(&mut self, saved: &str) -> Result<(), SavedStateError> {
        let document: Document =
            serde_json::from_str(saved).map_err(|error| SavedStateError::Damaged {
                reason: error.to_string(),
            })?;
        let version = document.notafter_transitions;
        if version != VERSION {
            return Err(SavedStateError::UnknownVersion { version });
        }
        let entries = document.standings.into_iter().enumerate();
        let entries =
            entries.map(|(number, entry)| read(entry).ok_or(SavedStateError::BadEntry { number }));
        let entries: Vec<_> = entries.collect::<Result<_, _>>()?;
        for (matter, standing) in entries {
            if self.standings.peek(&matter).is_none() {
                self.standings.put(matter, standing);
            }
        }
        Ok(())
    }
}

fn read(entry: Entry) -> Option<(Matter, Standing)> {
    let mut codes = EventCode::ALL.iter().copied();
    let topic = codes.find(|code| code.as_str() == entry.topic)?;
    let role = Role::ALL
        .into_iter()
        .find(|role| role.as_str() == entry.role)?;
    let band = Band::ALL
        .into_iter()
        .find(|band| band.as_str() == entry.band)?;
    let sha256 = match entry.sha256 {
        None => None,
        Some(hex) => {
            let digest = base16ct::lower::decode_vec(hex.as_bytes()).ok()?;
            Some(Sha256Digest::from_bytes(digest.try_into().ok()?))
        }
    };
    let standing = Standing {
        band,
        told: entry.told.parse().ok()?,
        looked: entry.looked.parse().ok()?,
        quiet: entry.quiet.max(0),
    };
    let matter = Matter::new(topic, role)
        .with_name(entry.name)
        .with_sha256(sha256);
    Some((matter, standing))
}

/// A saved state that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum SavedStateError {
    /// It is not the JSON document that was saved.
    #[error(
        "the saved state of what was told is damaged ({reason}): it is not used, and everything that is not ok is told as new"
    )]
    Damaged {
        /// What serde_json says, with line and column.
        reason: String,
    },
    /// It was saved by another release.
    #[error(
        "the saved state of what was told has version {version}, this release reads 1: it is not used, and everything that is not ok is told as new"
    )]
    UnknownVersion {
        /// The version that it states.
        version: u32,
    },
    /// One of its entries is of no meaning to this release.
    #[error(
        "entry {number} of the saved state of what was told cannot be understood: the state is not used, and everything that is not ok is told as new"
    )]
    BadEntry {
        /// Which entry, counted from 0.
        number: usize,
    },
}
