//! The names of the roots that a server asks clients for (RFC 8446, 4.2.4), of each generation.

use std::sync::OnceLock;

use rustls::DistinguishedName;

/// So many different lists of names are kept: rustls borrows them for as long as the verifier lives.
/// Where there are more, clients are told no names, and send what they have.
const MAX_HINT_SETS: usize = 64;

/// Every list of names so far, each once.
#[derive(Debug)]
pub(super) struct RootHints {
    sets: [OnceLock<Vec<DistinguishedName>>; MAX_HINT_SETS],
}

impl RootHints {
    pub(super) const fn new() -> Self {
        Self {
            sets: [const { OnceLock::new() }; MAX_HINT_SETS],
        }
    }

    /// These names, kept; none where there is no more room.
    pub(super) fn kept(&self, names: &[DistinguishedName]) -> &[DistinguishedName] {
        for set in &self.sets {
            let kept = set.get_or_init(|| names.to_vec());
            if kept
                .iter()
                .map(AsRef::as_ref)
                .eq(names.iter().map(AsRef::<[u8]>::as_ref))
            {
                return kept;
            }
        }
        &[]
    }
}
