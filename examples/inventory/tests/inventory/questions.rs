//! The questions that have names, about a table of which every row is known.

use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, BinaryArray, StringArray};
use datafusion::prelude::SessionContext;
use notafter::{Certificate, SpkiPin};
use notafter_inventory::shell::{Columns, Question};

use crate::support::{authority, key, leaf, rows, with_table};

fn table(certificates: &[(&str, Option<Vec<u8>>)]) -> SessionContext {
    let hosts = StringArray::from_iter_values(certificates.iter().map(|(host, _)| *host));
    let column: BinaryArray = certificates.iter().map(|(_, der)| der.as_deref()).collect();
    with_table(
        "certs",
        vec![
            ("host", Arc::new(hosts) as ArrayRef),
            ("der", Arc::new(column)),
        ],
    )
}

async fn ask(question: Question, context: &SessionContext) -> Vec<Vec<String>> {
    rows(context, &question.sql("certs", &Columns::default())).await
}

#[tokio::test]
async fn what_expires_is_counted_by_week_and_issuer() {
    let key = key();
    let [one, two] = ["One", "Two"].map(|name| authority(name, "2035-01-01", &key, None));
    let context = table(&[
        // Monday, 2026-06-01, is now.
        ("over", Some(leaf("over", "2026-05-31", &key, &one))),
        ("now", Some(leaf("now", "2026-06-01", &key, &one))),
        ("sunday", Some(leaf("sunday", "2026-06-07", &key, &one))),
        ("other", Some(leaf("other", "2026-06-03", &key, &two))),
        ("monday", Some(leaf("monday", "2026-06-08", &key, &one))),
        ("last", Some(leaf("last", "2026-08-30", &key, &one))),
        ("later", Some(leaf("later", "2026-08-31", &key, &one))),
        ("ca", Some(one.der.clone())),
        ("bad", Some(vec![0x30, 0x00])),
        ("none", None),
    ]);
    let expected = [
        [
            "2026-06-01T00:00:00Z",
            "CN=One",
            "2",
            "2026-06-01T00:00:00Z",
            "now",
        ],
        [
            "2026-06-01T00:00:00Z",
            "CN=Two",
            "1",
            "2026-06-03T00:00:00Z",
            "other",
        ],
        [
            "2026-06-08T00:00:00Z",
            "CN=One",
            "1",
            "2026-06-08T00:00:00Z",
            "monday",
        ],
        [
            "2026-08-24T00:00:00Z",
            "CN=One",
            "1",
            "2026-08-30T00:00:00Z",
            "last",
        ],
    ];
    assert_eq!(ask(Question::Expiring, &context).await, expected);
}

#[tokio::test]
async fn a_key_is_shared_where_two_hosts_have_it() {
    let (shared, own, twice) = (key(), key(), key());
    let ca = authority("A CA", "2035-01-01", &own, None);
    let first = leaf("a", "2026-08-01", &shared, &ca);
    let context = table(&[
        ("c", Some(leaf("c", "2026-09-01", &shared, &ca))),
        ("a", Some(first.clone())),
        ("b", Some(leaf("b", "2026-08-01", &shared, &ca))),
        // The same host with two certificates of one key shares it with nobody.
        ("d", Some(leaf("d", "2026-08-01", &twice, &ca))),
        ("d", Some(leaf("d", "2026-09-01", &twice, &ca))),
        ("e", Some(leaf("e", "2026-08-01", &key(), &ca))),
        ("f", Some(vec![0])),
        ("g", Some(vec![0])),
        ("h", None),
        ("i", None),
    ]);
    let pin = SpkiPin::from_certificate(&Certificate::from_der(first).unwrap()).to_string();
    assert_eq!(
        ask(Question::SharedKeys, &context).await,
        [[pin.as_str(), "3", "a", "c"]]
    );
}

