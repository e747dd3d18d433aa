//! An observer that is told only some of the events.

use std::fmt;
use std::sync::Arc;

use super::Observer;
use crate::event::{Event, EventCode, Role, Severity};

/// Hands on only the events that pass all of its filters; without any, all of them.
///
/// # How do I wake somebody for critical events of my own certificates only?
/// ```
/// use std::sync::Arc;
/// use notafter::{Event, Severity};
/// use notafter::observer::FilteredObserver;
/// use notafter::event::Role;
/// # fn page(_: &Event) {}
/// let pager = FilteredObserver::new(Arc::new(|event: &Event| page(event)))
///     .with_least_severity(Severity::Critical)
///     .with_roles([Role::OwnServer, Role::OwnClient]);
/// ```
#[derive(Clone)]
#[must_use]
pub struct FilteredObserver {
    inner: Arc<dyn Observer>,
    least: Severity,
    codes: Option<Vec<EventCode>>,
    roles: Option<Vec<Role>>,
}

impl FilteredObserver {
    /// Passes everything.
    pub const fn new(inner: Arc<dyn Observer>) -> Self {
        Self {
            inner,
            least: Severity::Unproven,
            codes: None,
            roles: None,
        }
    }

    /// Only events that matter as much as this or more.
    pub const fn with_least_severity(mut self, severity: Severity) -> Self {
        self.least = severity;
        self
    }

    /// Only events with one of these codes.
    pub fn with_codes(mut self, codes: impl IntoIterator<Item = EventCode>) -> Self {
        self.codes = Some(codes.into_iter().collect());
        self
    }

    /// Only events of one of these roles.
    pub fn with_roles(mut self, roles: impl IntoIterator<Item = Role>) -> Self {
        self.roles = Some(roles.into_iter().collect());
        self
    }

    fn passes(&self, event: &Event) -> bool {
        let (codes, roles) = (self.codes.as_ref(), self.roles.as_ref());
        event.severity >= self.least
            && codes.is_none_or(|codes| codes.contains(&event.code))
            && roles.is_none_or(|roles| roles.contains(&event.role))
    }
}

impl Observer for FilteredObserver {
    fn observe(&self, event: &Event) {
        if self.passes(event) {
            self.inner.observe(event);
        }
    }

    fn is_prompt(&self) -> bool {
        self.inner.is_prompt()
    }
}

impl fmt::Debug for FilteredObserver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FilteredObserver")
            .field("least", &self.least)
            .field("codes", &self.codes)
            .field("roles", &self.roles)
            .finish_non_exhaustive()
    }
}
