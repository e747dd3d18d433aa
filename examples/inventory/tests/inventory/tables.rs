//! Files as tables: Parquet and CSV hold the same.

use std::sync::Arc;

use base64_simd::STANDARD;
use datafusion::arrow::array::{ArrayRef, BinaryArray, StringArray};
use datafusion::prelude::{CsvReadOptions, ParquetReadOptions};

use crate::support::{authority, key, leaf, rows, with_table};

/// What is answered is of the file: rows in the order of their hosts.
const SQL: &str = "SELECT host, cert_not_after(der), cert_names(der), cert_spki_sha256(der), cert_error(der) FROM certs \
    ORDER BY host";

#[tokio::test]
async fn parquet_and_csv_answer_what_memory_answers() {
    let key = key();
    let ca = authority("A CA", "2035-01-01", &key, None);
    let a = leaf("a.example.org", "2026-06-11", &key, &ca);
    let b = leaf("b.example.org", "2026-06-12", &key, &ca);
    let hosts = ["a", "b", "c", "d"];
    let certificates = [Some(a.as_slice()), Some(&b), Some(&b[1..]), None];
    let columns: Vec<(&str, ArrayRef)> = vec![
        ("host", Arc::new(StringArray::from_iter_values(hosts))),
        (
            "der",
            Arc::new(certificates.into_iter().collect::<BinaryArray>()),
        ),
    ];
    let context = with_table("certs", columns);
    let expected = rows(&context, SQL).await;
    assert_eq!(expected[0][1], "2026-06-11T00:00:00Z");

    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let copy = format!(
        "COPY certs TO '{}' STORED AS PARQUET",
        path("certs.parquet")
    );
    context.sql(&copy).await.unwrap().collect().await.unwrap();
    let parquet = crate::support::context();
    let options = ParquetReadOptions::default();
    parquet
        .register_parquet("certs", path("certs.parquet"), options)
        .await
        .unwrap();
    assert_eq!(rows(&parquet, SQL).await, expected);

    // Base64 in one row, PEM over several lines in the other; a line with one field.
    let base64 = |der: &[u8]| STANDARD.encode_to_string(der);
    let csv = format!(
        "host,der\na,{}\nb,\"-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----\n\"\nc,{}\nd\n",
        base64(&a),
        base64(&b),
        base64(&b[1..])
    );
    std::fs::write(path("certs.csv"), csv).unwrap();
    let as_csv = crate::support::context();
    let options = CsvReadOptions::new()
        .newlines_in_values(true)
        .truncated_rows(true);
    as_csv
        .register_csv("certs", path("certs.csv"), options)
        .await
        .unwrap();
    assert_eq!(rows(&as_csv, SQL).await, expected);
}
