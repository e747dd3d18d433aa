//! What anchors and lists have in common for the one who reloads them.

use std::fmt;
use std::path::Path;

use super::error::TrustReloadError;
use crate::alert::Condition;
use crate::event::Role;
use crate::monitor::Evaluation;
use crate::source::Loader;
use crate::time::Timestamp;

/// One kind of what trust is made of, with the rules by which it is replaced.
pub(super) trait TrustKind: fmt::Debug + Send + Sync {
    /// What was read of one file, or pushed.
    type Contents: Clone + PartialEq + fmt::Debug + Send + Sync;
    /// What is published.
    type Value: fmt::Debug + Send + Sync;

    const ROLE: Role;

    /// Reads a file or a folder.
    fn read_path(&self, path: &Path, loader: &Loader) -> Vec<Self::Contents>;

    /// Reads what the application pushed under this name.
    fn read_bytes(&self, name: &str, bytes: &[u8]) -> Vec<Self::Contents>;

    /// Reads the operating system's store.
    fn read_os(&self) -> Vec<Self::Contents>;

    /// What is made of the contents, if it may replace what is in force.
    fn admit(
        &self,
        contents: &[Self::Contents],
        look: &TrustLook<'_>,
        in_force: Option<&Self::Value>,
    ) -> Result<Admitted<Self::Value>, TrustReloadError>;

    /// Whether a verifier would go by the same.
    fn is_same(&self, value: &Self::Value, other: &Self::Value) -> bool;

    /// What there is, for people.
    fn describe(&self, value: &Self::Value) -> String;

    /// What of it could not be used, though the rest counts.
    fn remark(&self, value: &Self::Value) -> Option<String>;

    /// Whether what is in force is near its end, as far as that is told at each look.
    fn conditions(&self, value: &Self::Value, now: Timestamp) -> Vec<Condition>;

    /// What else a monitor says of what is in force, which lies there.
    fn evaluate(&self, value: &Self::Value, place: &str, now: Timestamp) -> Evaluation;
}

/// What may be in force.
#[derive(Debug)]
pub(super) struct Admitted<V> {
    pub(super) value: V,
    /// What there is to warn of, though it may.
    pub(super) warning: Option<TrustReloadError>,
}

impl<V> Admitted<V> {
    pub(super) const fn without_warning(value: V) -> Self {
        Self {
            value,
            warning: None,
        }
    }
}

/// The circumstances under which contents were read.
#[derive(Debug, Clone, Copy)]
pub(super) struct TrustLook<'l> {
    /// Where it all lies, for people.
    pub(super) place: &'l str,
    /// For how long a file must hold still where it may be half-written, in seconds; 0 where none may.
    pub(super) written_within: i64,
    pub(super) now: Timestamp,
}
