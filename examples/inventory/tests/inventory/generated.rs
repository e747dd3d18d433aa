//! What is generated is the same for the same seed, and reads as what it claims to be.

use std::path::Path;

use notafter_inventory::generate::{GenerateError, Generation, generate};

use crate::support::{cell, context, corpora, rows};

fn wanted(corpora: &Path, file: &Path) -> Generation {
    let mut wanted = Generation::default();
    wanted.corpora = corpora.to_owned();
    wanted.file = file.to_owned();
    wanted.rows = 20_000;
    wanted
}

#[tokio::test]
async fn rows_differ_and_parse_and_come_again_with_their_seed() {
    let Some(corpora) = corpora() else { return };
    let folder = tempfile::tempdir().unwrap();
    let [one, again, other, csv] = ["one.parquet", "again.parquet", "other.parquet", "one.csv"]
        .map(|name| folder.path().join(name));
    for file in [&one, &again, &csv] {
        generate(&wanted(&corpora, file)).unwrap();
    }
    let mut another = wanted(&corpora, &other);
    another.seed = 2;
    generate(&another).unwrap();
    let bytes = |path: &Path| std::fs::read(path).unwrap();
    assert!(bytes(&one) == bytes(&again));
    assert!(bytes(&one) != bytes(&other));

    let context = context();
    let file = one.to_str().unwrap();
    context
        .register_parquet("certs", file, Default::default())
        .await
        .unwrap();
    let mut options = datafusion::prelude::CsvReadOptions::new();
    options.newlines_in_values = true;
    context
        .register_csv("texts", csv.to_str().unwrap(), options)
        .await
        .unwrap();

    assert_eq!(cell(&context, "SELECT count(*) FROM certs").await, "20000");
    // Every certificate is another one, and x509-parser reads them all.
    let good = "SELECT count(*) - count(DISTINCT cert_fingerprint(der)), count(cert_details_error(der)), \
        count(*) FILTER (WHERE cert_is_ca(der)) BETWEEN 300 AND 500 FROM certs WHERE cert_not_after(der) IS NOT NULL";
    assert_eq!(rows(&context, good).await, [["0", "0", "true"]]);
    // One in a hundred is bad, of each kind.
    let bad: i64 = cell(
        &context,
        "SELECT count(*) FROM certs WHERE cert_not_after(der) IS NULL",
    )
    .await
    .parse()
    .unwrap();
    assert!((140..260).contains(&bad), "{bad}");
    let kinds = "SELECT count(DISTINCT coalesce(cert_error_code(der), 'null')) >= 5 FROM certs WHERE cert_not_after(der) IS NULL";
    assert_eq!(cell(&context, kinds).await, "true");
    // CSV has no empty bytes, only nulls; all else is the same.
    let sql = |table: &str| {
        format!(
            "SELECT count(*), count(cert_subject(der)), min(cert_not_after(der)), max(cert_not_after(der)), \
             count(DISTINCT cert_spki_sha256(der)), min(cert_fingerprint(der)), max(cert_fingerprint(der)) FROM {table}"
        )
    };
    assert_eq!(
        rows(&context, &sql("certs")).await,
        rows(&context, &sql("texts")).await
    );
}

#[test]
fn what_cannot_be_generated_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("certs.parquet");
    let nothing = generate(&wanted(folder.path(), &file));
    assert!(
        matches!(nothing, Err(GenerateError::NoCertificates { .. })),
        "{nothing:?}"
    );
    let missing = generate(&wanted(&folder.path().join("missing"), &file));
    assert!(
        matches!(missing, Err(GenerateError::File { .. })),
        "{missing:?}"
    );
    let Some(corpora) = corpora() else { return };
    let format = generate(&wanted(&corpora, &folder.path().join("certs.txt")));
    assert!(
        matches!(format, Err(GenerateError::Format { .. })),
        "{format:?}"
    );
}
