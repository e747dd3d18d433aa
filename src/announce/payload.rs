//! What an announcement says.

use std::collections::HashSet;

use super::json_place::{self, JsonPlace};
use super::{AnnouncementError, Authority, PreviousAnnouncement};
use crate::pin::{Acceptance, Pin, PinPosition, PinScope, PinState, SpkiPin};
use crate::text::visible;
use crate::time::Timestamp;

/// Longer labels are refused: they go into logs.
const MAX_LABEL_BYTES: usize = 256;

/// What a placeholder mostly comes from is a command that read nothing.
const PIN_HINT: &str = "look whether the command that made it read the key";

/// Longer products are refused: they go into logs too.
const MAX_PRODUCT_BYTES: usize = 128;

/// The payload of an announcement: all pins of all hosts, and until when it may be applied.
///
/// This is what it says; whether it counts is decided by a [`PinStore`](crate::PinStore).
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Announcement {
    /// For which product it was made: no other one takes it, also not one with the same keys.
    pub product: String,
    /// Rises with each announcement.
    pub version: u64,
    /// The announcement made before it; `None` for the first one, and in a floor that takes no
    /// announcement's place.
    pub previous: Option<PreviousAnnouncement>,
    /// Whether it is to skip the hold-down. It is refused unless the emergency threshold signed it.
    pub emergency: bool,
    /// Since which version its pins and its authority are listed without a break. Where an older one
    /// is in force, their hold-downs start anew; `None` where nothing was withdrawn and came back.
    pub unbroken_since: Option<u64>,
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
    /// The first announcement for a product, without pins.
    pub fn new(
        product: impl Into<String>,
        version: u64,
        issued: Timestamp,
        expires: Timestamp,
    ) -> Self {
        Self {
            product: product.into(),
            version,
            previous: None,
            emergency: false,
            unbroken_since: None,
            issued,
            expires,
            pin_sets: Vec::new(),
            authority: None,
        }
    }

    /// Lists the pins of these hosts; repeatable.
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

    /// Lets it follow another announcement.
    #[must_use]
    pub const fn with_previous(mut self, previous: PreviousAnnouncement) -> Self {
        self.previous = Some(previous);
        self
    }

    /// Makes it an emergency, which skips the hold-down if the emergency threshold signs it.
    #[must_use]
    pub const fn with_emergency(mut self) -> Self {
        self.emergency = true;
        self
    }

    /// Lets hold-downs start anew where a version before this one is in force.
    #[must_use]
    pub const fn with_unbroken_since(mut self, version: u64) -> Self {
        self.unbroken_since = Some(version);
        self
    }

    /// Names who shall announce next; in a floor, who announces.
    #[must_use]
    pub fn with_authority(mut self, authority: Authority) -> Self {
        self.authority = Some(authority);
        self
    }

    /// Reads a payload: what the signatures of an [`Envelope`](crate::announce::Envelope) cover.
    ///
    /// Fields that are not known are passed over, but they too must be strict JSON: each key once,
    /// integers only, at most 16 levels.
    ///
    /// # Errors
    /// [`AnnouncementError::Malformed`] with the place, [`AnnouncementError::Authority`] for an
    /// authority that no one could be.
    pub fn from_json(json: &[u8]) -> Result<Self, AnnouncementError> {
        let json = json_place::parse("payload", json)?;
        let payload = JsonPlace::root("payload", &json);
        let sets = payload.field("pin_sets")?.list()?;
        let authority = payload.optional("authority")?;
        let previous = payload.optional("previous")?;
        let emergency = payload.optional("emergency")?;
        let unbroken_since = payload.optional("unbroken_since")?;
        let announcement = Self {
            product: payload.field("product")?.text()?.to_owned(),
            version: payload.field("version")?.integer()?,
            previous: previous
                .map(|node| PreviousAnnouncement::parse(&node))
                .transpose()?,
            emergency: emergency.map_or(Ok(false), |node| node.boolean())?,
            unbroken_since: unbroken_since.map(|node| node.integer()).transpose()?,
            issued: time(&payload.field("issued")?)?,
            expires: time(&payload.field("expires")?)?,
            pin_sets: sets.iter().map(set).collect::<Result<_, _>>()?,
            authority: authority.map(|node| Authority::parse(&node)).transpose()?,
        };
        announcement.check()?;
        Ok(announcement)
    }

    /// What no announcement and no floor may say, read or made in code.
    pub(super) fn check(&self) -> Result<(), AnnouncementError> {
        let malformed = |field: &str, reason: String| {
            let place = format!("payload.{field}");
            Err(AnnouncementError::malformed(&place, reason))
        };
        let (length, product) = (self.product.len(), &self.product);
        if length == 0 || length > MAX_PRODUCT_BYTES || visible(product) != *product {
            let reason =
                format!("empty, over {MAX_PRODUCT_BYTES} bytes, or with invisible characters");
            return malformed("product", reason);
        }
        if self.previous.is_some_and(|p| p.version > self.version) {
            return malformed("previous.version", "it is above 'version'".to_owned());
        }
        if self
            .unbroken_since
            .is_some_and(|since| since > self.version)
        {
            return malformed("unbroken_since", "it is above 'version'".to_owned());
        }
        if self.expires < self.issued {
            return malformed("expires", "it lies before 'issued'".to_owned());
        }
        for (n, set) in self.pin_sets.iter().enumerate() {
            let mut pins = set.pins.iter().enumerate();
            if let Some((m, pin)) = pins.find(|(_, pin)| pin.key.is_placeholder()) {
                let pin = pin.key;
                let reason = format!("{pin} is a placeholder, no key has it: {PIN_HINT}");
                return malformed(&format!("pin_sets[{n}].pins[{m}].pin"), reason);
            }
        }
        Ok(())
    }

    /// All hosts, in their order.
    pub(super) fn hosts(&self) -> impl Iterator<Item = &PinScope> {
        self.pin_sets.iter().flat_map(|set| &set.hosts)
    }
}

