//! What should be said of a pair though it is served.

/// Remarks on one pair.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Remarks {
    /// Somebody should look at it.
    pub(super) warnings: Vec<String>,
    /// What has changed, as it may.
    pub(super) notes: Vec<String>,
}

impl Remarks {
    pub(super) fn warn(&mut self, warning: &impl ToString) {
        self.warnings.push(warning.to_string());
    }

    pub(super) fn extend(&mut self, other: Self) {
        self.warnings.extend(other.warnings);
        self.notes.extend(other.notes);
    }

    /// The warnings first.
    pub(super) fn iter(&self) -> impl Iterator<Item = &str> {
        let all = self.warnings.iter().chain(&self.notes);
        all.map(String::as_str)
    }
}
