//! How much something matters.

use std::fmt;

use crate::policy::Band;

/// How much an event matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Severity {
    /// About peers that did not prove who they are: anybody can cause it, so it is told by number,
    /// once a minute for each kind, and gives way to everything else.
    Unproven,
    /// Good to know.
    Info,
    /// A person should look in working hours.
    Warning,
    /// Something is dark, or about to be.
    Critical,
}

impl Severity {
    /// Every severity, the mildest first.
    pub const ALL: [Self; 4] = [Self::Unproven, Self::Info, Self::Warning, Self::Critical];

    /// The stable code, in snake case.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Unproven => "unproven",
            Self::Info => "info",
            Self::Warning => "warning",
            Self::Critical => "critical",
        }
    }

    /// How much a certificate in this band matters.
    pub const fn of_band(band: Band) -> Self {
        match band {
            Band::Ok | Band::Due => Self::Info,
            Band::Warning => Self::Warning,
            Band::Critical | Band::NotYetValid | Band::Expired | Band::Broken => Self::Critical,
        }
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}
