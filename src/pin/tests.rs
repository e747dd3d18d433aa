use super::*;

#[test]
fn pins_are_read_strictly() {
    let text = "sha256/C5+lpZ7tcVwmwQIMcRtPbsQtWLABXhQzejna0wHFr8M=";
    let pin: SpkiPin = text.parse().unwrap();
    assert_eq!(pin.to_string(), text);
    assert_eq!(text.trim_end_matches('=').parse(), Ok(pin));
    let cases = [
        ("", PinParseError::UnknownForm),
        (
            "sha1/C5+lpZ7tcVwmwQIMcRtPbsQtWLAB",
            PinParseError::UnknownForm,
        ),
        (
            "C5+lpZ7tcVwmwQIMcRtPbsQtWLABXhQzejna0wHFr8M=",
            PinParseError::UnknownForm,
        ),
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
    ];
    for (text, error) in cases {
        assert_eq!(text.parse::<SpkiPin>(), Err(error), "{text}");
    }
}
