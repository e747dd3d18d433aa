#![no_main]
//! Do we read and write instants as the `time` crate does?

use libfuzzer_sys::fuzz_target;
use notafter::Timestamp;
use notafter_fuzz::assert_printable;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

fuzz_target!(|data: &[u8]| {
    if let Some((seconds, _)) = data.split_first_chunk::<8>() {
        let seconds = i64::from_le_bytes(*seconds);
        for seconds in [seconds, seconds % 253_402_300_800] {
            let ours = Timestamp::from_unix_seconds(seconds);
            let held = seconds.clamp(
                Timestamp::MIN.as_unix_seconds(),
                Timestamp::MAX.as_unix_seconds(),
            );
            assert_eq!(ours.as_unix_seconds(), held);
            let theirs = OffsetDateTime::from_unix_timestamp(held).expect("a year of four digits");
            assert_eq!(ours.to_string(), theirs.format(&Rfc3339).expect("as above"));
            assert_eq!(ours.to_string().parse(), Ok(ours));
            assert_eq!(held.to_string().parse(), Ok(ours));
            assert_eq!(ours.to_unix_time().is_some(), held >= 0);
        }
    }
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    let ours = text.parse::<Timestamp>();
    if let Err(error) = &ours {
        assert_printable(&error.to_string());
        // 64 characters, of which each may be escaped.
        assert!(error.text.chars().count() <= 64 * 10);
    }
    if let Ok(seconds) = text.parse::<i64>() {
        assert_eq!(
            ours.is_ok(),
            Timestamp::from_unix_seconds(seconds).as_unix_seconds() == seconds
        );
        return;
    }
    // What counts as a leap second is told differently; RFC 3339 knows them at the end of a month only.
    let is_leap = text.get(17..19) == Some("60");
    // `time` takes any byte for the T.
    let is_separated = matches!(text.as_bytes().get(10), Some(b'T' | b't' | b' '));
    match OffsetDateTime::parse(text, &Rfc3339) {
        Ok(_) if !is_separated => assert!(ours.is_err(), "{text:?}"),
        Ok(theirs) if !is_leap => {
            let seconds = theirs.unix_timestamp();
            let held = Timestamp::from_unix_seconds(seconds);
            let expected = Some(held).filter(|held| held.as_unix_seconds() == seconds);
            assert_eq!(ours.ok(), expected, "{text:?}");
        }
        Err(_) if !is_leap => {
            // A blank in place of the T is ours alone.
            assert!(ours.is_err() || text.as_bytes()[10] == b' ', "{text:?}");
        }
        _ => {}
    }
});
