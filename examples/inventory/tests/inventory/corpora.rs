//! Every function over every file of the corpora, against the crate's own facts and against x509-parser.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use datafusion::arrow::array::{
    Array as _, ArrayRef, AsArray as _, BinaryArray, Int64Array, RecordBatch, StringViewArray,
    StructArray,
};
use datafusion::arrow::datatypes::{TimestampSecondType, UInt32Type};
use notafter::cert::CertificateFacts;
use notafter::outlook::Position;
use notafter::source::SourceContents;
use notafter::time::Timestamp;
use notafter::{Certificate, SpkiPin, ThresholdPolicy};
use notafter_inventory::functions::Fact;
use x509_parser::prelude::{FromDer as _, X509Certificate};

use crate::support::{NOW, corpora, with_table};

/// Every file as it is, and every certificate that PEM holds.
fn every_row(root: &Path) -> Vec<Vec<u8>> {
    let mut rows = Vec::new();
    for path in files_below(root) {
        if path
            .extension()
            .is_some_and(|extension| extension == "gz" || extension == "bin")
        {
            continue;
        }
        let bytes = std::fs::read(path).unwrap();
        let contents = SourceContents::from_bytes("", &bytes);
        let found = contents.certificates.iter();
        rows.extend(found.map(|found| found.certificate.der().to_vec()));
        rows.push(bytes);
    }
    rows
}

fn files_below(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        match path.is_dir() {
            true => files.extend(files_below(&path)),
            false => files.push(path),
        }
    }
    files
}

/// The whole answer as one batch.
async fn answered(rows: &[Vec<u8>], sql: &str) -> RecordBatch {
    let numbers: Int64Array = (0_i64..).take(rows.len()).map(Some).collect();
    let certificates: BinaryArray = rows.iter().map(Some).collect();
    let context = with_table(
        "certs",
        vec![
            ("n", Arc::new(numbers) as ArrayRef),
            ("der", Arc::new(certificates)),
        ],
    );
    let frame = context.sql(sql).await.unwrap();
    let schema = frame.schema().as_arrow().clone();
    let batches = frame.collect().await.unwrap();
    datafusion::arrow::compute::concat_batches(&Arc::new(schema), &batches).unwrap()
}

fn text(column: &StringViewArray, row: usize) -> Option<&str> {
    column.is_valid(row).then(|| column.value(row))
}

#[tokio::test]
async fn every_function_says_of_every_file_what_the_crate_says() {
    let Some(root) = corpora() else { return };
    let rows = every_row(&root);
    let calls: Vec<_> = Fact::ALL
        .iter()
        .map(|fact| format!("{}(der) AS {}", fact.function(), fact.field()))
        .collect();
    let sql = format!(
        "SELECT {}, cert_band(der, now()) AS band, cert_left_seconds(der, now()) AS left_seconds FROM certs ORDER BY n",
        calls.join(", ")
    );
    let batch = answered(&rows, &sql).await;
    assert_eq!(batch.num_rows(), rows.len());
    let column = |name: &str| batch.column_by_name(name).unwrap().clone();
    let texts = |name: &str| column(name).as_string_view().clone();
    let instants = |name: &str| column(name).as_primitive::<TimestampSecondType>().clone();
    let flags = |name: &str| column(name).as_boolean().clone();
    let (not_before, not_after) = (instants("not_before"), instants("not_after"));
    let (is_ca, self_issued, staple) = (
        flags("is_ca"),
        flags("is_self_issued"),
        flags("must_staple"),
    );
    let [
        subject,
        issuer,
        serial,
        pin,
        fingerprint,
        key_id,
        authority_key_id,
        error,
        code,
    ] = [
        "subject",
        "issuer",
        "serial",
        "spki_sha256",
        "fingerprint",
        "subject_key_id",
        "authority_key_id",
        "error",
        "error_code",
    ]
    .map(texts);
    let [key_type, algorithm, details_error] =
        ["key_type", "signature_algorithm", "details_error"].map(texts);
    let band = column("band");
    let names = column("names");
    let bits = column("key_bits").as_primitive::<UInt32Type>().clone();
    let lifetime = column("lifetime_seconds");
    let lifetime = lifetime.as_primitive::<datafusion::arrow::datatypes::Int64Type>();
    let left = column("left_seconds");
    let left = left.as_primitive::<datafusion::arrow::datatypes::Int64Type>();
    let now: Timestamp = NOW.parse().unwrap();
    let mut counts = [0; 3];
    for (row, der) in rows.iter().enumerate() {
        let certificate = match Certificate::from_der(der.as_slice()) {
            Ok(certificate) => certificate,
            Err(refused) => {
                assert_eq!(text(&error, row), Some(refused.to_string().as_str()));
                assert!(code.is_valid(row));
                for name in batch.schema().fields().iter().map(|field| field.name()) {
                    let is_reason = name == "error" || name == "error_code";
                    assert_eq!(column(name).is_valid(row), is_reason, "{name}, {refused}");
                }
                counts[0] += 1;
                continue;
            }
        };
        let facts: CertificateFacts<'_> = certificate.facts();
        assert_eq!((text(&error, row), text(&code, row)), (None, None));
        assert_eq!(
            not_before.value(row),
            certificate.not_before().as_unix_seconds()
        );
        assert_eq!(
            not_after.value(row),
            certificate.not_after().as_unix_seconds()
        );
        assert_eq!(
            lifetime.value(row),
            certificate.lifetime().as_secs().cast_signed()
        );
        assert_eq!(text(&subject, row), Some(certificate.subject().as_str()));
        assert_eq!(text(&issuer, row), Some(certificate.issuer().as_str()));
        assert_eq!(text(&serial, row), Some(certificate.serial_hex().as_str()));
        let expected = SpkiPin::from_certificate(&certificate).to_string();
        assert_eq!(text(&pin, row), Some(expected.as_str()));
        let expected = certificate.fingerprint().to_string();
        assert_eq!(text(&fingerprint, row), Some(expected.as_str()));
        assert_eq!(is_ca.value(row), certificate.is_ca());
        assert_eq!(self_issued.value(row), certificate.is_self_issued());
        assert_eq!(staple.value(row), facts.must_staple());
        let hex = |octets: Option<&[u8]>| octets.map(base16ct::lower::encode_string);
        assert_eq!(text(&key_id, row), hex(facts.subject_key_id()).as_deref());
        assert_eq!(
            text(&authority_key_id, row),
            hex(facts.authority_key_id()).as_deref()
        );
        let expected = certificate.subject_alt_names();
        let addresses = expected.ip.iter().map(ToString::to_string);
        let expected: Vec<_> = (expected.dns.iter().cloned())
            .chain(addresses)
            .chain(expected.uri.iter().chain(&expected.email).cloned())
            .collect();
        let listed = names.as_list::<i32>().value(row);
        let listed: Vec<_> = listed
            .as_string_view()
            .iter()
            .map(|name| name.unwrap().to_owned())
            .collect();
        assert_eq!(listed, expected);
        match certificate.details() {
            Ok(details) => {
                assert_eq!(
                    text(&key_type, row),
                    Some(details.key_type.to_string().as_str())
                );
                assert_eq!(bits.value(row), details.key_bits);
                assert_eq!(
                    text(&algorithm, row),
                    Some(details.signature_algorithm.as_str())
                );
                assert_eq!(text(&details_error, row), None);
                counts[1] += 1;
            }
            Err(refused) => {
                assert_eq!(
                    text(&details_error, row),
                    Some(refused.to_string().as_str())
                );
                assert_eq!(
                    (
                        text(&key_type, row),
                        bits.is_valid(row),
                        text(&algorithm, row)
                    ),
                    (None, false, None)
                );
                counts[2] += 1;
            }
        }
        let position = match certificate.is_ca() {
            true => Position::Anchor,
            false => Position::Leaf,
        };
        let expected = ThresholdPolicy::default().band(certificate.validity(), position, now);
        assert_eq!(band.as_string::<i32>().value(row), expected.as_str());
        assert_eq!(left.value(row), certificate.not_after().seconds_since(now));
    }
    let [bad, good, without_details] = counts;
    println!("{bad} bad rows, {good} certificates, {without_details} without details");
    assert!(bad > 500 && good > 1_000, "{counts:?}");
}

