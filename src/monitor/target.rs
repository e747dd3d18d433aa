//! What is to be watched.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use pki_types::CertificateDer;

use super::pins::WatchedPins;
use super::watched::Watched;
use crate::endpoint::{EndpointAddress, StartTls};
use crate::event::Role;
use crate::outlook::TrustAnchors;
use crate::pin::PinsInForce;
use crate::revocation::Crls;
use crate::self_check::JudgedBy;

/// Something for a [`Monitor`](crate::Monitor) to watch.
#[derive(Debug, Clone)]
#[must_use]
pub struct Target {
    pub(super) kind: TargetKind,
    pub(super) role: Role,
    pub(super) names: Vec<String>,
    pub(super) names_from: NamesFrom,
    pub(super) starttls: Option<StartTls>,
    pub(super) staple: Option<Vec<u8>>,
    pub(super) judged_by: JudgedBy,
}

/// What waits for peers, and what does not: whatever they do, the rest goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Lane {
    Local,
    Endpoints,
}

impl Lane {
    pub(super) const fn other(self) -> Self {
        match self {
            Self::Local => Self::Endpoints,
            Self::Endpoints => Self::Local,
        }
    }
}

/// Who says which names the leaf must cover.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NamesFrom {
    /// The endpoint's host.
    Host,
    /// The application: also none.
    Application,
}

#[derive(Clone)]
pub(super) enum TargetKind {
    Chain(Vec<CertificateDer<'static>>),
    Path(PathBuf),
    Endpoint(String),
    Anchors(Arc<TrustAnchors>),
    Crls(Crls),
    Watched(Arc<dyn Watched>),
}

impl Target {
    /// A chain in memory, leaf first: what this process serves.
    pub fn from_chain(chain: impl IntoIterator<Item = CertificateDer<'static>>) -> Self {
        Self::new(
            TargetKind::Chain(chain.into_iter().collect()),
            Role::OwnServer,
        )
    }

    /// A certificate file, or a folder of them, read again at the poll interval.
    ///
    /// While it cannot be read, what was read last goes on being judged, and the failure is told.
    /// Give a bundle of CA certificates the role [`Role::Anchor`]: as this process's own, an expired
    /// one among them would make it not ready.
    pub fn from_path(path: impl Into<PathBuf>) -> Self {
        Self::new(TargetKind::Path(path.into()), Role::OwnServer)
    }

    /// An endpoint, asked through the monitor's [`Connector`](crate::monitor::Connector).
    ///
    /// Where it is written as `HOST:PORT`, the leaf must cover HOST (an IP address: among its subject
    /// alternative names), unless other names are given by [`Target::with_expected_name`], or none
    /// is wanted ([`Target::without_expected_name`]).
    pub fn from_endpoint(endpoint: impl Into<String>) -> Self {
        let endpoint = endpoint.into();
        let address = endpoint.parse::<EndpointAddress>();
        let mut target = Self::new(TargetKind::Endpoint(endpoint), Role::PeerServer);
        if let Ok(address) = address {
            target.names.push(address.name().to_owned());
            target.names_from = NamesFrom::Host;
        }
        target
    }

    /// Trust anchors, each by its own dates.
    pub fn from_anchors(anchors: impl Into<Arc<TrustAnchors>>) -> Self {
        Self::new(TargetKind::Anchors(anchors.into()), Role::Anchor)
    }

    /// Revocation lists, each by its nextUpdate.
    pub const fn from_crls(crls: Crls) -> Self {
        Self::new(TargetKind::Crls(crls), Role::Crl)
    }

    /// Anything that can say how it stands. Its conditions state their own roles.
    pub const fn from_watched(watched: Arc<dyn Watched>) -> Self {
        Self::new(TargetKind::Watched(watched), Role::Monitor)
    }

    /// Pins, each set by its date and by how many of its keys are usable; and whether the announcement
    /// that they come from, if any, is stale. What only peers can
    /// show (a backup in use, a successor seen) is told by the verifiers.
    ///
    /// # How do I hear in time that my pins run out?
    /// ```
    /// # use notafter::pin::{ExpiryRule, FixedPins};
    /// # use notafter::{Monitor, PinSet, Target};
    /// # fn watch(monitor: &Monitor, pins: PinSet) {
    /// monitor.watch("pins", Target::from_pins(std::sync::Arc::new(FixedPins::new(pins))));
    /// # }
    /// ```
    pub fn from_pins(pins: Arc<dyn PinsInForce>) -> Self {
        Self::from_watched(Arc::new(WatchedPins(pins)))
    }

    const fn new(kind: TargetKind, role: Role) -> Self {
        Self {
            kind,
            role,
            names: Vec::new(),
            names_from: NamesFrom::Application,
            starttls: None,
            staple: None,
            judged_by: JudgedBy::Anchors,
        }
    }