#[tokio::test]
async fn a_certificate_outlives_the_last_certificate_of_its_issuers_key() {
    let (root_key, old_key, new_key, leaf_key) = (key(), key(), key(), key());
    let root = authority("Root", "2030-01-01", &root_key, None);
    // One name, two keys: what one key issued does not live by the other.
    let old = authority("Issuing", "2026-07-01", &old_key, Some(&root));
    let new = authority("Issuing", "2027-07-01", &new_key, Some(&root));
    // The old key again, for a little longer.
    let renewed = authority("Issuing", "2026-08-01", &old_key, Some(&root));
    let longer = authority("Longer", "2031-01-01", &key(), Some(&root));
    let missing = authority("Missing", "2026-01-01", &key(), None);
    let context = table(&[
        ("root", Some(root.der.clone())),
        ("old", Some(old.der.clone())),
        ("new", Some(new.der.clone())),
        ("renewed", Some(renewed.der)),
        ("longer", Some(longer.der)),
        ("a", Some(leaf("a", "2026-08-01", &leaf_key, &old))),
        ("b", Some(leaf("b", "2026-08-02", &leaf_key, &old))),
        ("c", Some(leaf("c", "2027-07-01", &leaf_key, &new))),
        ("d", Some(leaf("d", "2027-07-02", &leaf_key, &new))),
        (
            "unknown",
            Some(leaf("e", "2030-01-01", &leaf_key, &missing)),
        ),
        ("bad", Some(vec![0x30])),
        ("none", None),
    ]);
    let serial_of_longer = rows(
        &context,
        "SELECT cert_serial(der) FROM certs WHERE host = 'longer'",
    )
    .await;
    let serial_of_longer = serial_of_longer[0][0].as_str();
    let expected = [
        [
            "b",
            "CN=b",
            "07",
            "2026-08-02T00:00:00Z",
            "CN=Issuing",
            "2026-08-01T00:00:00Z",
        ],
        [
            "d",
            "CN=d",
            "07",
            "2027-07-02T00:00:00Z",
            "CN=Issuing",
            "2027-07-01T00:00:00Z",
        ],
        [
            "longer",
            "CN=Longer",
            serial_of_longer,
            "2031-01-01T00:00:00Z",
            "CN=Root",
            "2030-01-01T00:00:00Z",
        ],
    ];
    assert_eq!(ask(Question::Outlives, &context).await, expected);
}

#[tokio::test]
async fn bad_rows_are_counted_by_reason() {
    let key = key();
    let ca = authority("A CA", "2035-01-01", &key, None);
    let good = leaf("good", "2026-08-01", &key, &ca);
    let mut trailing = good.clone();
    trailing.extend([0, 0]);
    let context = table(&[
        ("good", Some(good.clone())),
        ("c", Some(good[..300].to_vec())),
        ("b", Some(good[..200].to_vec())),
        ("long", Some(trailing)),
        ("none", None),
        ("empty", Some(Vec::new())),
    ]);
    let answered = ask(Question::BadRows, &context).await;
    let short: Vec<_> = answered
        .iter()
        .map(|row| [&row[0], &row[1], &row[3]])
        .collect();
    let expected = [
        ["truncated", "2", "b"],
        ["empty", "1", "empty"],
        ["null", "1", "none"],
        ["trailing_bytes", "1", "long"],
    ];
    assert_eq!(short, expected);
    assert_eq!(answered[2][2], "NULL");
    assert!(answered[0][2].starts_with("not a DER certificate: the bytes end too early at byte "));
}

#[tokio::test]
async fn a_question_asks_of_the_columns_that_it_is_told() {
    let hosts = StringArray::from_iter_values(["a"]);
    let column: BinaryArray = [Some([0x30_u8].as_slice())].into_iter().collect();
    let context = with_table(
        "my \"certs\"",
        vec![
            ("The Host", Arc::new(hosts) as ArrayRef),
            ("certificate", Arc::new(column)),
        ],
    );
    let mut columns = Columns::default();
    columns.host = "The Host".to_owned();
    columns.der = "certificate".to_owned();
    let answered = rows(&context, &Question::BadRows.sql("my \"certs\"", &columns)).await;
    assert_eq!(answered[0][3], "a");
}
