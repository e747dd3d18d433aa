//! How things stand, from best to worst.

use std::fmt;

/// How a certificate or a chain stands at an instant, from best to worst.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Band {
    /// Nothing to do.
    Ok,
    /// Renewal should have happened by now; automation has time to try again.
    Due,
    /// A person should look.
    Warning,
    /// A person should look now.
    Critical,
    /// Its time has not come.
    NotYetValid,
    /// Its time is over: `now > not_after`.
    Expired,
    /// A chain that does not verify though its dates are fine; no single certificate is that.
    Broken,
}

impl Band {
    /// Every band, from best to worst.
    pub const ALL: [Self; 7] = [
        Self::Ok,
        Self::Due,
        Self::Warning,
        Self::Critical,
        Self::NotYetValid,
        Self::Expired,
        Self::Broken,
    ];

    /// The stable code, in snake case.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Due => "due",
            Self::Warning => "warning",
            Self::Critical => "critical",
            Self::NotYetValid => "not_yet_valid",
            Self::Expired => "expired",
            Self::Broken => "broken",
        }
    }

    /// The stable number, for metrics: 0 for ok, 1 due, 2 warning, 3 critical, 4 not yet valid, 5 expired,
    /// 6 broken. A greater one is worse.
    pub const fn as_number(self) -> u8 {
        match self {
            Self::Ok => 0,
            Self::Due => 1,
            Self::Warning => 2,
            Self::Critical => 3,
            Self::NotYetValid => 4,
            Self::Expired => 5,
            Self::Broken => 6,
        }
    }
}

impl fmt::Display for Band {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}
