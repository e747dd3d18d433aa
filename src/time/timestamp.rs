//! The instant: whole seconds, UTC, years 0 to 9999. The crate `time` is its calendar.

use std::fmt;
use std::str::FromStr;
use std::time::{Duration, SystemTime};

use ::time::format_description::well_known::Rfc3339;
use ::time::{Date, Month, OffsetDateTime, UtcDateTime};
use pki_types::UnixTime;
use thiserror::Error;

use crate::text::quoted;

/// An instant in whole Unix seconds, UTC, from year 0 to year 9999.
///
/// Certificates cannot state finer or wider times (RFC 5280, 4.1.2.5), and 64 signed bits hold all
/// of them without loss. It converts from and to the types of the crates `time` and
/// `rustls-pki-types` and of the standard library; what is finer is cut down to the second before,
/// what is wider is held between [`Timestamp::MIN`] and [`Timestamp::MAX`].
///
/// # How do I write down an instant, and how is it printed?
/// ```
/// use notafter::Timestamp;
/// let t: Timestamp = "2020-05-30T10:48:38Z".parse()?;
/// assert_eq!(t.as_unix_seconds(), 1_590_835_718);
/// assert_eq!(t, "1590835718".parse()?);
/// assert_eq!(t.saturating_add(1).to_string(), "2020-05-30T10:48:39Z");
/// # Ok::<(), notafter::time::TimestampParseError>(())
/// ```
///
/// # How do I get from and to the calendar of the crate `time`?
/// ```
/// use notafter::Timestamp;
/// use time::{OffsetDateTime, UtcDateTime};
/// let not_after: Timestamp = "2020-05-30T10:48:38Z".parse()?;
/// assert_eq!(UtcDateTime::from(not_after).day(), 30);
/// assert_eq!(OffsetDateTime::from(not_after).unix_timestamp(), 1_590_835_718);
/// let a_week_before = UtcDateTime::from(not_after) - time::Duration::WEEK;
/// assert_eq!(Timestamp::from(a_week_before).to_string(), "2020-05-23T10:48:38Z");
/// # Ok::<(), notafter::time::TimestampParseError>(())
/// ```
///
/// # How do I ask about the present, or compare with a file's time?
/// ```
/// use notafter::Timestamp;
/// use std::time::SystemTime;
/// let now = Timestamp::from(SystemTime::now());
/// let in_an_hour = now.saturating_add(3_600);
/// assert!(in_an_hour.to_system_time() > Some(SystemTime::now()));
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(i64);

impl Timestamp {
    /// `0000-01-01T00:00:00Z`, the earliest instant that a certificate can state.
    pub const MIN: Self = Self(-62_167_219_200);
    /// `9999-12-31T23:59:59Z`, the latest one; RFC 5280, 4.1.2.5 uses it for "no well-defined end".
    pub const MAX: Self = Self(253_402_300_799);

    /// The instant so many seconds after (or before) 1970-01-01T00:00:00Z, held between
    /// [`Timestamp::MIN`] and [`Timestamp::MAX`].
    pub const fn from_unix_seconds(seconds: i64) -> Self {
        if seconds < Self::MIN.0 {
            Self::MIN
        } else if seconds > Self::MAX.0 {
            Self::MAX
        } else {
            Self(seconds)
        }
    }

    /// Seconds since 1970-01-01T00:00:00Z; negative before that.
    pub const fn as_unix_seconds(self) -> i64 {
        self.0
    }

    /// The instant `seconds` later (earlier if negative), held between the bounds.
    pub const fn saturating_add(self, seconds: i64) -> Self {
        Self::from_unix_seconds(self.0.saturating_add(seconds))
    }

    /// Seconds from `earlier` to this instant; negative if `earlier` is the later one.
    pub const fn seconds_since(self, earlier: Self) -> i64 {
        // Both lie within the bounds: the difference cannot overflow.
        self.0 - earlier.0
    }

    /// The same instant for rustls and webpki; `None` before 1970, which they cannot express.
    pub fn to_unix_time(self) -> Option<UnixTime> {
        let seconds = u64::try_from(self.0).ok()?;
        Some(UnixTime::since_unix_epoch(Duration::from_secs(seconds)))
    }

    /// The same instant for the standard library; `None` where the system cannot express it
    /// (Windows, before 1601).
    pub fn to_system_time(self) -> Option<SystemTime> {
        let distance = Duration::from_secs(self.0.unsigned_abs());
        match self.0 {
            0.. => SystemTime::UNIX_EPOCH.checked_add(distance),
            _ => SystemTime::UNIX_EPOCH.checked_sub(distance),
        }
    }

