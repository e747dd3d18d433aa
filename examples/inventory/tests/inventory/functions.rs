//! The functions in every form of their arguments, and rows as nobody wants them.

use std::sync::Arc;

use base64_simd::STANDARD;
use datafusion::arrow::array::{
    ArrayRef, BinaryArray, BinaryViewArray, DictionaryArray, FixedSizeBinaryArray, Int32Array,
    LargeBinaryArray, LargeStringArray, StringArray, StringViewArray, TimestampSecondArray,
};
use datafusion::arrow::datatypes::Int32Type;

use crate::support::{authority, cell, context, key, leaf, rows, with_table};

fn a_leaf() -> Vec<u8> {
    let ca = authority("A CA", "2035-01-01", &key(), None);
    leaf("www.example.org", "2026-06-11", &key(), &ca)
}

fn pem(der: &[u8]) -> String {
    let base64 = STANDARD.encode_to_string(der);
    let lines: Vec<_> = base64
        .as_bytes()
        .chunks(64)
        .map(|line| str::from_utf8(line).unwrap())
        .collect();
    format!(
        "-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----\n",
        lines.join("\n")
    )
}

#[tokio::test]
async fn bytes_and_texts_of_every_type_are_read() {
    let der = a_leaf();
    let base64 = STANDARD.encode_to_string(&der);
    let folded: String = base64
        .as_bytes()
        .chunks(76)
        .map(|l| format!("{}\r\n", str::from_utf8(l).unwrap()))
        .collect();
    let hex = format!("\\x{}", base16ct::lower::encode_string(&der));
    let upper = format!("\\x{}", base16ct::upper::encode_string(&der));
    let pem = pem(&der);
    let after = format!("subject=CN=www.example.org\n{pem}");
    let keys = Int32Array::from(vec![0]);
    let dictionary =
        DictionaryArray::<Int32Type>::new(keys, Arc::new(StringArray::from(vec![base64.as_str()])));
    let columns: Vec<ArrayRef> = vec![
        Arc::new(BinaryArray::from_vec(vec![&der])),
        Arc::new(LargeBinaryArray::from_vec(vec![&der])),
        Arc::new(BinaryViewArray::from_iter_values([&der])),
        Arc::new(FixedSizeBinaryArray::try_from_iter([&der].into_iter()).unwrap()),
        Arc::new(StringArray::from(vec![base64.as_str()])),
        Arc::new(LargeStringArray::from(vec![base64.trim_end_matches('=')])),
        Arc::new(StringViewArray::from(vec![base64.as_str()])),
        Arc::new(StringArray::from(vec![folded.as_str()])),
        Arc::new(StringArray::from(vec![hex.as_str()])),
        Arc::new(StringArray::from(vec![upper.as_str()])),
        Arc::new(StringArray::from(vec![pem.as_str()])),
        Arc::new(StringArray::from(vec![after.as_str()])),
        Arc::new(StringViewArray::from(vec![format!("  \n{pem}").as_str()])),
        Arc::new(dictionary),
    ];
    for column in columns {
        let kind = column.data_type().clone();
        let context = with_table("certs", vec![("der", column)]);
        let sql = "SELECT cert_not_after(der), cert_names(der), cert_error(der), cert_facts(der)['subject'], \
            cert_band(der, '2026-06-01') FROM certs";
        let expected = [
            "2026-06-11T00:00:00Z",
            "[www.example.org]",
            "NULL",
            "CN=www.example.org",
            "critical",
        ];
        assert_eq!(rows(&context, sql).await, [expected], "{kind}");
        let sql = "SELECT arrow_cast(der, 'Binary') = cert_der(der), cert_fingerprint(cert_der(der)) = cert_fingerprint(der) \
            FROM certs";
        assert_eq!(rows(&context, sql).await[0][1], "true", "{kind}");
    }
}

