//! The command line as scripts use it: what is printed, and the exit code.

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use base64_simd::STANDARD;
use tempfile::TempDir;

use crate::support::{NOW, authority, corpora, data, key, leaf};

struct Said {
    code: i32,
    out: String,
    err: String,
}

fn inventory(folder: &Path, args: &[&str], input: &str) -> Said {
    let mut child = Command::new(env!("CARGO_BIN_EXE_inventory"))
        .args(args)
        .current_dir(folder)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    // Who fails before it reads closes the pipe.
    let _ = stdin.write_all(input.as_bytes());
    drop(stdin);
    let output = child.wait_with_output().unwrap();
    Said {
        code: output.status.code().unwrap(),
        out: String::from_utf8(output.stdout).unwrap(),
        err: String::from_utf8(output.stderr).unwrap(),
    }
}

/// Two leaves and a bad row, as CSV.
fn table() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let key = key();
    let ca = authority("A CA", "2035-01-01", &key, None);
    let mut csv = "host,der\n".to_owned();
    for (host, until) in [
        ("a.example.org", "2026-06-11"),
        ("b.example.org", "2026-12-01"),
    ] {
        csv += &format!(
            "{host},{}\n",
            STANDARD.encode_to_string(leaf(host, until, &key, &ca))
        );
    }
    csv += "c.example.org,MAA=\n";
    std::fs::write(folder.path().join("certs.csv"), csv).unwrap();
    folder
}

#[test]
fn answers_and_exit_codes_are_what_scripts_rely_on() {
    let folder = table();
    let certs = ["--table", "certs=certs.csv", "--at", NOW];
    let bands = "SELECT host, cert_band(der, now()) AS band, cert_names(der) AS names FROM certs ORDER BY host";
    let none = "SELECT host FROM certs WHERE cert_band(der, now()) = 'expired'";
    let cases: [(&[&str], &str, i32, &str); 13] = [
        (
            &["-f", "csv", "-c", bands],
            "",
            0,
            "host,band,names\na.example.org,critical,[a.example.org]\nb.example.org,ok,[b.example.org]\nc.example.org,,\n",
        ),
        (
            &["-f", "json", "-c", bands],
            "",
            0,
            "{\"host\":\"a.example.org\",\"band\":\"critical\",\"names\":[\"a.example.org\"]}\n\
             {\"host\":\"b.example.org\",\"band\":\"ok\",\"names\":[\"b.example.org\"]}\n\
             {\"host\":\"c.example.org\",\"band\":null,\"names\":null}\n",
        ),
        (
            &["-c", bands],
            "",
            0,
            "+---------------+----------+-----------------+\n\
             | host          | band     | names           |\n\
             +---------------+----------+-----------------+\n\
             | a.example.org | critical | [a.example.org] |\n\
             | b.example.org | ok       | [b.example.org] |\n\
             | c.example.org |          |                 |\n\
             +---------------+----------+-----------------+\n",
        ),
        (&["-f", "csv", "--expect-none", "-c", none], "", 0, "host\n"),
        (
            &[
                "-f",
                "csv",
                "--expect-none",
                "--at",
                "2026-06-12T00:00:00Z",
                "-c",
                none,
            ],
            "",
            1,
            "host\na.example.org\n",
        ),
        (
            &[
                "-f",
                "csv",
                "-c",
                "SELECT 1 AS a; SELECT 2 AS b",
                "-c",
                "SELECT 3 AS c",
            ],
            "",
            0,
            "a\n1\nb\n2\nc\n3\n",
        ),
        (
            &["-f", "csv"],
            "SELECT count(*) AS n FROM certs;\n-- the end\n",
            0,
            "n\n3\n",
        ),
        (&["-f", "csv"], "", 0, ""),
        (
            &[
                "-f",
                "csv",
                "-c",
                "CREATE VIEW v AS SELECT host FROM certs; SELECT count(*) AS n FROM v",
            ],
            "",
            0,
            "n\n3\n",
        ),
        (
            &[
                "-f", "csv", "--ask", "bad-rows", "--host", "host", "--der", "der", "--of", "certs",
            ],
            "",
            0,
            "reason,rows,for_example,a_host\ntruncated,1,not a DER certificate: the bytes end too early at byte 2; rustls refuses it too: get the certificate again from where it was issued,c.example.org\n",
        ),
        (
            &["-f", "csv", "--ask", "shared-keys", "-c", "SELECT 1 AS one"],
            "",
            0,
            "",
        ),
        (
            &[
                "-f",
                "csv",
                "--memory",
                "64M",
                "--threads",
                "1",
                "-c",
                "SELECT now() AS at",
            ],
            "",
            0,
            "at\n2026-06-01T00:00:00Z\n",
        ),
        (
            &[
                "-f",
                "csv",
                "-c",
                "SELECT cert_der(der) AS der FROM certs WHERE host = 'c.example.org'",
            ],
            "",
            0,
            "der\n3000\n",
        ),
    ];
    for (args, input, code, out) in cases {
        let said = inventory(folder.path(), &[&certs, args].concat(), input);
        assert_eq!((said.code, said.err.as_str()), (code, ""), "{args:?}");
        match args.contains(&"shared-keys") {
            false => assert_eq!(said.out, out, "{args:?}"),
            true => assert!(
                said.out
                    .ends_with(",2,a.example.org,b.example.org\none\n1\n"),
                "{}",
                said.out
            ),
        }
    }
}

