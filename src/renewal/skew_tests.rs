use super::*;

/// A certificate with these dates (seconds from 1970), of which only the outline is right.
fn certificate(not_before: i64, not_after: i64) -> Certificate {
    let time = |seconds: i64| {
        let text = Timestamp::from_unix_seconds(seconds).to_string();
        let digits: String = text.chars().filter(char::is_ascii_digit).collect();
        tlv(0x18, format!("{digits}Z").as_bytes())
    };
    let algorithm = tlv(0x30, &tlv(0x06, &[0x2a, 0x03]));
    let cn = [tlv(0x06, &[0x55, 0x04, 0x03]), tlv(0x0c, b"a.example")].concat();
    let name = tlv(0x30, &tlv(0x31, &tlv(0x30, &cn)));
    let validity = tlv(0x30, &[time(not_before), time(not_after)].concat());
    let spki = tlv(0x30, &[algorithm.clone(), tlv(0x03, &[0, 1])].concat());
    let version = tlv(0xa0, &tlv(0x02, &[2]));
    let tbs = [
        version,
        tlv(0x02, &[1]),
        algorithm.clone(),
        name.clone(),
        validity,
        name,
        spki,
    ];
    let tbs = tlv(0x30, &tbs.concat());
    Certificate::from_der(tlv(0x30, &[tbs, algorithm, tlv(0x03, &[0, 1])].concat())).unwrap()
}

fn tlv(tag: u8, content: &[u8]) -> Vec<u8> {
    let length = u8::try_from(content.len()).unwrap();
    let head = if length < 0x80 {
        vec![tag, length]
    } else {
        vec![tag, 0x81, length]
    };
    [head, content.to_vec()].concat()
}

#[test]
fn each_disagreement_has_its_kind_and_its_seconds() {
    // Served: 1,000,000 to 2,000,000, due at 1,700,000.
    let serving = certificate(1_000_000, 2_000_000);
    let newer = certificate(1_650_000, 2_650_000);
    let same_start = certificate(1_000_000, 2_500_000);
    let older = certificate(500_000, 1_900_000);
    let same_dates = certificate(1_000_000, 2_000_000);
    assert_eq!(serving, same_dates);
    let cases = [
        (Some(&serving), 1_699_999, None),
        (None, 1_699_999, None),
        (
            Some(&serving),
            1_700_000,
            Some((SkewKind::DueButNotRenewed, 0)),
        ),
        (None, 1_700_010, Some((SkewKind::DueButNotRenewed, 10))),
        (
            Some(&serving),
            2_000_001,
            Some((SkewKind::DueButNotRenewed, 300_001)),
        ),
        (
            Some(&newer),
            1_699_999,
            Some((SkewKind::ServedOlderThanDisk, 300_001)),
        ),
        (
            Some(&newer),
            1_700_000,
            Some((SkewKind::RenewedButNotServed, 300_000)),
        ),
        (
            Some(&newer),
            2_000_001,
            Some((SkewKind::RenewedButNotServed, -1)),
        ),
        (
            Some(&same_start),
            1_700_000,
            Some((SkewKind::RenewedButNotServed, 300_000)),
        ),
        (
            Some(&older),
            1_699_999,
            Some((SkewKind::DiskOlderThanServed, 300_001)),
        ),
        (
            Some(&older),
            1_700_001,
            Some((SkewKind::DueButNotRenewed, 1)),
        ),
        (
            Some(&older),
            1_900_000,
            Some((SkewKind::DueButNotRenewed, 200_000)),
        ),
        (
            Some(&older),
            1_900_001,
            Some((SkewKind::DiskExpiredServingValid, 1)),
        ),
        // Both are over: it is no longer the disk that is worse.
        (
            Some(&older),
            2_000_001,
            Some((SkewKind::DueButNotRenewed, 300_001)),
        ),
    ];
    let due = Timestamp::from_unix_seconds(1_700_000);
    for (on_disk, now, expected) in cases {
        let at = Timestamp::from_unix_seconds(now);
        let skew = Skew::between(&serving, on_disk, due, at);
        let found = skew.as_ref().map(|skew| (skew.kind, skew.seconds));
        assert_eq!(found, expected, "at {now}");
        let Some(skew) = skew else { continue };
        assert_eq!(skew.due, due);
        assert_eq!(skew.serving_until, serving.not_after());
        assert_eq!(skew.on_disk_until, on_disk.map(Certificate::not_after));
        assert!(skew.to_string().contains("'a.example'"), "{skew}");
    }
}

#[test]
fn the_message_says_what_to_do() {
    let serving = certificate(1_000_000, 2_000_000);
    let newer = certificate(1_650_000, 2_650_000);
    let t = Timestamp::from_unix_seconds;
    let skew = Skew::between(&serving, Some(&newer), t(1_700_000), t(1_990_000)).unwrap();
    assert_eq!(
        skew.to_string(),
        "renewed_but_not_served: 'a.example' was renewed on disk (until 1970-01-31T16:06:40Z), but \
         the served certificate ends at 1970-01-24T03:33:20Z, in 2 h 46 min: find out why it is not \
         loaded, or restart the service"
    );
}
