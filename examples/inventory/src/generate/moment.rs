//! An instant as certificates write it (RFC 5280, 4.1.2.5), in as many octets as stood there.

use std::io::Write as _;

use notafter::time::Timestamp;

/// Writes the instant over one of the same form: `YYMMDDHHMMSSZ` or `YYYYMMDDHHMMSSZ`. What does not fit is
/// left as it is.
pub(super) fn overwrite(place: &mut [u8], instant: Timestamp) {
    // 2026-06-01T00:00:00Z
    let digits: Vec<u8> = instant
        .to_string()
        .bytes()
        .filter(u8::is_ascii_digit)
        .collect();
    let is_utc_time = (b"1950".as_slice()..b"2050".as_slice()).contains(&&digits[..4]);
    let written = match place.len() {
        13 if is_utc_time => &digits[2..],
        15 => &digits[..],
        _ => return,
    };
    let mut place = place;
    // The lengths have been compared.
    let _ = place.write_all(written);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_instant_takes_the_form_that_stood_there() {
        let cases = [
            ("2026-06-01T07:08:09Z", "200101000000Z", "260601070809Z"),
            ("1999-12-31T23:59:59Z", "200101000000Z", "991231235959Z"),
            ("2050-01-01T00:00:00Z", "200101000000Z", "200101000000Z"),
            ("2050-01-01T00:00:00Z", "20200101000000Z", "20500101000000Z"),
            ("2026-06-01T07:08:09Z", "20200101000000Z", "20260601070809Z"),
            ("2026-06-01T07:08:09Z", "2001010000Z", "2001010000Z"),
        ];
        for (instant, before, after) in cases {
            let mut place = before.as_bytes().to_vec();
            overwrite(&mut place, instant.parse().unwrap());
            assert_eq!(String::from_utf8(place).unwrap(), after, "{instant}");
        }
    }
}
