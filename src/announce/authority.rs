//! Who may announce: the keys, and how many of them must sign.

use std::collections::BTreeSet;

use super::json_place::JsonPlace;
use super::{AnnouncementError, AnnouncementKey};
use crate::cert::Sha256Digest;

/// More keys are not taken: each costs a verification for each signature.
const MAX_KEYS: usize = 32;

/// Whose signatures an announcement needs: `threshold` distinct ones of these keys; and
/// `emergency_threshold` of them to skip the hold-down.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Authority {
    keys: BTreeSet<AnnouncementKey>,
    threshold: usize,
    emergency_threshold: Option<usize>,
}

impl Authority {
    /// An authority. A key given twice counts once; without an emergency threshold nothing skips
    /// the hold-down.
    ///
    /// # Errors
    /// [`AnnouncementError::Authority`] unless `1 <= threshold < emergency_threshold <= number of
    /// distinct keys <= 32`.
    pub fn new(
        keys: impl IntoIterator<Item = AnnouncementKey>,
        threshold: usize,
        emergency_threshold: Option<usize>,
    ) -> Result<Self, AnnouncementError> {
        let keys: BTreeSet<_> = keys.into_iter().collect();
        let refuse = |reason: String| Err(AnnouncementError::authority(reason));
        if threshold == 0 {
            return refuse("its threshold is 0, so nobody would have to sign".to_owned());
        }
        if let Some(emergency) = emergency_threshold.filter(|e| *e <= threshold) {
            return refuse(format!(
                "its emergency threshold {emergency} is not above its threshold {threshold}, so hold-downs would mean nothing"
            ));
        }
        let needed = emergency_threshold.unwrap_or(threshold);
        if keys.len() < needed {
            return refuse(format!(
                "it has {} distinct keys, fewer than its thresholds need ({needed})",
                keys.len()
            ));
        }
        if keys.len() > MAX_KEYS {
            return refuse(format!(
                "it has {} keys, at most {MAX_KEYS} are taken",
                keys.len()
            ));
        }
        Ok(Self {
            keys,
            threshold,
            emergency_threshold,
        })
    }

    /// The distinct keys.
    pub fn keys(&self) -> impl ExactSizeIterator<Item = &AnnouncementKey> {
        self.keys.iter()
    }

    /// How many distinct keys must sign an announcement.
    pub const fn threshold(&self) -> usize {
        self.threshold
    }

    /// How many distinct keys must sign one that skips the hold-down.
    pub const fn emergency_threshold(&self) -> Option<usize> {
        self.emergency_threshold
    }

    /// Whether so many distinct keys skip the hold-down.
    pub(crate) fn is_emergency(&self, signers: usize) -> bool {
        self.emergency_threshold.is_some_and(|e| signers >= e)
    }

    /// # Errors
    /// Where fewer signatures would do than under the floor.
    pub(crate) fn is_not_below(&self, floor: &Self) -> Result<(), AnnouncementError> {
        let (threshold, least) = (self.threshold, floor.threshold);
        if threshold < least {
            return Err(AnnouncementError::authority(format!(
                "its threshold {threshold} is below the {least} that is compiled in"
            )));
        }
        match (self.emergency_threshold, floor.emergency_threshold) {
            (Some(emergency), None) => Err(AnnouncementError::authority(format!(
                "it has an emergency threshold ({emergency}), where none is compiled in"
            ))),
            (Some(emergency), Some(least)) if emergency < least => {
                Err(AnnouncementError::authority(format!(
                    "its emergency threshold {emergency} is below the {least} that is compiled in"
                )))
            }
            _ => Ok(()),
        }
    }

    /// Tells authorities apart in what is remembered.
    pub(crate) fn fingerprint(&self) -> Sha256Digest {
        let mut text = format!("{} {:?}", self.threshold, self.emergency_threshold).into_bytes();
        for key in &self.keys {
            text.extend(key.spki_der());
        }
        Sha256Digest::of(&text)
    }

    pub(super) fn parse(node: &JsonPlace<'_>) -> Result<Self, AnnouncementError> {
        let number = |node: &JsonPlace<'_>| {
            let number = node.integer()?;
            usize::try_from(number).map_err(|_| node.malformed("it is too large"))
        };
        let threshold = number(&node.field("threshold")?)?;
        let emergency = node.optional("emergency_threshold")?;
        let emergency = emergency.map(|node| number(&node)).transpose()?;
        let keys = node.field("keys")?.list()?;
        let keys = keys
            .iter()
            .map(|key| AnnouncementKey::from_pem(key.text()?));
        Self::new(keys.collect::<Result<Vec<_>, _>>()?, threshold, emergency)
    }
}