    /// Whose it is; [`Role::OwnClient`] and [`Role::PeerClient`] are judged as TLS clients'.
    pub const fn with_role(mut self, role: Role) -> Self {
        self.role = role;
        self
    }

    /// The leaf must cover this DNS name or IP address; repeatable. Of an endpoint it takes the
    /// place of the host, and the first one is what the endpoint is asked for (SNI).
    pub fn with_expected_name(mut self, name: impl Into<String>) -> Self {
        if self.names_from == NamesFrom::Host {
            self.names.clear();
            self.names_from = NamesFrom::Application;
        }
        self.names.push(name.into());
        self
    }

    /// The leaf may have any name: for an endpoint that is not asked for by the name of its host.
    pub fn without_expected_name(mut self) -> Self {
        self.names.clear();
        self.names_from = NamesFrom::Application;
        self
    }

    /// The endpoint speaks this protocol, and goes over to TLS when asked.
    ///
    /// # How do I watch what a mail server shows behind STARTTLS?
    /// ```
    /// use notafter::endpoint::StartTls;
    /// # fn watch(monitor: &notafter::Monitor) {
    /// let mail = notafter::Target::from_endpoint("mail.example:25").with_starttls(StartTls::Smtp);
    /// monitor.watch("mail", mail);
    /// # }
    /// ```
    pub const fn with_starttls(mut self, protocol: StartTls) -> Self {
        self.starttls = Some(protocol);
        self
    }

    /// The stapled OCSP response that is served with the chain; empty says that there is none.
    /// Judged with the feature `ocsp`.
    pub fn with_staple(mut self, staple: impl Into<Vec<u8>>) -> Self {
        self.staple = Some(staple.into());
        self
    }

    /// Judges chains, files and endpoints by the dates of all that they present, whoever is trusted: for
    /// those of a CA that the monitor's anchors do not lead to, and that it cannot be given.
    ///
    /// What a chain says of itself still counts: signatures that do not fit the issuer that is presented
    /// with them, expected names that the leaf does not cover, a usage that is not allowed. That an
    /// intermediate is missing cannot be told, nor until when anybody accepts it: such a chain has no
    /// effective notAfter, and [`ChainReport::rustls`](crate::self_check::ChainReport::rustls) is `None`.
    /// Where its CA is at hand, give the monitor that as an anchor instead.
    ///
    /// # How do I watch a service of a private CA by its dates?
    /// ```
    /// # fn watch(monitor: &notafter::Monitor) {
    /// let broker = notafter::Target::from_endpoint("broker.internal:8883").dates_only();
    /// monitor.watch("broker", broker);
    /// # }
    /// ```
    pub const fn dates_only(mut self) -> Self {
        self.judged_by = JudgedBy::DatesAlone;
        self
    }

    pub(super) const fn lane(&self) -> Lane {
        match self.kind {
            TargetKind::Endpoint(_) => Lane::Endpoints,
            _ => Lane::Local,
        }
    }

    /// Whether it is judged by the monitor's anchors and lists.
    pub(super) const fn is_judged_by_trust(&self) -> bool {
        matches!(
            self.kind,
            TargetKind::Chain(_) | TargetKind::Path(_) | TargetKind::Endpoint(_)
        )
    }

    /// Whether it is judged by the anchors that it leads to.
    pub(super) fn asks_for_anchors(&self) -> bool {
        self.is_judged_by_trust() && self.judged_by == JudgedBy::Anchors
    }

    /// The endpoint that is asked.
    pub(super) fn endpoint(&self) -> Option<&str> {
        match &self.kind {
            TargetKind::Endpoint(endpoint) => Some(endpoint),
            _ => None,
        }
    }

    /// Whether what was read for one of them would have been read for the other.
    pub(super) fn reads_the_same_as(&self, other: &Self) -> bool {
        match (&self.kind, &other.kind) {
            (TargetKind::Path(one), TargetKind::Path(another)) => one == another,
            (TargetKind::Endpoint(one), TargetKind::Endpoint(another)) => {
                // What it shows may depend on how it is asked.
                let asked_for = |of: &Self| (of.names.first().cloned(), of.starttls);
                one == another && asked_for(self) == asked_for(other)
            }
            _ => false,
        }
    }

    pub(super) const fn is_polled(&self) -> bool {
        matches!(self.kind, TargetKind::Path(_) | TargetKind::Endpoint(_))
    }
}

impl fmt::Debug for TargetKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Chain(chain) => write!(f, "Chain({} certificates)", chain.len()),
            Self::Path(path) => f.debug_tuple("Path").field(path).finish(),
            Self::Endpoint(endpoint) => f.debug_tuple("Endpoint").field(endpoint).finish(),
            Self::Anchors(anchors) => write!(f, "Anchors({})", anchors.len()),
            Self::Crls(crls) => f.debug_tuple("Crls").field(crls).finish(),
            Self::Watched(_) => f.write_str("Watched"),
        }
    }
}
