//! One log: whose it is, and how it stands when.

use std::fmt;

use crate::cert::{Sct, Sha256Digest};
use crate::time::Timestamp;

/// How a log stands with whoever publishes a list, by the words of log_list.json (version 3).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum LogState {
    /// It asked to be included.
    Pending,
    /// It is included, and will be usable once all browsers have heard of it.
    Qualified,
    /// It counts everywhere.
    Usable,
    /// It takes no certificates any more; what it took counts.
    ReadOnly,
    /// It is trusted no longer; of what it took before, embedded SCTs count beside others.
    Retired,
    /// It was never included, and will not be.
    Rejected,
}

impl LogState {
    /// Every state, in the order in which a log goes through them.
    pub const ALL: [Self; 6] = [
        Self::Pending,
        Self::Qualified,
        Self::Usable,
        Self::ReadOnly,
        Self::Retired,
        Self::Rejected,
    ];

    /// The word of log_list.json.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Qualified => "qualified",
            Self::Usable => "usable",
            Self::ReadOnly => "readonly",
            Self::Retired => "retired",
            Self::Rejected => "rejected",
        }
    }

    /// Whether browsers count what a log says that stands so: qualified, usable or readonly.
    pub const fn is_current(self) -> bool {
        matches!(self, Self::Qualified | Self::Usable | Self::ReadOnly)
    }
}

impl fmt::Display for LogState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// How a log is read. Who only looks at SCTs sees no difference; Apple wants one SCT of the older kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum LogKind {
    /// As RFC 6962 has it: `logs` of log_list.json.
    #[default]
    Rfc6962,
    /// By static-ct-api, in tiles: `tiled_logs` of log_list.json.
    StaticCtApi,
}

/// A log of Certificate Transparency.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Log {
    /// SHA-256 over its SubjectPublicKeyInfo.
    pub log_id: Sha256Digest,
    /// What it is called; empty where nothing is said.
    pub description: String,
    /// Who operates it now.
    pub operator: String,
    /// How it is read.
    pub kind: LogKind,
    /// Which certificates it takes, by their notAfter. Browsers do not go by it.
    pub temporal_interval: Option<TemporalInterval>,
    /// In the order of their instants.
    states: Vec<StateSince>,
    /// In the order of their instants.
    previous_operators: Vec<OperatorUntil>,
}

/// The notAfter of what a log takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(clippy::exhaustive_structs)] // two ends, and nothing to come
pub struct TemporalInterval {
    /// The first that it takes.
    pub start_inclusive: Timestamp,
    /// The first that it takes no more.
    pub end_exclusive: Timestamp,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct StateSince {
    since: Timestamp,
    state: LogState,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct OperatorUntil {
    end: Timestamp,
    name: String,
}

impl Log {
    /// A log with this id, in the hands of this operator. Nothing is said of its state yet, so nothing of it
    /// counts.
    pub fn new(log_id: Sha256Digest, operator: impl Into<String>) -> Self {
        Self {
            log_id,
            description: String::new(),
            operator: operator.into(),
            kind: LogKind::default(),
            temporal_interval: None,
            states: Vec::new(),
            previous_operators: Vec::new(),
        }
    }

    /// What it is called.
    #[must_use]
    pub fn with_description(mut self, description: impl Into<String>) -> Self {
        self.description = description.into();
        self
    }

    /// How it is read.
    #[must_use]
    pub const fn with_kind(mut self, kind: LogKind) -> Self {
        self.kind = kind;
        self
    }

    /// Which certificates it takes.
    #[must_use]
    pub const fn with_temporal_interval(mut self, interval: TemporalInterval) -> Self {
        self.temporal_interval = Some(interval);
        self
    }

    /// How it stands from this second on; repeatable, also for what is still to come.
    #[must_use]
    pub fn with_state(mut self, state: LogState, since: Timestamp) -> Self {
        self.states.push(StateSince { since, state });
        self.states.sort_by_key(|known| known.since);
        self
    }

    /// Who operated it before: SCTs earlier than `end` are this operator's.
    #[must_use]
    pub fn with_previous_operator(mut self, name: impl Into<String>, end: Timestamp) -> Self {
        let name = name.into();
        self.previous_operators.push(OperatorUntil { end, name });
        self.previous_operators.sort_by_key(|previous| previous.end);
        self
    }

    /// What people call it: its description, else its id in base64.
    pub fn name(&self) -> String {
        match self.description.as_str() {
            "" => self.log_id.to_base64(),
            description => description.to_owned(),
        }
    }

    /// How it stands at this instant; `None` where nothing is said of it.
    ///
    /// A list states the latest state alone. Before that a log stood as it must have to get there: one that
    /// was retired, or takes no more, was usable; any other stands as it is stated.
    pub fn state_at(&self, at: Timestamp) -> Option<LogState> {
        let latest = self.states.iter().rev().find(|known| known.since <= at);
        let stated = latest.or(self.states.first())?.state;
        match (latest, stated) {
            (None, LogState::ReadOnly | LogState::Retired) => Some(LogState::Usable),
            _ => Some(stated),
        }
    }

    /// The instants at which it comes to stand otherwise, in order.
    pub fn changes(&self) -> impl Iterator<Item = Timestamp> {
        self.states.iter().map(|known| known.since)
    }

    /// From when on it is trusted no longer, where that is stated.
    pub fn retired_since(&self) -> Option<Timestamp> {
        let mut states = self.states.iter();
        let retired = states.find(|known| known.state == LogState::Retired);
        retired.map(|known| known.since)
    }

    /// Who operated it when it signed this.
    pub fn operator_of(&self, sct: &Sct) -> &str {
        let mut previous = self.previous_operators.iter();
        let then = previous.find(|previous| sct.is_before(previous.end));
        then.map_or(&self.operator, |previous| &previous.name)
    }
}