#[test]
fn what_cannot_be_asked_is_said_with_what_to_write_instead() {
    let folder = table();
    std::fs::write(folder.path().join("broken.parquet"), "no Parquet").unwrap();
    std::fs::write(folder.path().join("notes.txt"), "no table").unwrap();
    let cases: [(&[&str], i32, &str); 17] = [
        (
            &["--tabel"],
            2,
            "inventory: invalid option '--tabel'\nTry: inventory --help\n",
        ),
        (
            &["SELECT 1"],
            2,
            "inventory: 'SELECT 1' is neither generate nor functions, and no flag: a query goes after -c\nTry",
        ),
        (
            &["-t", "certs.csv"],
            2,
            "inventory: 'certs.csv' is no table: write NAME=FILE, as in --table certs=certs.parquet\nTry",
        ),
        (
            &["--memory", "much"],
            2,
            "inventory: 'much' is no size: write a number of bytes, or one with K, M or G\nTry",
        ),
        (&["--memory", "0"], 2, "inventory: '0' is no size"),
        (
            &["--format", "xml"],
            2,
            "inventory: 'xml' is no format: write table, csv or json\nTry",
        ),
        (
            &["--ask", "why"],
            2,
            "inventory: 'why' is no question: write one of expiring, shared-keys, outlives, bad-rows\nTry",
        ),
        (
            &["--at", "soon"],
            2,
            "inventory: cannot parse argument \"soon\": 'soon' is not an instant",
        ),
        (
            &["generate", "x.parquet"],
            2,
            "inventory: --corpora DIR is missing\nTry",
        ),
        (
            &["generate", "--corpora", "."],
            2,
            "inventory: FILE is missing\nTry",
        ),
        (
            &["generate", "--corpora", ".", "x.parquet"],
            3,
            "inventory: no leaf and no CA certificate can be read below .: give a folder",
        ),
        (
            &["-t", "certs=missing.csv", "-c", "SELECT 1"],
            3,
            "inventory: the table 'certs' cannot be read from missing.csv: No such file or directory",
        ),
        (
            &["-t", "certs=broken.parquet", "-c", "SELECT 1"],
            3,
            "inventory: the table 'certs' cannot be read from broken.parquet: ",
        ),
        (
            &["-t", "certs=notes.txt"],
            3,
            "inventory: the table 'certs' cannot be read from notes.txt: its name must end with .parquet or .csv\n",
        ),
        (&["-c", "SELECT"], 3, "inventory: the query failed: "),
        (
            &["-c", "SELECT * FROM missing"],
            3,
            "inventory: the query failed: ",
        ),
        (
            &["--ask", "expiring"],
            3,
            "inventory: '--ask' is asked of one table, and there are 0: say which with '--of NAME'\n",
        ),
    ];
    for (args, code, err) in cases {
        let said = inventory(folder.path(), args, "");
        assert_eq!(
            (said.code, said.out.as_str()),
            (code, ""),
            "{args:?}: {}",
            said.err
        );
        assert!(said.err.starts_with(err), "{args:?}: {}", said.err);
    }
    let said = inventory(
        folder.path(),
        &["-c", "SELECT 1 AS a; SELECT a FROM missing", "-f", "csv"],
        "",
    );
    assert_eq!((said.code, said.out.as_str()), (3, "a\n1\n"));
}

#[test]
fn names_that_move_the_cursor_are_escaped_at_the_terminal() {
    let folder = table();
    let said = inventory(
        folder.path(),
        &["-c", "SELECT concat('a', chr(27), '[2J') AS name"],
        "",
    );
    assert!(said.out.contains("| a\\u{1b}[2J"), "{}", said.out);
}

