//! Which SCTs count.

use std::collections::{BTreeMap, BTreeSet};

use super::{Log, LogKind, LogList, LogState, NotCounted, NotCountedReason};
use crate::cert::{Sct, Sha256Digest};
use crate::time::Timestamp;

/// Whose SCTs count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Admits {
    /// Those of logs that are in force.
    Current,
    /// Those of logs, too, that were retired after they gave them.
    OnceCurrent,
}

/// The SCTs that count, one for each log, and the others.
#[derive(Debug, Default)]
pub(super) struct CountedScts {
    counted: BTreeMap<Sha256Digest, CountedLog>,
    pub(super) not_counted: Vec<NotCounted>,
}

#[derive(Debug)]
struct CountedLog {
    operator: String,
    kind: LogKind,
    /// Whether its log is in force, and not only was.
    is_current: bool,
}

impl CountedScts {
    pub(super) fn of<'s>(
        scts: impl IntoIterator<Item = &'s Sct>,
        admits: Admits,
        list: &LogList,
        at: Timestamp,
    ) -> Self {
        let mut of_all = Self::default();
        for sct in scts {
            let log = list.get(&sct.log_id);
            let judged = match log {
                _ if of_all.counted.contains_key(&sct.log_id) => Err(NotCountedReason::SameLog),
                Some(log) => tell(sct, log, admits, at),
                None => Err(NotCountedReason::UnknownLog),
            };
            match judged {
                Ok(counted) => {
                    of_all.counted.insert(sct.log_id, counted);
                }
                Err(reason) => of_all.not_counted.push(NotCounted {
                    log_id: sct.log_id,
                    log: log.map_or_else(|| sct.log_id.to_base64(), Log::name),
                    timestamp: sct.timestamp(),
                    reason,
                }),
            }
        }
        of_all
    }

    pub(super) fn is_empty(&self) -> bool {
        self.counted.is_empty()
    }

    /// Of how many logs.
    pub(super) fn logs(&self) -> usize {
        self.counted.len()
    }

    /// Of how many logs that are in force.
    pub(super) fn current(&self) -> usize {
        self.counted.values().filter(|c| c.is_current).count()
    }

    /// Of how many logs of RFC 6962.
    pub(super) fn rfc6962(&self) -> usize {
        let kinds = self.counted.values().map(|counted| counted.kind);
        kinds.filter(|kind| *kind == LogKind::Rfc6962).count()
    }

    /// Whose they are, each once, in the order of their names.
    pub(super) fn operators(&self) -> Vec<String> {
        let operators = self.counted.values().map(|c| c.operator.clone());
        BTreeSet::from_iter(operators).into_iter().collect()
    }
}

/// # Errors
/// Why it does not count.
fn tell(
    sct: &Sct,
    log: &Log,
    admits: Admits,
    at: Timestamp,
) -> Result<CountedLog, NotCountedReason> {
    if sct.timestamp() > at {
        return Err(NotCountedReason::OfTheFuture);
    }
    let state = log.state_at(at).ok_or(NotCountedReason::NoState)?;
    let is_current = state.is_current();
    if state == LogState::Retired {
        let since = log.retired_since().unwrap_or(at);
        if admits == Admits::Current || !sct.is_before(since) {
            return Err(NotCountedReason::Retired { since });
        }
    } else if !is_current {
        return Err(NotCountedReason::NotIncluded { state });
    }
    Ok(CountedLog {
        operator: log.operator_of(sct).to_owned(),
        kind: log.kind,
        is_current,
    })
}
