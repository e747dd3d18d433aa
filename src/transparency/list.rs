//! A caller's list of logs.

use std::collections::HashMap;

use super::{Log, LogListError, LogListProblem};
use crate::cert::Sha256Digest;
use crate::time::Timestamp;

/// Browsers go by a list for so long: 70 days.
const COUNTS_FOR_SECONDS: i64 = 70 * 86_400;

/// Which logs there are: made by hand, or read from what Google and Apple publish.
///
/// It is fetched, kept and brought up to date by the caller: `https://www.gstatic.com/ct/log_list/v3/log_list.json`,
/// or `https://valid.apple.com/ct/log_list/current_log_list.json`. Logs come and go every few months, so a list that
/// was compiled in says of newer leaves that nobody knows their logs.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LogList {
    logs: HashMap<Sha256Digest, Log>,
    published: Option<Timestamp>,
    problems: Vec<LogListProblem>,
}

impl LogList {
    /// Starts with no logs.
    pub fn builder() -> LogListBuilder {
        LogListBuilder::default()
    }

    /// The log with this id.
    pub fn get(&self, log_id: &Sha256Digest) -> Option<&Log> {
        self.logs.get(log_id)
    }

    /// The logs, in no particular order.
    pub fn logs(&self) -> impl Iterator<Item = &Log> {
        self.logs.values()
    }

    /// How many logs there are.
    pub fn len(&self) -> usize {
        self.logs.len()
    }

    /// Whether there are none, which no list that was built or read has.
    pub fn is_empty(&self) -> bool {
        self.logs.is_empty()
    }

    /// When it was published, where it says so (`log_list_timestamp`).
    pub const fn published(&self) -> Option<Timestamp> {
        self.published
    }

    /// The last second at which browsers go by a list of that age: 70 days after it was published. `None`
    /// where it does not say when it was.
    ///
    /// Chrome stops asking for SCTs at all where it has no newer one.
    pub fn counts_until(&self) -> Option<Timestamp> {
        let published = self.published?;
        Some(published.saturating_add(COUNTS_FOR_SECONDS - 1))
    }

    /// What of it could not be read: of the first 100 places.
    pub fn problems(&self) -> &[LogListProblem] {
        &self.problems
    }

    /// Adds what could not be read, while there is room for it.
    #[cfg(feature = "json")]
    pub(super) fn note(&mut self, place: String, reason: String) {
        const MAX_PROBLEMS: usize = 100;
        if self.problems.len() < MAX_PROBLEMS {
            self.problems.push(LogListProblem { place, reason });
        }
    }

    /// Adds a log, unless one with its id is there already.
    pub(super) fn add(&mut self, log: Log) -> Result<(), LogListError> {
        let log_id = log.log_id;
        if self.logs.contains_key(&log_id) {
            return Err(LogListError::Repeated { log_id });
        }
        self.logs.insert(log_id, log);
        Ok(())
    }

    #[cfg(feature = "json")]
    pub(super) const fn set_published(&mut self, published: Timestamp) {
        self.published = Some(published);
    }
}

/// Gathers logs.
#[derive(Debug, Clone, Default)]
#[must_use]
pub struct LogListBuilder {
    logs: Vec<Log>,
    published: Option<Timestamp>,
}

impl LogListBuilder {
    /// Adds a log.
    pub fn with_log(mut self, log: Log) -> Self {
        self.logs.push(log);
        self
    }

    /// Says when the list was published.
    pub const fn with_published(mut self, published: Timestamp) -> Self {
        self.published = Some(published);
        self
    }

    /// The finished list.
    ///
    /// # Errors
    /// [`LogListError`] where there are no logs, or one is there twice.
    pub fn build(self) -> Result<LogList, LogListError> {
        let mut list = LogList {
            published: self.published,
            ..LogList::default()
        };
        for log in self.logs {
            list.add(log)?;
        }
        match list.is_empty() {
            true => Err(LogListError::NoLogs),
            false => Ok(list),
        }
    }
}
