//! What several tests need: certificates, tables in memory, and answers as texts.

use std::path::{Path, PathBuf};

use datafusion::arrow::array::{ArrayRef, RecordBatch};
use datafusion::arrow::util::display::{ArrayFormatter, FormatOptions};
use datafusion::prelude::SessionContext;
use notafter::time::Timestamp;
use notafter_inventory::shell::{Settings, session};
use rcgen::{
    BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, SerialNumber, date_time_ymd,
};

/// 2026-06-01T00:00:00Z: what `now()` is in these tests.
pub const NOW: &str = "2026-06-01T00:00:00Z";

/// A session that knows nothing but the functions.
pub fn context() -> SessionContext {
    let at: Timestamp = NOW.parse().unwrap();
    session(&Settings::default(), at).unwrap()
}

/// A session with a table in memory.
pub fn with_table(name: &str, columns: Vec<(&str, ArrayRef)>) -> SessionContext {
    let context = context();
    let batch = RecordBatch::try_from_iter_with_nullable(
        columns
            .into_iter()
            .map(|(name, column)| (name, column, true)),
    );
    context.register_batch(name, batch.unwrap()).unwrap();
    context
}

/// The answer, each cell as a text, null as `NULL`.
pub async fn rows(context: &SessionContext, sql: &str) -> Vec<Vec<String>> {
    let frame = context
        .sql(sql)
        .await
        .unwrap_or_else(|error| panic!("{sql}: {error}"));
    let batches = frame
        .collect()
        .await
        .unwrap_or_else(|error| panic!("{sql}: {error}"));
    batches.iter().flat_map(cells).collect()
}

/// The only cell of an answer.
pub async fn cell(context: &SessionContext, sql: &str) -> String {
    let rows = rows(context, sql).await;
    match rows.as_slice() {
        [row] if row.len() == 1 => row[0].clone(),
        other => panic!("{sql}: {other:?}"),
    }
}

fn cells(batch: &RecordBatch) -> Vec<Vec<String>> {
    let options = FormatOptions::default().with_null("NULL");
    let columns: Vec<_> = batch
        .columns()
        .iter()
        .map(|column| ArrayFormatter::try_new(column.as_ref(), &options).unwrap())
        .collect();
    (0..batch.num_rows())
        .map(|row| {
            columns
                .iter()
                .map(|column| column.value(row).to_string())
                .collect()
        })
        .collect()
}

/// A day as `YYYY-MM-DD`.
pub type Day<'a> = &'a str;

/// A certificate that is minted, and who may issue others.
pub struct Minted {
    pub der: Vec<u8>,
    issuer: Issuer<'static, KeyPair>,
}

/// A key of its own.
pub fn key() -> KeyPair {
    KeyPair::generate().unwrap()
}

/// A CA certificate of this name, self-signed or issued.
pub fn authority(name: &str, until: Day<'_>, key: &KeyPair, by: Option<&Minted>) -> Minted {
    let mut params = params(name, until);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    mint(params, key, by)
}

/// A leaf for this host.
pub fn leaf(host: &str, until: Day<'_>, key: &KeyPair, by: &Minted) -> Vec<u8> {
    let mut params = params(host, until);
    params.subject_alt_names = CertificateParams::new([host.to_owned()])
        .unwrap()
        .subject_alt_names;
    params.serial_number = Some(SerialNumber::from(vec![7]));
    params.use_authority_key_identifier_extension = true;
    mint(params, key, Some(by)).der
}

fn params(name: &str, until: Day<'_>) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name = rcgen::DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, name);
    params.not_before = date_time_ymd(2025, 1, 1);
    let mut parts = until.split('-').map(|part| part.parse::<i32>().unwrap());
    let [year, month, day] = [(); 3].map(|()| parts.next().unwrap());
    params.not_after = date_time_ymd(year, month.try_into().unwrap(), day.try_into().unwrap());
    params
}

fn mint(params: CertificateParams, key: &KeyPair, by: Option<&Minted>) -> Minted {
    let certificate = match by {
        Some(by) => params.signed_by(key, &by.issuer),
        None => params.self_signed(key),
    };
    Minted {
        der: certificate.unwrap().der().to_vec(),
        issuer: Issuer::new(params, KeyPair::try_from(key.serialize_der()).unwrap()),
    }
}

/// The shared test material. In CI it must be there; elsewhere its tests skip with a line.
pub fn corpora() -> Option<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/corpora");
    if root.is_dir() {
        return Some(root);
    }
    assert!(std::env::var_os("CI").is_none(), "the corpora are missing");
    println!("skipped: no corpora beside this checkout");
    None
}

/// A file in the repository's own test material.
pub fn data(name: &str) -> Vec<u8> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../tests/data")
        .join(name);
    std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}
