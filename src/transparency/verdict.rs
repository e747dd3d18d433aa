//! What a leaf's SCTs come to, with the numbers.

use std::fmt;

use super::NotCounted;
use super::counted::CountedScts;
use crate::cert::{SctList, SctParseError};
use crate::text::visible;
use crate::time::Timestamp;

/// Whether a leaf's SCTs are what a policy wants, at one instant, and until when.
///
/// It holds if every SCT is what it claims to be: no signature was verified.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct SctVerdict {
    /// Whether they are, or what is missing first.
    pub status: SctStatus,
    /// The instant that was asked about.
    pub judged_at: Timestamp,
    /// Of how many logs SCTs count.
    pub counted: usize,
    /// Of how many there must be.
    pub needed: usize,
    /// How many of those that count are of logs that are not retired; one must be.
    pub current: usize,
    /// How many of those that count are of logs that are read as RFC 6962 has it.
    pub rfc6962: usize,
    /// How many of those there must be.
    pub needed_rfc6962: usize,
    /// Who operates the logs of those that count, each once, in the order of their names.
    pub operators: Vec<String>,
    /// How many operators there must be.
    pub needed_operators: usize,
    /// Those that do not count, in their order.
    pub not_counted: Vec<NotCounted>,
    /// How many of those that are embedded are of a version that is not known.
    pub unknown_versions: usize,
    /// What is wrong with what is embedded: with the list as a whole, or with some of it.
    pub damaged: Vec<SctParseError>,
    /// The last second at which it is met, from the instant asked about on, where the list of logs says that it
    /// ends before the leaf does: a log is retired then. `None` where it is not met, or no end is known of.
    pub met_until: Option<Timestamp>,
}

/// Whether SCTs are what a policy wants.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum SctStatus {
    /// They are.
    Met,
    /// There are none.
    Missing,
    /// There are none that can be read, and some that cannot.
    Unreadable,
    /// They are of too few logs that count.
    TooFew,
    /// All logs that count were retired since.
    NoCurrentLog,
    /// The logs are of too few operators.
    TooFewOperators,
    /// Too few of the logs are those of RFC 6962.
    TooFewRfc6962,
}

impl SctStatus {
    /// The stable code, in snake case.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Met => "met",
            Self::Missing => "missing",
            Self::Unreadable => "unreadable",
            Self::TooFew => "too_few",
            Self::NoCurrentLog => "no_current_log",
            Self::TooFewOperators => "too_few_operators",
            Self::TooFewRfc6962 => "too_few_rfc6962",
        }
    }
}

impl fmt::Display for SctStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// What a policy wants of one leaf.
#[derive(Debug, Clone, Copy)]
pub(super) struct Wanted {
    pub(super) scts: usize,
    pub(super) operators: usize,
    pub(super) rfc6962: usize,
}

impl SctVerdict {
    /// `error` is why nothing of what is embedded can be read.
    pub(super) fn of(
        counted: CountedScts,
        wanted: Wanted,
        embedded: &SctList,
        error: Option<SctParseError>,
        judged_at: Timestamp,
    ) -> Self {
        let mut damaged = embedded.damaged.clone();
        damaged.extend(error);
        let operators = counted.operators();
        let status = match counted.logs() {
            0 if counted.not_counted.is_empty() && wanted.scts > 0 => match damaged.as_slice() {
                [] => SctStatus::Missing,
                _ => SctStatus::Unreadable,
            },
            logs if logs < wanted.scts => SctStatus::TooFew,
            1.. if counted.current() == 0 => SctStatus::NoCurrentLog,
            _ if operators.len() < wanted.operators => SctStatus::TooFewOperators,
            _ if counted.rfc6962() < wanted.rfc6962 => SctStatus::TooFewRfc6962,
            _ => SctStatus::Met,
        };
        Self {
            status,
            judged_at,
            counted: counted.logs(),
            needed: wanted.scts,
            current: counted.current(),
            rfc6962: counted.rfc6962(),
            needed_rfc6962: wanted.rfc6962,
            operators,
            needed_operators: wanted.operators,
            not_counted: counted.not_counted,
            unknown_versions: embedded.unknown_versions,
            damaged,
            met_until: None,
        }
    }
}

impl fmt::Display for SctVerdict {
    /// What there is and what there must be, as a part of a sentence.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.status {
            SctStatus::Met => write!(
                f,
                "SCTs of {} logs of {} operators count, as browsers want",
                self.counted,
                self.operators.len()
            )?,
            SctStatus::Missing => f.write_str("it embeds no SCT")?,
            SctStatus::Unreadable => f.write_str("it embeds no SCT that can be read")?,
            SctStatus::TooFew => write!(
                f,
                "SCTs of {} logs count, and browsers want {}",
                self.counted, self.needed
            )?,
            SctStatus::NoCurrentLog => write!(
                f,
                "SCTs of {} logs count, and browsers want one of a log that was not retired",
                self.counted
            )?,
            SctStatus::TooFewOperators => write!(
                f,
                "SCTs of {} operators count ({}), and browsers want {}",
                self.operators.len(),
                visible(&self.operators.join(", ")),
                self.needed_operators
            )?,
            SctStatus::TooFewRfc6962 => write!(
                f,
                "SCTs of {} logs of RFC 6962 count, and Apple wants {}",
                self.rfc6962, self.needed_rfc6962
            )?,
        }
        self.write_others(f)
    }
}

impl SctVerdict {
    /// What does not count, so far as a sentence has room for it.
    fn write_others(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const MAX_SHOWN: usize = 4;
        if self.status == SctStatus::Met {
            return Ok(());
        }
        for not_counted in self.not_counted.iter().take(MAX_SHOWN) {
            write!(f, "; {not_counted}")?;
        }
        let more = self.not_counted.len().saturating_sub(MAX_SHOWN);
        if more > 0 {
            write!(f, "; {more} more do not count either")?;
        }
        if self.unknown_versions > 0 {
            write!(
                f,
                "; {} are of a version that is not known",
                self.unknown_versions
            )?;
        }
        if let Some(damaged) = self.damaged.first() {
            write!(
                f,
                "; {} cannot be read: {}",
                self.damaged.len(),
                damaged.problem
            )?;
        }
        Ok(())
    }
}
