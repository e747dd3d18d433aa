//! What events are about, as they are told apart.

use super::{EventCode, Role};
use crate::cert::Sha256Digest;

/// What is told about. Two matters that differ in anything do not silence each other.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub struct Matter {
    /// The code that tells of it where it is not ok; a matter keeps one code through all bands.
    pub topic: EventCode,
    /// Whose it is.
    pub role: Role,
    /// The host, or the name under which it is watched.
    pub name: Option<String>,
    /// The certificate, key or pin, where the matter does not outlive it.
    pub sha256: Option<Sha256Digest>,
}

impl Matter {
    /// A matter that is the only one of this topic and role, unless told apart further.
    pub const fn new(topic: EventCode, role: Role) -> Self {
        Self {
            topic,
            role,
            name: None,
            sha256: None,
        }
    }

    /// Tells it apart from others by a host, or by the name under which it is watched.
    #[must_use]
    pub fn with_name(mut self, name: impl Into<Option<String>>) -> Self {
        self.name = name.into();
        self
    }

    /// Tells it apart from others by a certificate, key or pin.
    #[must_use]
    pub fn with_sha256(mut self, sha256: impl Into<Option<Sha256Digest>>) -> Self {
        self.sha256 = sha256.into();
        self
    }
}
