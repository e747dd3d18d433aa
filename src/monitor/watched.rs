//! What a monitor may be given to watch besides certificates: anything that can say how it stands.

use std::error::Error;
use std::time::Duration;

use pki_types::CertificateDer;

use crate::alert::Condition;
use crate::endpoint::StartTls;
use crate::self_check::{ChainReport, Finding, Gauge};
use crate::time::Timestamp;

/// Something that can say how it stands at any instant: a set of pins, a licence, a token. Any
/// `Fn(Timestamp) -> Evaluation + Send + Sync` is one.
///
/// It must be quick, and pure: the same instant gives the same evaluation until something that it
/// depends on is changed, upon which [`Monitor::refresh`](crate::Monitor::refresh) is called.
pub trait Watched: Send + Sync {
    /// How it stands at `now`.
    fn evaluate(&self, now: Timestamp) -> Evaluation;
}

impl<F: Fn(Timestamp) -> Evaluation + Send + Sync> Watched for F {
    fn evaluate(&self, now: Timestamp) -> Evaluation {
        self(now)
    }
}

/// How something watched stands at one instant.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct Evaluation {
    /// One for each matter, also for those that are ok. A matter that was here before and no
    /// longer is counts as recovered.
    pub conditions: Vec<Condition>,
    /// The first instant after now at which it may stand otherwise; `None` where it never does by
    /// time alone.
    pub next_change: Option<Timestamp>,
    /// Chains for the report.
    pub chains: Vec<ChainReport>,
    /// Findings for the report.
    pub findings: Vec<Finding>,
    /// Numbers for metrics.
    pub gauges: Vec<Gauge>,
}

impl Evaluation {
    /// These conditions, which hold until `next_change`.
    pub fn new(conditions: Vec<Condition>, next_change: Option<Timestamp>) -> Self {
        Self {
            conditions,
            next_change,
            ..Self::default()
        }
    }

    /// Adds a number for metrics.
    #[must_use]
    pub fn with_gauge(mut self, gauge: Gauge) -> Self {
        self.gauges.push(gauge);
        self
    }

    /// It may stand otherwise from this instant on too.
    pub(super) fn changes_at(&mut self, t: Timestamp) {
        self.next_change = Some(self.next_change.map_or(t, |next| next.min(t)));
    }
}

/// Fetches the chain that an endpoint presents, leaf first. Any
/// `Fn(&str) -> Result<Vec<CertificateDer<'static>>, E> + Send + Sync` is one.
///
/// [`EndpointConnector`](crate::endpoint::EndpointConnector) is one that does it over TCP and TLS.
///
/// It is called for up to 16 endpoints at once, for each on a thread of its own, so that one that
/// does not answer holds up no other. One that has not returned when its time is over counts as
/// not having answered, and its thread is left behind, at most one of each endpoint. Where 64
/// threads are, nothing more is asked, and what is due is told as `evaluation_overdue`.
pub trait Connector: Send + Sync {
    /// The chain that this endpoint (as it was given to the monitor) presents now.
    ///
    /// # Errors
    /// Whatever went wrong; it is told with the endpoint's name.
    fn certificates(
        &self,
        endpoint: &str,
    ) -> Result<Vec<CertificateDer<'static>>, Box<dyn Error + Send + Sync>>;

    /// The same, asked as the target says. Unless implemented, as [`Connector::certificates`] asks,
    /// and not at all where a protocol is to go over to TLS.
    ///
    /// # Errors
    /// Whatever went wrong; it is told with the endpoint's name.
    fn answer(
        &self,
        question: &EndpointQuestion<'_>,
    ) -> Result<Vec<CertificateDer<'static>>, Box<dyn Error + Send + Sync>> {
        if let Some(protocol) = question.starttls {
            return Err(format!(
                "the monitor's connector cannot go over to TLS from {protocol}: give the monitor an EndpointConnector, \
                 or implement Connector::answer"
            )
            .into());
        }
        self.certificates(question.endpoint)
    }

    /// How long it takes at the most, where it sees to that itself: then the monitor waits a
    /// little longer. Otherwise it waits for
    /// [`MonitorBuilder::with_endpoint_deadline`](crate::monitor::MonitorBuilder::with_endpoint_deadline).
    fn deadline(&self) -> Option<Duration> {
        None
    }
}

/// How a target wants its endpoint to be asked.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct EndpointQuestion<'q> {
    /// The endpoint, as it was given to the monitor.
    pub endpoint: &'q str,
    /// The names that its leaf must cover: the first is what to ask for (SNI).
    pub names: &'q [String],
    /// The protocol that it begins with, and goes over to TLS from.
    pub starttls: Option<StartTls>,
}

impl<F, E> Connector for F
where
    F: Fn(&str) -> Result<Vec<CertificateDer<'static>>, E> + Send + Sync,
    E: Into<Box<dyn Error + Send + Sync>>,
{
    fn certificates(
        &self,
        endpoint: &str,
    ) -> Result<Vec<CertificateDer<'static>>, Box<dyn Error + Send + Sync>> {
        self(endpoint).map_err(Into::into)
    }
}
