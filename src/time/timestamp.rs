//! The instant: whole seconds, UTC, years 0 to 9999.

use std::fmt;
use std::str::FromStr;

use pki_types::UnixTime;
use thiserror::Error;

/// An instant in whole Unix seconds, UTC, from year 0 to year 9999.
///
/// Certificates cannot state finer or wider times (RFC 5280, 4.1.2.5), and 64 signed bits hold all
/// of them without loss; `pki_types::UnixTime` starts in 1970 and is converted to at the border.
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
        Some(UnixTime::since_unix_epoch(std::time::Duration::from_secs(
            seconds,
        )))
    }

    /// The instant of a valid calendar date and time, `None` for any that is not (RFC 5280 knows no
    /// leap second, and no year outside 0..=9999).
    pub(crate) fn from_civil(
        year: u32,
        month: u32,
        day: u32,
        (hour, minute, second): (u32, u32, u32),
    ) -> Option<Self> {
        let days_in_month = match month {
            1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
            4 | 6 | 9 | 11 => 30,
            2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
            2 => 28,
            _ => return None,
        };
        let fits = year <= 9999
            && (1..=days_in_month).contains(&day)
            && hour < 24
            && minute < 60
            && second < 60;
        if !fits {
            return None;
        }
        // Days in the proleptic Gregorian calendar, counting years from March so that the leap day
        // is the last of its year, and from 400 years before year 0 so that none is negative.
        let (year, month) = if month <= 2 {
            (year + 399, month + 9)
        } else {
            (year + 400, month - 3)
        };
        let day_of_year = (153 * month + 2) / 5 + day - 1;
        let days = 365 * year + year / 4 - year / 100 + year / 400 + day_of_year;
        let days = i64::from(days) - 146_097 - 719_468;
        let seconds = hour * 3_600 + minute * 60 + second;
        Some(Self(days * 86_400 + i64::from(seconds)))
    }
}

impl From<UnixTime> for Timestamp {
    /// Instants after year 9999 become [`Timestamp::MAX`].
    fn from(time: UnixTime) -> Self {
        Self::from_unix_seconds(i64::try_from(time.as_secs()).unwrap_or(i64::MAX))
    }
}

impl fmt::Display for Timestamp {
    /// RFC 3339, UTC, to the second: `2026-11-21T12:00:00Z`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (days, second) = (self.0.div_euclid(86_400), self.0.rem_euclid(86_400));
        // `from_civil` backwards: years that begin in March, in eras of 400 years.
        let days = days + 719_468;
        let (era, day_of_era) = (days.div_euclid(146_097), days.rem_euclid(146_097));
        let leap_days = day_of_era / 1_460 - day_of_era / 36_524 + day_of_era / 146_096;
        let year_of_era = (day_of_era - leap_days) / 365;
        let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let from_march = (5 * day_of_year + 2) / 153;
        let day = day_of_year - (153 * from_march + 2) / 5 + 1;
        let (month, next_year) = if from_march < 10 {
            (from_march + 3, 0)
        } else {
            (from_march - 9, 1)
        };
        let year = year_of_era + era * 400 + next_year;
        let (hour, minute, second) = (second / 3_600, second / 60 % 60, second % 60);
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
            text: text.chars().take(64).flat_map(char::escape_debug).collect(),
        };
        let seconds = match text.parse::<i64>() {
            Ok(seconds) => seconds,
            Err(_) => rfc_3339(text.as_bytes()).ok_or_else(error)?,
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
fn rfc_3339(text: &[u8]) -> Option<i64> {
    let (date_time, mut rest) = text.split_at_checked(19)?;
    let [
        y1,
        y2,
        y3,
        y4,
        b'-',
        mo1,
        mo2,
        b'-',
        d1,
        d2,
        b'T' | b't' | b' ',
        h1,
        h2,
        b':',
        mi1,
        mi2,
        b':',
        s1,
        s2,
    ] = date_time
    else {
        return None;
    };
    let two = |a: &u8, b: &u8| number(&[*a, *b]);
    let (year, month, day) = (number(&[*y1, *y2, *y3, *y4])?, two(mo1, mo2)?, two(d1, d2)?);
    let (hour, minute, second) = (two(h1, h2)?, two(mi1, mi2)?, two(s1, s2)?);
    if let Some((b'.', fraction)) = rest.split_first() {
        let digits = fraction.iter().take_while(|byte| byte.is_ascii_digit());
        rest = fraction
            .get(digits.count()..)
            .filter(|rest| rest.len() < fraction.len())?;
    }
    let offset = match rest {
        b"Z" | b"z" => 0,
        [sign @ (b'+' | b'-'), h1, h2, b':', m1, m2] => {
            let (hours, minutes) = (two(h1, h2)?, two(m1, m2)?);
            if hours > 23 || minutes > 59 {
                return None;
            }
            let seconds = i64::from(hours * 3_600 + minutes * 60);
            if *sign == b'-' { -seconds } else { seconds }
        }
        _ => return None,
    };
    let counted = if second == 60 { 59 } else { second };
    let Timestamp(local) = Timestamp::from_civil(year, month, day, (hour, minute, counted))?;
    let seconds = local - offset;
    if second == 60 {
        let after = Timestamp(seconds + 1).to_string();
        let is_month_end = after.ends_with("-01T00:00:00Z");
        return is_month_end.then_some(seconds);
    }
    Some(seconds)
}

/// The number that these decimal digits write.
#[inline]
pub(crate) fn number<const N: usize>(digits: &[u8; N]) -> Option<u32> {
    let (mut number, mut all_digits) = (0, true);
    for digit in digits {
        let value = digit.wrapping_sub(b'0');
        all_digits &= value < 10;
        number = number * 10 + u32::from(value);
    }
    all_digits.then_some(number)
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