#[tokio::test]
async fn a_bad_row_is_null_with_a_reason_and_costs_no_other_row() {
    let good = a_leaf();
    let changed = |place: usize, byte: u8| {
        let mut der = good.clone();
        der[place] = byte;
        der
    };
    let mut trailing = good.clone();
    trailing.push(0);
    let mut endless = vec![0x30, 0x84, 0xff, 0xff, 0xff, 0xff];
    endless.extend_from_slice(&good[4..]);
    // The years of a UTCTime: 25 in 2025.
    let time = good.windows(6).position(|part| part == b"250101").unwrap();
    let cases: Vec<(Option<Vec<u8>>, &str)> = vec![
        (None, "NULL"),
        (Some(Vec::new()), "empty"),
        (Some(good[..good.len() / 2].to_vec()), "truncated"),
        (Some(vec![0x30]), "truncated"),
        (Some(endless), "truncated"),
        (Some(trailing), "trailing_bytes"),
        (Some(changed(0, 0x31)), "unexpected_tag"),
        (Some(changed(1, 0x80)), "indefinite_length"),
        (Some(vec![0x30, 0x81, 0x01, 0x00]), "non_minimal_length"),
        (Some(vec![0x30, 0x85, 1, 1, 1, 1, 1]), "length_too_large"),
        (Some(changed(time + 2, b'9')), "bad_time"),
        (Some(vec![0xff; 1000]), "unexpected_tag"),
        (Some(vec![0; 16 * 1024 * 1024 + 1]), "too_long"),
        (
            Some(b"-----BEGIN CERTIFICATE-----".to_vec()),
            "unexpected_tag",
        ),
        (Some(good.clone()), "NULL"),
    ];
    let column: BinaryArray = cases.iter().map(|(der, _)| der.as_deref()).collect();
    let context = with_table("certs", vec![("der", Arc::new(column))]);
    let sql = "SELECT cert_error_code(der), cert_error(der) IS NULL, cert_subject(der), cert_names(der), \
        cert_is_ca(der), cert_key_bits(der), cert_key_type(der), cert_band(der, now()), cert_left_seconds(der, now()), \
        cert_facts(der)['error_code'], cert_details_error(der) FROM certs";
    let answered = rows(&context, sql).await;
    let (last, bad) = answered.split_last().unwrap();
    for (row, (_, code)) in bad.iter().zip(&cases) {
        let is_known = (*code == "NULL").to_string();
        let expected = [
            code,
            is_known.as_str(),
            "NULL",
            "NULL",
            "NULL",
            "NULL",
            "NULL",
            "NULL",
            "NULL",
            code,
            "NULL",
        ];
        assert_eq!(row, &expected);
    }
    let expected = [
        "NULL",
        "true",
        "CN=www.example.org",
        "[www.example.org]",
        "false",
        "256",
        "EC P-256",
        "critical",
        "864000",
        "NULL",
        "NULL",
    ];
    assert_eq!(last, &expected);
}

#[tokio::test]
async fn a_bad_text_says_what_it_should_have_been() {
    let good = a_leaf();
    let key = "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n";
    let open = pem(&good).replace("-----END", "----END");
    let cases = [
        (
            "",
            "empty",
            "the row is empty: a certificate that is not known should be null",
        ),
        (
            " \n\t",
            "empty",
            "the row is empty: a certificate that is not known should be null",
        ),
        (
            "no certificate",
            "not_base64",
            "the text is neither base64 nor PEM: write the certificate's DER as base64",
        ),
        (
            "\\x30zz",
            "not_hex",
            "the text begins with \\x as PostgreSQL writes bytes, and is not hexadecimal after that",
        ),
        (
            "\\x308",
            "not_hex",
            "the text begins with \\x as PostgreSQL writes bytes, and is not hexadecimal after that",
        ),
        (
            "\\x30",
            "truncated",
            "not a DER certificate: the bytes end too early at byte 1; rustls refuses it too: get the certificate again from where it was issued",
        ),
        (
            key,
            "bad_pem",
            "no certificate can be read from the PEM text: it has no block of that kind",
        ),
        (
            open.as_str(),
            "bad_pem",
            "no certificate can be read from the PEM text: its END line is missing",
        ),
        (
            "MAA=",
            "truncated",
            "not a DER certificate: the bytes end too early at byte 2; rustls refuses it too: get the certificate again from where it was issued",
        ),
    ];
    let texts: StringArray = cases.iter().map(|(text, ..)| Some(*text)).collect();
    let context = with_table("certs", vec![("der", Arc::new(texts))]);
    let answered = rows(
        &context,
        "SELECT cert_error_code(der), cert_error(der), cert_not_after(der) FROM certs",
    )
    .await;
    for (row, (text, code, sentence)) in answered.iter().zip(cases) {
        assert_eq!(row, &[code, sentence, "NULL"], "{text}");
    }
}