#[tokio::test]
async fn a_struct_of_facts_says_what_the_single_functions_say() {
    let Some(root) = corpora() else { return };
    let rows = every_row(&root);
    let facts = Fact::ALL.iter().filter(|fact| !fact.needs_details());
    let calls: Vec<_> = facts
        .clone()
        .map(|fact| format!("{}(der)", fact.function()))
        .collect();
    let single = answered(
        &rows,
        &format!("SELECT {} FROM certs ORDER BY n", calls.join(", ")),
    )
    .await;
    let structs = answered(&rows, "SELECT cert_facts(der) FROM certs ORDER BY n").await;
    let structs: &StructArray = structs.column(0).as_struct();
    assert_eq!(structs.null_count(), 0);
    for (fact, column) in facts.zip(single.columns()) {
        assert_eq!(
            structs.column_by_name(fact.field()).unwrap(),
            column,
            "{fact:?}"
        );
    }
}

/// What another reader says, where it reads the bytes at all.
#[tokio::test]
async fn x509_parser_reads_the_same_dates_serials_keys_and_kinds() {
    let Some(root) = corpora() else { return };
    let rows = every_row(&root);
    let sql = "SELECT cert_not_before(der), cert_not_after(der), cert_serial(der), cert_spki_sha256(der), cert_is_ca(der) \
        FROM certs ORDER BY n";
    let batch = answered(&rows, sql).await;
    let instant = |column: usize| batch.column(column).as_primitive::<TimestampSecondType>();
    let mut compared = 0;
    for (row, der) in rows.iter().enumerate() {
        let (Ok((rest, parsed)), true) = (X509Certificate::from_der(der), instant(0).is_valid(row))
        else {
            continue;
        };
        assert!(rest.is_empty());
        assert_eq!(
            instant(0).value(row),
            parsed.validity().not_before.timestamp()
        );
        assert_eq!(
            instant(1).value(row),
            parsed.validity().not_after.timestamp()
        );
        let serial = base16ct::lower::encode_string(parsed.raw_serial());
        assert_eq!(batch.column(2).as_string_view().value(row), serial);
        let pin = SpkiPin::from_spki_der(parsed.public_key().raw).to_string();
        assert_eq!(batch.column(3).as_string_view().value(row), pin);
        // x509-parser gives none where an extension stands twice.
        if let Ok(Some(constraints)) = parsed.basic_constraints() {
            assert_eq!(
                batch.column(4).as_boolean().value(row),
                constraints.value.ca
            );
        }
        compared += 1;
    }
    println!("{compared} certificates");
    assert!(compared > 1_000, "{compared}");
}
