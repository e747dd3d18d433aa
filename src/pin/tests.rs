use super::*;

const OKHTTP: &str = "sha256/C5+lpZ7tcVwmwQIMcRtPbsQtWLABXhQzejna0wHFr8M=";
const HEX: &str = "0b9fa5a59eed715c26c1020c711b4f6ec42d58b0015e14337a39dad301c5afc3";

#[test]
fn every_form_is_written_and_read() {
    let pin: SpkiPin = OKHTTP.parse().unwrap();
    let base64 = OKHTTP.trim_start_matches("sha256/");
    let forms = [
        (PinForm::OkHttp, OKHTTP.to_owned()),
        (PinForm::Curl, format!("sha256//{base64}")),
        (PinForm::Hpkp, format!("pin-sha256=\"{base64}\"")),
        (PinForm::Base64, base64.to_owned()),
        (PinForm::Hex, HEX.to_owned()),
        (PinForm::TlsaLeaf, format!("3 1 1 {HEX}")),
        (PinForm::TlsaCa, format!("2 1 1 {HEX}")),
    ];
    for (form, written) in forms {
        assert_eq!(pin.to_form(form), written);
        assert_eq!(written.parse(), Ok(pin), "{written}");
    }
    let colons: Vec<_> = HEX
        .as_bytes()
        .chunks(2)
        .map(|c| std::str::from_utf8(c).unwrap())
        .collect();
    let (first, last) = HEX.split_at(32);
    for also in [
        OKHTTP.trim_end_matches('=').to_owned(),
        HEX.to_uppercase(),
        colons.join(":"),
        format!(" {OKHTTP}\n"),
        // Zone files wrap long records.
        format!("3 1 1 {first} {last}"),
    ] {
        assert_eq!(also.parse(), Ok(pin), "{also}");
    }
}

#[test]
fn a_digest_that_begins_with_a_slash_is_not_taken_for_curls() {
    let digest = SpkiPin::from_digest(crate::cert::Sha256Digest::from_bytes([0xff; 32]));
    for form in [
        PinForm::OkHttp,
        PinForm::Curl,
        PinForm::Base64,
        PinForm::Hpkp,
    ] {
        let written = digest.to_form(form);
        assert!(written.contains('/'));
        assert_eq!(written.parse(), Ok(digest), "{written}");
        assert_eq!(
            written
                .replace('=', "")
                .replace("sha256\"", "sha256=\"")
                .parse(),
            Ok(digest),
            "{written}"
        );
    }
}

#[test]
fn lists_are_those_of_curl_and_of_rfc_7469() {
    let pin: SpkiPin = OKHTTP.parse().unwrap();
    let other = SpkiPin::from_spki_der(b"another");
    let curl = format!(
        "{};{}",
        pin.to_form(PinForm::Curl),
        other.to_form(PinForm::Curl)
    );
    let header = format!(
        "{}; max-age=5184000; {} ; includeSubDomains; report-uri=\"https://a.example/\"",
        pin.to_form(PinForm::Hpkp),
        other.to_form(PinForm::Hpkp)
    );
    for list in [curl, header] {
        assert_eq!(SpkiPin::parse_list(&list), Ok(vec![pin, other]), "{list}");
    }
    assert_eq!(SpkiPin::parse_list(""), Ok(vec![]));
    let broken = format!("{OKHTTP};sha256//AAAA");
    assert_eq!(SpkiPin::parse_list(&broken), Err(PinParseError::NotBase64));
}

#[test]
fn what_is_no_pin_is_refused() {
    let cases = [
        ("", PinParseError::UnknownForm),
        (
            "sha1/C5+lpZ7tcVwmwQIMcRtPbsQtWLAB",
            PinParseError::UnknownForm,
        ),
        ("3 0 1 00", PinParseError::UnknownForm),
        ("3 1 2 00", PinParseError::UnknownForm),
        ("3 1 1", PinParseError::UnknownForm),
        ("3 1 1 00", PinParseError::WrongLength { bytes: 1 }),
        ("3 1 1 xx", PinParseError::NotHex),
        ("pin-sha256=AAAA", PinParseError::UnknownForm),
        ("sha256/", PinParseError::NotBase64),
        ("sha256/AAA=", PinParseError::WrongLength { bytes: 2 }),
        (
            "sha256/C5+lpZ7tcVwmwQIMcRtPbsQtWLABXhQzejna0wHFr8M==",
            PinParseError::NotBase64,
        ),
        (
            "sha256/C5-lpZ7tcVwmwQIMcRtPbsQtWLABXhQzejna0wHFr8M=",
            PinParseError::NotBase64,
        ),
        // The last character's unused bits are set.
        (
            "sha256/C5+lpZ7tcVwmwQIMcRtPbsQtWLABXhQzejna0wHFr8N=",
            PinParseError::NotBase64,
        ),
        (
            "0b9fa5a59eed715c26c1020c711b4f6ec42d58b0015e14337a39dad301c5afc3ff",
            PinParseError::WrongLength { bytes: 33 },
        ),
    ];
    for (text, error) in cases {
        assert_eq!(text.parse::<SpkiPin>(), Err(error), "{text}");
    }
    assert_eq!(
        SpkiPin::from_pem(b"nothing"),
        Err(PinSourceError::NothingFound)
    );
}
