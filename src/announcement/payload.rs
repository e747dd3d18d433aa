//! What an announcement says.

use super::strict_json::{Json, Node};
use super::{AnnouncementError, Authority};
use crate::cert::Timestamp;
use crate::pin::{Acceptance, Pin, PinPosition, PinScope, PinState, SpkiPin};

/// Labels go into logs.
const MAX_LABEL_BYTES: usize = 256;

/// The payload of an announcement: all pins of all hosts, and until when it may be applied.
///
/// This is what it says; whether it counts is decided by a [`PinStore`](crate::PinStore).
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Announcement {
    /// Rises with each announcement.
    pub version: u64,
    /// When it was made.
    pub issued: Timestamp,
    /// The last second at which it can be applied, and at which a pin can mature under it.
    pub expires: Timestamp,
    /// The pins. They replace all earlier ones.
    pub pin_sets: Vec<AnnouncedSet>,
    /// Who shall announce next; `None` where that does not change.
    pub authority: Option<Authority>,
}

/// The pins of some hosts, as announced.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct AnnouncedSet {
    /// For which hosts.
    pub hosts: Vec<PinScope>,
    /// Their pins. [`Acceptance::From`] is the `accept_after` of an announced pin; the hold-down
    /// is not counted in.
    pub pins: Vec<Pin>,
}

impl Announcement {
    /// An announcement without pins.
    pub const fn new(version: u64, issued: Timestamp, expires: Timestamp) -> Self {
        Self {
            version,
            issued,
            expires,
            pin_sets: Vec::new(),
            authority: None,
        }
    }

    /// With the pins of these hosts; repeatable.
    #[must_use]
    pub fn with_pins(
        mut self,
        hosts: impl IntoIterator<Item = PinScope>,
        pins: impl IntoIterator<Item = Pin>,
    ) -> Self {
        self.pin_sets.push(AnnouncedSet {
            hosts: hosts.into_iter().collect(),
            pins: pins.into_iter().collect(),
        });
        self
    }

    /// With an authority.
    #[must_use]
    pub fn with_authority(mut self, authority: Authority) -> Self {
        self.authority = Some(authority);
        self
    }

    /// Reads a payload: what the signatures of an [`Envelope`](crate::Envelope) cover.
    ///
    /// Fields that are not known are passed over, but they too must be strict JSON: each key once,
    /// integers only, at most 16 levels.
    ///
    /// # Errors
    /// [`AnnouncementError::Malformed`] with the place, [`AnnouncementError::Authority`] for an
    /// authority that no one could be.
    pub fn from_json(json: &[u8]) -> Result<Self, AnnouncementError> {
        let json = Json::parse("payload", json)?;
        let payload = Node::root("payload", &json);
        let expires = payload.field("expires")?;
        let sets = payload.field("pin_sets")?.list()?;
        let authority = payload.optional("authority")?;
        let announcement = Self {
            version: payload.field("version")?.integer()?,
            issued: time(&payload.field("issued")?)?,
            expires: time(&expires)?,
            pin_sets: sets.iter().map(set).collect::<Result<_, _>>()?,
            authority: authority.map(|node| Authority::parse(&node)).transpose()?,
        };
        if announcement.expires < announcement.issued {
            return Err(expires.malformed("it lies before 'issued'"));
        }
        Ok(announcement)
    }

    /// All hosts, in their order.
    pub(super) fn hosts(&self) -> impl Iterator<Item = &PinScope> {
        self.pin_sets.iter().flat_map(|set| &set.hosts)
    }
}

fn set(node: &Node<'_>) -> Result<AnnouncedSet, AnnouncementError> {
    let hosts = node.field("hosts")?;
    let hosts: Vec<PinScope> = hosts.list()?.iter().map(host).collect::<Result<_, _>>()?;
    if hosts.is_empty() {
        return Err(node.malformed("it is for no hosts: leave it out"));
    }
    let mut pins: Vec<Pin> = Vec::new();
    for node in node.field("pins")?.list()? {
        let pin = pin(&node)?;
        if pins.iter().any(|p| is_same_pin(p, &pin)) {
            return Err(node.malformed("this pin stands there twice at this position"));
        }
        pins.push(pin);
    }
    Ok(AnnouncedSet { hosts, pins })
}

/// A pin is a digest at a position.
pub(super) fn is_same_pin(one: &Pin, other: &Pin) -> bool {
    (one.pin, one.position) == (other.pin, other.position)
}

fn host(node: &Node<'_>) -> Result<PinScope, AnnouncementError> {
    let host = node.text()?.parse();
    host.map_err(|error: crate::pin::PinScopeError| node.malformed(error.to_string()))
}

fn pin(node: &Node<'_>) -> Result<Pin, AnnouncementError> {
    let digest = node.field("pin")?;
    let state = node.field("state")?;
    let state = word::<PinState>(&state)?;
    let mut pin = Pin::new(spki_pin(&digest)?, state);
    if let Some(position) = node.optional("position")? {
        pin = pin.with_position(word::<PinPosition>(&position)?);
    }
    if let Some(after) = node.optional("accept_after")? {
        if state != PinState::Announced {
            return Err(after.malformed(format!("a pin that is {state} has none: leave it out")));
        }
        pin = pin.with_acceptance(Acceptance::From(time(&after)?));
    }
    if let Some(label) = node.optional("label")? {
        let text = label.text()?;
        if text.len() > MAX_LABEL_BYTES || text.chars().any(char::is_control) {
            let reason = format!("over {MAX_LABEL_BYTES} bytes, or with control characters");
            return Err(label.malformed(reason));
        }
        pin = pin.with_label(text);
    }
    Ok(pin)
}

fn spki_pin(node: &Node<'_>) -> Result<SpkiPin, AnnouncementError> {
    let text = node.text()?;
    let pin = text.parse::<SpkiPin>().ok();
    let pin = pin.filter(|pin| pin.to_string() == text);
    pin.ok_or_else(|| node.malformed("a pin is written sha256/BASE64, all 44 characters of it"))
}

fn word<T: std::str::FromStr<Err = crate::pin::PinWordError>>(
    node: &Node<'_>,
) -> Result<T, AnnouncementError> {
    let word = node.text()?.parse::<T>();
    word.map_err(|error| node.malformed(error.to_string()))
}

/// One text for each instant: whole seconds, UTC, written with `T` and `Z`.
fn time(node: &Node<'_>) -> Result<Timestamp, AnnouncementError> {
    let text = node.text()?;
    let time = text.parse::<Timestamp>().ok();
    let time = time.filter(|time| time.to_string() == text);
    time.ok_or_else(|| node.malformed("a time is written 2026-11-21T12:00:00Z: UTC, whole seconds"))
}
