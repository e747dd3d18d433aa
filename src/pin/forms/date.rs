//! Days as most forms write them, `yyyy-MM-dd`, in UTC.

use crate::time::Timestamp;

/// The seconds from a day's first one to its last one.
const UNTIL_LAST_SECOND: i64 = 86_399;

/// Which second of the day that is named is a form's last good one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum LastSecond {
    /// The first of the day: Android's and TrustKit's pins are over a moment after it.
    First,
    /// The last of the day.
    Last,
}

impl LastSecond {
    /// The instant; `None` for what is no day.
    pub(super) fn read(self, text: &str) -> Option<Timestamp> {
        let mut parts = text.split('-');
        let year = number(parts.next()?, 4)?;
        let month = u8::try_from(number(parts.next()?, 2)?).ok()?;
        let day = u8::try_from(number(parts.next()?, 2)?).ok()?;
        if parts.next().is_some() {
            return None;
        }
        let first = Timestamp::from_calendar(year, month, day, [0; 3])?;
        Some(first.saturating_add(self.offset()))
    }

    /// The day; `None` where the instant is another second of it.
    pub(super) fn write(self, instant: Timestamp) -> Option<String> {
        let text = instant.to_string();
        let (day, _) = text.split_once('T')?;
        (self.read(day)? == instant).then(|| day.to_owned())
    }

    pub(super) const fn time_of_day(self) -> &'static str {
        match self {
            Self::First => "00:00:00 UTC",
            Self::Last => "23:59:59 UTC",
        }
    }

    const fn offset(self) -> i64 {
        match self {
            Self::First => 0,
            Self::Last => UNTIL_LAST_SECOND,
        }
    }
}

/// Exactly so many digits.
fn number(text: &str, digits: usize) -> Option<u16> {
    let is_number = text.len() == digits && text.bytes().all(|b| b.is_ascii_digit());
    is_number.then(|| text.parse().ok())?
}

#[cfg(test)]
mod tests {
    use super::LastSecond::{First, Last};

    #[test]
    fn a_day_is_written_as_it_is_read_and_nothing_else_is_one() {
        let first = "2027-06-30T00:00:00Z".parse().unwrap();
        let last = "2027-06-30T23:59:59Z".parse().unwrap();
        assert_eq!(First.read("2027-06-30"), Some(first));
        assert_eq!(Last.read("2027-06-30"), Some(last));
        assert_eq!(First.write(first).as_deref(), Some("2027-06-30"));
        assert_eq!(Last.write(last).as_deref(), Some("2027-06-30"));
        assert_eq!((First.write(last), Last.write(first)), (None, None));
        for text in [
            "",
            "2027-6-30",
            "30-06-2027",
            "2027-02-29",
            "2027-13-01",
            "2027-06-30T00:00:00Z",
            "2027-06-30-",
            "+027-06-30",
            "2027/06/30",
            "soon",
            "２０２７-06-30",
        ] {
            assert_eq!(First.read(text), None, "{text}");
        }
    }
}
