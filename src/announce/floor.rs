//! The floor: what an application is built with, and no announcement can go below.

use std::collections::{BTreeSet, HashSet};

use thiserror::Error;

use super::{Announcement, AnnouncementError, Authority, PreviousAnnouncement};
use crate::pin::{Acceptance, Pin, PinScope, PinState};
use crate::time::Timestamp;

/// The pins, hosts and announcing keys that an application is built with: what holds before any
/// announcement, and what none can go below.
///
/// # How do I compile in the pins that announcements start from?
/// ```no_run
/// use notafter::announce::PinFloor;
/// # const FLOOR: &[u8] = b"";
/// // const FLOOR: &[u8] = include_bytes!("pins.json");
/// let floor = PinFloor::from_json(FLOOR)?;
/// println!("pins of version {}, good until {}", floor.version(), floor.expires());
/// # Ok::<(), notafter::announce::FloorError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PinFloor {
    announcement: Announcement,
    authority: Authority,
}

impl PinFloor {
    /// Reads an unsigned payload with its `authority`, as `docs/ANNOUNCEMENTS.md` describes it.
    ///
    /// # Errors
    /// [`FloorError`] where it is malformed, or contradicts itself.
    pub fn from_json(json: &[u8]) -> Result<Self, FloorError> {
        Self::new(Announcement::from_json(json)?)
    }

    /// A floor made in code.
    ///
    /// # Errors
    /// [`FloorError`] where it contradicts itself.
    pub fn new(announcement: Announcement) -> Result<Self, FloorError> {
        announcement.check()?;
        if announcement.emergency {
            return Err(FloorError::Emergency);
        }
        let authority = announcement.authority.clone();
        let floor = Self {
            authority: authority.ok_or(FloorError::NoAuthority)?,
            announcement,
        };
        if floor.announcement.pin_sets.is_empty() {
            return Err(FloorError::NoHosts);
        }
        let mut hosts = HashSet::new();
        for host in floor.announcement.hosts() {
            if !hosts.insert(host) {
                return Err(FloorError::DuplicateHost {
                    host: host.to_string(),
                });
            }
        }
        let rejected: BTreeSet<_> = floor.rejected().map(|pin| pin.key).collect();
        let always_accepted =
            |pin: &Pin| pin.acceptance == Acceptance::Always && pin.is_usable(&rejected);
        for set in &floor.announcement.pin_sets {
            if !set.pins.iter().any(always_accepted) {
                let host = set.hosts.first().map(ToString::to_string);
                return Err(FloorError::NoAcceptedPin {
                    host: host.unwrap_or_default(),
                });
            }
        }
        Ok(floor)
    }

    pub(super) fn rejected(&self) -> impl Iterator<Item = &Pin> {
        let pins = self.announcement.pin_sets.iter().flat_map(|set| &set.pins);
        pins.filter(|pin| pin.state == PinState::Rejected)
    }

    /// For which product it is: announcements for others are refused.
    pub fn product(&self) -> &str {
        &self.announcement.product
    }

    /// The announcement whose place it takes: what the first one upon this floor must follow.
    pub const fn previous(&self) -> Option<PreviousAnnouncement> {
        self.announcement.previous
    }

    /// The floor's version: the first announcement's is above it. Raise it with each change of the floor,
    /// at least to the version announced last.
    pub const fn version(&self) -> u64 {
        self.announcement.version
    }

    /// When it was made; no hold-down starts before.
    pub const fn issued(&self) -> Timestamp {
        self.announcement.issued
    }

    /// The pins' last good second, for the [`ExpiryRule`](crate::pin::ExpiryRule). Announcements do not
    /// change it.
    pub const fn expires(&self) -> Timestamp {
        self.announcement.expires
    }

    /// Who announces, until announced otherwise.
    pub const fn authority(&self) -> &Authority {
        &self.authority
    }

    pub(crate) const fn announcement(&self) -> &Announcement {
        &self.announcement
    }

    pub(super) fn pins_of<'a>(&'a self, host: &'a PinScope) -> impl Iterator<Item = &'a Pin> {
        let sets = self.announcement.pin_sets.iter();
        let sets = sets.filter(move |set| set.hosts.contains(host));
        sets.flat_map(|set| &set.pins)
    }
}

/// What cannot be compiled in.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum FloorError {
    /// The floor does not follow the format.
    #[error("the floor cannot be used: {0}")]
    Payload(#[from] AnnouncementError),
    /// The floor has no keys that could announce.
    #[error("the floor has no 'authority': give the keys that announce, and their thresholds")]
    NoAuthority,
    /// The floor says that it is an emergency.
    #[error("the floor says 'emergency', which only announcements can be: leave it out")]
    Emergency,
    /// The floor is for no host.
    #[error("the floor has no pin sets: name the hosts that are pinned")]
    NoHosts,
    /// A host is in two sets.
    #[error("the floor names the host '{host}' more than once: put each host into one set")]
    DuplicateHost {
        /// The host.
        host: String,
    },
    /// A host has no pin that is accepted at any instant.
    #[error(
        "the floor leaves '{host}' without a pin that is always accepted: give it a current or a backup pin that is rejected nowhere"
    )]
    NoAcceptedPin {
        /// The host.
        host: String,
    },
    /// The crypto provider cannot verify what the authority signs.
    #[error(
        "the crypto provider can verify {usable} keys of the floor's authority, {needed} must sign: \
         give its ECDSA P-256 SHA-256 and Ed25519 algorithms"
    )]
    UnusableKeys {
        /// How many keys the provider can verify.
        usable: usize,
        /// The threshold.
        needed: usize,
    },
}
