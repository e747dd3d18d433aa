//! The same answers from a cluster: in this process, and as three processes over loopback.

use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use datafusion::prelude::ParquetReadOptions;
use notafter_inventory::cluster;
use notafter_inventory::functions::fix_instant;
use notafter_inventory::generate::{Generation, generate};
use notafter_inventory::shell::{Columns, Question};

use crate::support::{NOW, context, corpora, rows};

fn generated(folder: &Path) -> Option<String> {
    let mut wanted = Generation::default();
    wanted.corpora = corpora()?;
    wanted.file = folder.join("certs.parquet");
    wanted.rows = 5_000;
    generate(&wanted).unwrap();
    Some(wanted.file.to_str().unwrap().to_owned())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_scheduler_and_an_executor_answer_what_one_process_answers() {
    let folder = tempfile::tempdir().unwrap();
    let Some(file) = generated(folder.path()) else {
        return;
    };
    let here = context();
    let there = cluster::standalone().await.unwrap();
    fix_instant(&there, NOW.parse().unwrap());
    for context in [&here, &there] {
        context
            .register_parquet("certs", &file, ParquetReadOptions::default())
            .await
            .unwrap();
    }
    let every = "SELECT host, cert_facts(der), cert_band(der, now()), cert_left_seconds(der, now()), cert_key_type(der) \
        FROM certs ORDER BY host, cert_fingerprint(der), cert_error(der)";
    let asked = Question::ALL.map(|question| question.sql("certs", &Columns::default()));
    for sql in asked.iter().map(String::as_str).chain([every]) {
        let expected = rows(&here, sql).await;
        assert!(!expected.is_empty(), "{sql}");
        assert_eq!(rows(&there, sql).await, expected, "{sql}");
    }
}

/// A part of the cluster, ended with the test.
struct Part(Child);

impl Part {
    fn start(args: &[&str]) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_inventory"));
        Self(
            command
                .args(args)
                .stdin(Stdio::null())
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                .spawn()
                .unwrap(),
        )
    }
}

impl Drop for Part {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn free_address() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
}

fn wait_for(address: SocketAddr) {
    let since = Instant::now();
    while TcpStream::connect(address).is_err() {
        assert!(
            since.elapsed() < Duration::from_secs(60),
            "nobody listens at {address}"
        );
        std::thread::sleep(Duration::from_millis(50));
    }
}

#[test]
fn processes_over_loopback_answer_the_shell() {
    let folder = tempfile::tempdir().unwrap();
    let Some(file) = generated(folder.path()) else {
        return;
    };
    let scheduler = free_address();
    let [first, second] = [free_address(), free_address()];
    let _scheduler = Part::start(&["scheduler", "--bind", &scheduler.to_string()]);
    wait_for(scheduler);
    let executors = [first, second].map(|bind| {
        let (scheduler, bind) = (scheduler.to_string(), bind.to_string());
        Part::start(&[
            "executor",
            "--scheduler",
            &scheduler,
            "--bind",
            &bind,
            "--threads",
            "1",
        ])
    });
    [first, second].into_iter().for_each(wait_for);
    let table = format!("certs={file}");
    let ask = |cluster: &[&str]| {
        let asked = [
            "-t", &table, "--at", NOW, "-f", "csv", "--ask", "expiring", "--ask", "bad-rows",
        ];
        let output = Command::new(env!("CARGO_BIN_EXE_inventory"))
            .args(cluster)
            .args(asked)
            .output()
            .unwrap();
        assert_eq!(
            output.status.code(),
            Some(0),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
        String::from_utf8(output.stdout).unwrap()
    };
    let url = format!("df://{scheduler}");
    let expected = ask(&[]);
    assert!(expected.lines().count() > 10);
    assert_eq!(ask(&["--cluster", &url]), expected);
    drop(executors);
}
