//! Files as tables: Parquet and CSV hold the same, and a small memory changes no answer.

use std::sync::Arc;

use base64_simd::STANDARD;
use datafusion::arrow::array::{ArrayRef, BinaryArray, StringArray};
use datafusion::prelude::{CsvReadOptions, ParquetReadOptions, SessionContext};
use notafter_inventory::generate::{Generation, generate};
use notafter_inventory::shell::{Columns, Question, Settings, session};

use crate::support::{NOW, authority, corpora, key, leaf, rows, with_table};

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

#[tokio::test]
async fn a_small_memory_changes_no_answer() {
    let Some(corpora) = corpora() else { return };
    let folder = tempfile::tempdir().unwrap();
    let mut wanted = Generation::default();
    wanted.corpora = corpora;
    wanted.file = folder.path().join("certs.parquet");
    wanted.rows = 40_000;
    generate(&wanted).unwrap();
    let with_memory = async |memory: usize| -> SessionContext {
        let mut settings = Settings::default();
        settings.memory = memory;
        settings.threads = Some(2);
        let context = session(&settings, NOW.parse().unwrap()).unwrap();
        let file = wanted.file.to_str().unwrap();
        context
            .register_parquet("certs", file, ParquetReadOptions::default())
            .await
            .unwrap();
        context
    };
    let (large, small) = (with_memory(1 << 30).await, with_memory(20 << 20).await);
    for question in Question::ALL {
        let sql = question.sql("certs", &Columns::default());
        let expected = rows(&large, &sql).await;
        assert!(!expected.is_empty(), "{question:?}");
        assert_eq!(rows(&small, &sql).await, expected, "{question:?}");
    }
    let sql = Question::SharedKeys.sql("certs", &Columns::default());
    let explained = format!("EXPLAIN ANALYZE {sql}");
    let spills = async |context| {
        let explained = &rows(context, &explained).await[0][1];
        let counts = explained.split("spill_count=").skip(1);
        counts.filter(|count| !count.starts_with('0')).count()
    };
    assert_eq!(spills(&large).await, 0);
    assert!(spills(&small).await > 0);
}
