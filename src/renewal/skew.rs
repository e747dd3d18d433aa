//! Skew: what is served, what is on disk and what is due disagree.

use std::fmt;

use crate::cert::Certificate;
use crate::time::Timestamp;
use crate::time::span;

/// How serving, disk and due disagree. [`SkewKind::as_str`] is stable.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum SkewKind {
    /// The certificate on disk is a later one, though the served one is not due yet: it was
    /// replaced early, for a reason.
    ServedOlderThanDisk,
    /// The certificate on disk was issued before the served one: a restart would go back to it.
    DiskOlderThanServed,
    /// The served certificate is due, and the disk has no later one.
    DueButNotRenewed,
    /// The served certificate is due or over, and its successor lies on disk unused.
    RenewedButNotServed,
    /// The certificate on disk has expired while the served one is valid: a restart would go dark.
    DiskExpiredServingValid,
}

impl SkewKind {
    /// The stable code, in snake case.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ServedOlderThanDisk => "served_older_than_disk",
            Self::DiskOlderThanServed => "disk_older_than_served",
            Self::DueButNotRenewed => "due_but_not_renewed",
            Self::RenewedButNotServed => "renewed_but_not_served",
            Self::DiskExpiredServingValid => "disk_expired_serving_valid",
        }
    }
}

impl fmt::Display for SkewKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// Serving, disk and due at one instant, where they disagree.
///
/// # Was my certificate renewed, and is it served?
/// ```
/// use notafter::Certificate;
/// use notafter::renewal::{Skew, SkewKind};
/// # use notafter::source::SourceContents;
/// # let pem = include_bytes!("../../tests/data/incidents/dst-root-x3-2021/certs/leaf.pem");
/// # let leaf = SourceContents::from_bytes("", pem).certificates.remove(0).certificate;
/// let (serving, on_disk) = (leaf.clone(), leaf);
/// let due = "2021-11-27T14:46:27Z".parse()?;
/// let now = "2021-12-01T14:46:27Z".parse()?;
/// let skew = Skew::between(&serving, Some(&on_disk), due, now).expect("it is due");
/// assert_eq!(skew.kind, SkewKind::DueButNotRenewed);
/// assert_eq!(skew.seconds, 4 * 86_400);
/// # Ok::<(), notafter::time::TimestampParseError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Skew {
    /// How they disagree.
    pub kind: SkewKind,
    /// The last good second of the served certificate.
    pub serving_until: Timestamp,
    /// The last good second of the certificate on disk; `None` where none could be read.
    pub on_disk_until: Option<Timestamp>,
    /// When the served certificate is due for renewal.
    pub due: Timestamp,
    /// For [`SkewKind::DueButNotRenewed`] since when it has been due; for
    /// [`SkewKind::DiskExpiredServingValid`] since when the disk's has been over; otherwise until
    /// the served one is over. Seconds; negative where that is already past.
    pub seconds: i64,
    /// A sentence that says what to do.
    pub message: String,
}

impl fmt::Display for Skew {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.kind, self.message)
    }
}

impl Skew {
    /// The worst disagreement at `now` between the leaf that is served, the leaf on disk (`None`
    /// where none could be read) and the instant from which the served one is due for renewal;
    /// `None` where they agree.
    ///
    /// "Later" is by notBefore, which is when the CA made it; at equal notBefore by notAfter.
    pub fn between(
        serving: &Certificate,
        on_disk: Option<&Certificate>,
        due: Timestamp,
        now: Timestamp,
    ) -> Option<Self> {
        Self::between_at("on disk", serving, on_disk, due, now)
    }

    /// The same of a leaf that lies in this place.
    pub(crate) fn between_at(
        place: &str,
        serving: &Certificate,
        on_disk: Option<&Certificate>,
        due: Timestamp,
        now: Timestamp,
    ) -> Option<Self> {
        let is_due = due <= now || serving.not_after() < now;
        let other = on_disk.filter(|on_disk| *on_disk != serving);
        let kind = match other.map(|on_disk| (on_disk, age(on_disk).cmp(&age(serving)))) {
            Some((on_disk, _)) if on_disk.not_after() < now && now <= serving.not_after() => {
                SkewKind::DiskExpiredServingValid
            }
            Some((_, std::cmp::Ordering::Greater)) if is_due => SkewKind::RenewedButNotServed,
            Some((_, std::cmp::Ordering::Greater)) => SkewKind::ServedOlderThanDisk,
            _ if is_due => SkewKind::DueButNotRenewed,
            Some((_, std::cmp::Ordering::Less)) => SkewKind::DiskOlderThanServed,
            // Two certificates of the same dates.
            Some(_) => SkewKind::ServedOlderThanDisk,
            None => return None,
        };
        let ends = serving.not_after();
        let seconds = match kind {
            SkewKind::DueButNotRenewed => now.seconds_since(due),
            SkewKind::DiskExpiredServingValid => {
                other.map_or(0, |on_disk| now.seconds_since(on_disk.not_after()))
            }
            _ => ends.seconds_since(now),
        };
        Some(Self {
            kind,
            serving_until: ends,
            on_disk_until: on_disk.map(Certificate::not_after),
            due,
            seconds,
            message: message(kind, (serving, other), place, due, now),
        })
    }
}

fn age(certificate: &Certificate) -> (Timestamp, Timestamp) {
    (certificate.not_before(), certificate.not_after())
}

fn message(
    kind: SkewKind,
    (serving, on_disk): (&Certificate, Option<&Certificate>),
    place: &str,
    due: Timestamp,
    now: Timestamp,
) -> String {
    let name = serving.short_name();
    let ends = serving.not_after();
    let left = ends.seconds_since(now);
    let until = if left < 0 {
        format!("expired {} ago, at {ends}", span::readable(left))
    } else {
        format!("ends at {ends}, in {}", span::readable(left))
    };
    let disk = on_disk.map(Certificate::not_after);
    let disk = disk.map(|end| end.to_string()).unwrap_or_default();
    match kind {
        SkewKind::RenewedButNotServed => format!(
            "'{name}' was renewed {place} (until {disk}), but the served certificate {until}: \
             find out why it is not loaded, or restart the service"
        ),
        SkewKind::ServedOlderThanDisk => format!(
            "'{name}' was replaced {place} (until {disk}) before it was due, but the one before is \
             still served and {until}: find out why the new one is not loaded"
        ),
        SkewKind::DiskOlderThanServed => format!(
            "the certificate {place} (until {disk}) was issued before the served '{name}', which \
             {until}: put the later one back, for a restart would serve the older one"
        ),
        SkewKind::DiskExpiredServingValid => format!(
            "the certificate {place} expired at {disk} while '{name}' is served and {until}: \
             put a valid one there, for a restart would go dark"
        ),
        SkewKind::DueButNotRenewed => format!(
            "'{name}' has been due for renewal since {due} ({} ago) and {until}: \
             look at what renews it, for nothing newer lies {place}",
            span::readable(now.seconds_since(due))
        ),
    }
}

#[cfg(test)]
#[path = "skew_tests.rs"]
mod tests;