#[test]
fn a_cell_for_people_has_the_first_80_characters_and_other_forms_have_all() {
    let folder = table();
    let sql = "SELECT repeat('\u{e9}', 80) AS a, repeat('\u{e9}', 81) AS b, NULL AS c";
    let (whole, cut) = (
        "\u{e9}".repeat(80),
        format!("{}\u{2026}", "\u{e9}".repeat(80)),
    );
    let said = inventory(folder.path(), &["-c", sql], "");
    let row = said.out.lines().nth(3).unwrap();
    let cells: Vec<_> = row.trim_matches('|').split('|').map(str::trim).collect();
    assert_eq!(cells, [whole.as_str(), cut.as_str(), ""], "{}", said.out);
    let said = inventory(folder.path(), &["-f", "csv", "-c", sql], "");
    let expected = format!("a,b,c\n{whole},{whole}\u{e9},\n");
    assert_eq!(said.out, expected);
}

#[test]
fn a_table_for_people_ends_after_a_thousand_rows_and_says_so() {
    let folder = table();
    let said = inventory(
        folder.path(),
        &["-c", "SELECT value FROM generate_series(1, 2500)"],
        "",
    );
    assert_eq!(said.code, 0);
    assert!(
        said.out.contains("| 1000  |") && !said.out.contains("1001"),
        "{}",
        said.out
    );
    assert!(
        said.out
            .ends_with("and 1500 rows more: --format csv and json print them all\n")
    );
}

#[test]
fn help_and_functions_name_everything() {
    let folder = tempfile::tempdir().unwrap();
    let said = inventory(folder.path(), &["--help"], "");
    assert_eq!((said.code, said.err.as_str()), (0, ""));
    assert!(
        said.out
            .starts_with("The certificates of a whole organisation, asked in SQL.\n")
    );
    let said = inventory(folder.path(), &["functions"], "");
    for function in notafter_inventory::functions::all() {
        assert!(
            said.out.contains(&format!("{}(", function.name())),
            "{}",
            function.name()
        );
    }
    let lines = said.out.lines().count();
    assert_eq!(lines, notafter_inventory::functions::all().len());
}

/// A real certificate out of the repository, through PEM in a CSV field.
#[test]
fn a_pem_file_is_a_field_of_csv() {
    let folder = tempfile::tempdir().unwrap();
    let pem = data("incidents/dst-root-x3-2021/certs/isrg-x1-root.pem");
    let csv = format!("pem\n\"{}\"\n", String::from_utf8(pem).unwrap());
    std::fs::write(folder.path().join("roots.csv"), csv).unwrap();
    let sql = "SELECT cert_not_after(pem) AS not_after, cert_spki_sha256(pem) AS pin FROM roots";
    let said = inventory(
        folder.path(),
        &["-t", "roots=roots.csv", "-f", "csv", "-c", sql],
        "",
    );
    let expected =
        "not_after,pin\n2035-06-04T11:04:38Z,sha256/C5+lpZ7tcVwmwQIMcRtPbsQtWLABXhQzejna0wHFr8M=\n";
    assert_eq!(
        (said.code, said.out.as_str()),
        (0, expected),
        "{}",
        said.err
    );
}

#[test]
fn a_folder_is_a_table_and_what_needs_more_memory_than_it_may_have_says_so() {
    let Some(corpora) = corpora() else { return };
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("certs")).unwrap();
    for (seed, file) in [("1", "certs/1.parquet"), ("2", "certs/2.parquet")] {
        let args = [
            "generate",
            "--corpora",
            corpora.to_str().unwrap(),
            "--rows",
            "500",
            "--seed",
            seed,
            "--bad",
            "0",
            file,
        ];
        let said = inventory(folder.path(), &args, "");
        assert_eq!(
            (said.code, said.out.as_str(), said.err.as_str()),
            (0, "", "")
        );
    }
    let small = [
        "-t",
        "certs=certs",
        "--memory",
        "64K",
        "--ask",
        "shared-keys",
    ];
    let said = inventory(folder.path(), &small, "");
    assert_eq!((said.code, said.out.as_str()), (3, ""));
    assert!(
        said.err.ends_with("\nGive it more with '--memory SIZE'.\n"),
        "{}",
        said.err
    );
    let sql = "SELECT count(*) AS n, count(cert_error(der)) AS bad FROM certs";
    let said = inventory(
        folder.path(),
        &["-t", "certs=certs", "-f", "csv", "-c", sql],
        "",
    );
    assert_eq!(
        (said.code, said.out.as_str()),
        (0, "n,bad\n1000,0\n"),
        "{}",
        said.err
    );
}