#[tokio::test]
async fn an_instant_and_a_certificate_may_each_be_a_column_or_a_value() {
    let der = a_leaf();
    let hex = base16ct::lower::encode_string(&der);
    let two: BinaryArray = [Some(der.as_slice()), None].into_iter().collect();
    // 2026-06-11T00:00:00Z, the second after it, and one that is not known.
    let end = 1_781_136_000;
    let at = TimestampSecondArray::from(vec![Some(end), None]);
    let context = with_table("certs", vec![("der", Arc::new(two)), ("at", Arc::new(at))]);
    let critical = [["critical", "0"], ["NULL", "NULL"]];
    let cases = [
        ("der", "at"),
        (&format!("X'{hex}'") as &str, "at"),
        ("der", "'2026-06-11T00:00:00Z'"),
        ("der", "1781136000"),
        ("der", "TIMESTAMP '2026-06-11T00:00:00Z'"),
        ("der", "DATE '2026-06-11'"),
        (
            "der",
            "arrow_cast(TIMESTAMP '2026-06-11T00:00:00', 'Timestamp(Millisecond, None)')",
        ),
        ("der", "'2026-06-11T02:00:00+02:00'"),
    ];
    for (certificate, at) in cases {
        let sql = format!(
            "SELECT cert_band({certificate}, {at}), cert_left_seconds({certificate}, {at}) FROM certs"
        );
        assert_eq!(rows(&context, &sql).await, critical, "{certificate}, {at}");
    }
    let after = "SELECT cert_band(der, '2026-06-11T00:00:01Z'), cert_left_seconds(der, '2026-06-11T00:00:01Z') FROM certs";
    assert_eq!(
        rows(&context, after).await,
        [["expired", "-1"], ["NULL", "NULL"]]
    );
    let single = format!(
        "SELECT cert_band(X'{hex}', '2024-12-31T23:59:59Z'), cert_subject(X'{hex}'), cert_facts(X'{hex}')['is_ca']"
    );
    assert_eq!(
        rows(&context, &single).await,
        [["not_yet_valid", "CN=www.example.org", "false"]]
    );
    let none = "SELECT cert_band(NULL, now()), cert_band(X'00', NULL), cert_subject(NULL), cert_facts(NULL), cert_der(NULL)";
    assert_eq!(rows(&context, none).await, [["NULL"; 5]]);
}

#[tokio::test]
async fn bands_of_leaves_and_of_authorities_have_their_own_thresholds() {
    let key = key();
    let ca = authority("A CA", "2026-12-01", &key, None);
    let leaf = leaf("www.example.org", "2026-12-01", &key, &ca);
    let column: BinaryArray = [leaf.as_slice(), ca.der.as_slice()]
        .map(Some)
        .into_iter()
        .collect();
    let context = with_table("certs", vec![("der", Arc::new(column))]);
    // A leaf of 699 days: 30, 20, 10 days. A CA certificate: 180, 90, 30 days.
    let cases = [
        ("2026-06-01T00:00:00Z", ["ok", "ok"]),
        ("2026-06-04T00:00:00Z", ["ok", "due"]),
        ("2026-09-02T00:00:00Z", ["ok", "warning"]),
        ("2026-11-01T00:00:00Z", ["due", "critical"]),
        ("2026-11-11T00:00:00Z", ["warning", "critical"]),
        ("2026-11-21T00:00:00Z", ["critical", "critical"]),
        ("2026-12-01T00:00:00Z", ["critical", "critical"]),
        ("2026-12-01T00:00:01Z", ["expired", "expired"]),
        ("2024-12-31T23:59:59Z", ["not_yet_valid", "not_yet_valid"]),
    ];
    for (at, [of_leaf, of_ca]) in cases {
        let sql = format!("SELECT cert_band(der, '{at}') FROM certs");
        assert_eq!(rows(&context, &sql).await, [[of_leaf], [of_ca]], "{at}");
    }
}

#[tokio::test]
async fn what_holds_no_certificate_is_told_before_a_row_is_read() {
    let cases = [
        (
            "SELECT cert_not_after(1)",
            "cert_not_after takes a certificate as bytes (DER) or as text (base64, PEM, or \\x and hexadecimal), not Int64",
        ),
        (
            "SELECT cert_band(X'30', 1.5)",
            "cert_band takes an instant as a timestamp, a date, RFC 3339 or Unix seconds, not Float64",
        ),
        ("SELECT cert_band(X'30')", "cert_band"),
        ("SELECT cert_band(X'30', 'tomorrow')", "tomorrow"),
    ];
    for (sql, expected) in cases {
        let error = match context().sql(sql).await {
            Ok(frame) => frame.collect().await.unwrap_err(),
            Err(error) => error,
        };
        assert!(error.to_string().contains(expected), "{sql}: {error}");
    }
}