    /// The instant at which a date and a time of day in UTC begin, `None` where no calendar has
    /// them (RFC 5280 knows no leap second, and no year outside 0..=9999).
    #[inline]
    pub(crate) fn from_calendar(year: u16, month: u8, day: u8, time: [u8; 3]) -> Option<Self> {
        let month = Month::try_from(month).ok()?;
        let date = Date::from_calendar_date(year.into(), month, day).ok()?;
        let [hour, minute, second] = time;
        let time = date.with_hms(hour, minute, second).ok()?;
        Some(Self(time.assume_utc().unix_timestamp()))
    }
}

impl From<UnixTime> for Timestamp {
    /// Instants after year 9999 become [`Timestamp::MAX`].
    fn from(time: UnixTime) -> Self {
        Self::from_unix_seconds(i64::try_from(time.as_secs()).unwrap_or(i64::MAX))
    }
}

impl From<UtcDateTime> for Timestamp {
    /// Cuts off what is finer than a second, and holds the instant between the bounds.
    fn from(time: UtcDateTime) -> Self {
        Self::from_unix_seconds(time.unix_timestamp())
    }
}

impl From<OffsetDateTime> for Timestamp {
    /// Cuts off what is finer than a second, and holds the instant between the bounds.
    fn from(time: OffsetDateTime) -> Self {
        Self::from_unix_seconds(time.unix_timestamp())
    }
}

impl From<SystemTime> for Timestamp {
    /// Cuts off what is finer than a second, and holds the instant between the bounds.
    fn from(time: SystemTime) -> Self {
        let seconds = |distance: Duration| i64::try_from(distance.as_secs()).unwrap_or(i64::MAX);
        Self::from_unix_seconds(match time.duration_since(SystemTime::UNIX_EPOCH) {
            Ok(after) => seconds(after),
            Err(before) => {
                let before = before.duration();
                let begun = i64::from(before.subsec_nanos() > 0);
                seconds(before).saturating_add(begun).saturating_neg()
            }
        })
    }
}

impl From<Timestamp> for UtcDateTime {
    /// The same instant: `time` holds years 0 to 9999 and more.
    fn from(time: Timestamp) -> Self {
        Self::UNIX_EPOCH.saturating_add(::time::Duration::seconds(time.0))
    }
}

impl From<Timestamp> for OffsetDateTime {
    /// The same instant, at the offset of UTC.
    fn from(time: Timestamp) -> Self {
        UtcDateTime::from(time).into()
    }
}

impl fmt::Display for Timestamp {
    /// RFC 3339, UTC, to the second: `2026-11-21T12:00:00Z`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let time = UtcDateTime::from(*self);
        let (year, month, day) = time.to_calendar_date();
        let (hour, minute, second) = time.as_hms();
        let month = u8::from(month);
        write!(
            f,
            "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z"
        )
    }
}

impl fmt::Debug for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Timestamp({self})")
    }
}

impl FromStr for Timestamp {
    type Err = TimestampParseError;

    /// Reads RFC 3339 (any offset; parts of a second are dropped) or a count of Unix seconds.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let error = || TimestampParseError {
            text: quoted(text, 64),
        };
        let seconds = match text.parse::<i64>() {
            Ok(seconds) => seconds,
            Err(_) => rfc_3339(text).ok_or_else(error)?,
        };
        if (Self::MIN.0..=Self::MAX.0).contains(&seconds) {
            Ok(Self(seconds))
        } else {
            Err(error())
        }
    }
}

/// Unix seconds of `2026-11-21T12:00:00.5+02:00` (RFC 3339, 5.6); a leap second, which is allowed
/// at the end of a UTC month only, is the second before it.
fn rfc_3339(text: &str) -> Option<i64> {
    // RFC 3339 lets others agree on any separator, and `time` takes any; ours are these.
    let separator = text.as_bytes().get(10)?;
    if !matches!(separator, b'T' | b't' | b' ') {
        return None;
    }
    let time = OffsetDateTime::parse(text, &Rfc3339).ok()?;
    Some(time.unix_timestamp())
}

/// A text that is not an instant.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error(
    "'{text}' is not an instant between the years 0 and 9999; \
     write RFC 3339 like 2026-11-21T12:00:00Z, or Unix seconds like 1795262400"
)]
#[non_exhaustive]
pub struct TimestampParseError {
    /// What was read (its first 64 characters), control characters escaped.
    pub text: String,
}