fn set(node: &JsonPlace<'_>) -> Result<AnnouncedSet, AnnouncementError> {
    let hosts = node.field("hosts")?;
    let hosts: Vec<PinScope> = hosts.list()?.iter().map(host).collect::<Result<_, _>>()?;
    if hosts.is_empty() {
        return Err(node.malformed("it is for no hosts: leave it out"));
    }
    let (mut pins, mut seen) = (Vec::new(), HashSet::new());
    for node in node.field("pins")?.list()? {
        let pin = pin(&node)?;
        if !seen.insert(identity(&pin)) {
            return Err(node.malformed("this pin stands there twice at this position"));
        }
        pins.push(pin);
    }
    Ok(AnnouncedSet { hosts, pins })
}

/// A pin is a digest at a position.
pub(super) fn is_same_pin(one: &Pin, other: &Pin) -> bool {
    identity(one) == identity(other)
}

/// What tells pins apart.
pub(super) const fn identity(pin: &Pin) -> (SpkiPin, PinPosition) {
    (pin.key, pin.position)
}

fn host(node: &JsonPlace<'_>) -> Result<PinScope, AnnouncementError> {
    let host = node.text()?.parse();
    host.map_err(|error: crate::pin::PinScopeError| node.malformed(error.to_string()))
}

fn pin(node: &JsonPlace<'_>) -> Result<Pin, AnnouncementError> {
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
        if text.len() > MAX_LABEL_BYTES || visible(text) != text {
            let reason = format!("over {MAX_LABEL_BYTES} bytes, or with invisible characters");
            return Err(label.malformed(reason));
        }
        pin = pin.with_label(text);
    }
    Ok(pin)
}

fn spki_pin(node: &JsonPlace<'_>) -> Result<SpkiPin, AnnouncementError> {
    let text = node.text()?;
    let pin = text.parse::<SpkiPin>().ok();
    let pin = pin.filter(|pin| pin.to_string() == text);
    pin.ok_or_else(|| node.malformed("a pin is written sha256/BASE64, all 44 characters of it"))
}

fn word<T: std::str::FromStr<Err = crate::pin::PinWordError>>(
    node: &JsonPlace<'_>,
) -> Result<T, AnnouncementError> {
    let word = node.text()?.parse::<T>();
    word.map_err(|error| node.malformed(error.to_string()))
}

/// One text for each instant: whole seconds, UTC, written with `T` and `Z`.
fn time(node: &JsonPlace<'_>) -> Result<Timestamp, AnnouncementError> {
    let text = node.text()?;
    let time = text.parse::<Timestamp>().ok();
    let time = time.filter(|time| time.to_string() == text);
    time.ok_or_else(|| node.malformed("a time is written 2026-11-21T12:00:00Z: UTC, whole seconds"))
}