/// Nanoseconds end in 2262. The clock that `now()` stands for is in seconds.
#[tokio::test]
async fn a_date_of_the_year_9999_fails_no_query() {
    let ca = authority("A CA", "9999-12-31", &key(), None);
    let column: BinaryArray = [Some(ca.der.as_slice())].into_iter().collect();
    let context = with_table("certs", vec![("der", Arc::new(column))]);
    for (sql, expected) in [
        (
            "SELECT cert_not_after(der) FROM certs",
            "9999-12-31T00:00:00Z",
        ),
        ("SELECT cert_not_after(der) > now() FROM certs", "true"),
        (
            "SELECT cert_not_after(der) > current_timestamp FROM certs",
            "true",
        ),
        (
            "SELECT cert_not_after(der) > now() + INTERVAL '90 days' FROM certs",
            "true",
        ),
        (
            "SELECT cert_not_after(der) > '2026-01-01T00:00:00Z' FROM certs",
            "true",
        ),
        (
            "SELECT date_trunc('week', cert_not_after(der)) FROM certs",
            "9999-12-27T00:00:00Z",
        ),
        (
            "SELECT left(CAST(cert_not_after(der) AS VARCHAR), 7) FROM certs",
            "9999-12",
        ),
        (
            "SELECT date_part('year', cert_not_after(der)) FROM certs",
            "9999",
        ),
        (
            "SELECT cert_not_after(der) > TIMESTAMP '2026-01-01T00:00:00Z' FROM certs",
            "true",
        ),
        (
            "SELECT cert_lifetime_seconds(der) > 398 * 86400 FROM certs",
            "true",
        ),
        (
            "SELECT cert_left_seconds(der, now()) / 86400 FROM certs",
            "2912291",
        ),
        (
            "SELECT max(cert_not_after(der)) FROM certs",
            "9999-12-31T00:00:00Z",
        ),
    ] {
        assert_eq!(cell(&context, sql).await, expected, "{sql}");
    }
}

#[tokio::test]
async fn dates_are_cut_off_as_datafusion_does_it() {
    let context = context();
    let instants = "arrow_cast(value * 1234567 - 3000000000, 'Timestamp(Second, Some(\"+00:00\"))') AS t \
        FROM generate_series(0, 5000)";
    for unit in [
        "second",
        "minute",
        "hour",
        "day",
        "week",
        "month",
        "quarter",
        "year",
        "Millisecond",
    ] {
        // Nanoseconds are cut off by DataFusion's own.
        let sql = format!(
            "SELECT count(*), count(*) FILTER (WHERE date_trunc('{unit}', t) = \
             date_trunc('{unit}', arrow_cast(t, 'Timestamp(Nanosecond, Some(\"+00:00\"))'))) FROM (SELECT {instants})"
        );
        assert_eq!(rows(&context, &sql).await, [["5001", "5001"]], "{unit}");
    }
    for (sql, expected) in [
        ("SELECT date_trunc('week', NULL)", "NULL"),
        (
            "SELECT date_trunc('month', TIMESTAMP '2026-06-11T12:13:14.5')",
            "2026-06-01T00:00:00",
        ),
        ("SELECT date_trunc('week', now())", "2026-06-01T00:00:00Z"),
    ] {
        assert_eq!(cell(&context, sql).await, expected, "{sql}");
    }
    let error = context
        .sql("SELECT date_trunc('fortnight', now())")
        .await
        .unwrap()
        .collect()
        .await
        .unwrap_err();
    assert!(error.to_string().contains("fortnight"), "{error}");
}

/// Its dates are read, and x509-parser wants an OCTET STRING in every extension.
#[tokio::test]
async fn a_certificate_without_details_says_why_beside_its_facts() {
    let mut der = a_leaf();
    let names = der
        .windows(4)
        .position(|part| part == [0x55, 0x1d, 0x11, 0x04])
        .unwrap();
    der[names + 3] = 0x05;
    let column: BinaryArray = [Some(der.as_slice())].into_iter().collect();
    let context = with_table("certs", vec![("der", Arc::new(column))]);
    let sql = "SELECT cert_not_after(der), cert_error(der), cert_key_type(der), cert_key_bits(der), \
        cert_signature_algorithm(der), split_part(cert_details_error(der), ':', 1) FROM certs";
    let reason = "the certificate's dates and names can be read, its details cannot";
    let expected = [
        "2026-06-11T00:00:00Z",
        "NULL",
        "NULL",
        "NULL",
        "NULL",
        reason,
    ];
    assert_eq!(rows(&context, sql).await, [expected]);
}

#[tokio::test]
async fn the_present_is_what_the_session_was_given() {
    let context = context();
    for (sql, expected) in [
        ("SELECT now()", "2026-06-01T00:00:00Z"),
        ("SELECT current_timestamp", "2026-06-01T00:00:00Z"),
        ("SELECT now() - INTERVAL '1 day'", "2026-05-31T00:00:00Z"),
        ("SELECT current_date", "2026-06-01"),
        ("SELECT today()", "2026-06-01"),
    ] {
        assert_eq!(cell(&context, sql).await, expected, "{sql}");
    }
}
