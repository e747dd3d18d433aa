//! Real servers of others, ended with the test.

use std::io::{BufRead as _, BufReader};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

/// How long anything may take.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// Where a program is: on the path, where `.ci/setup` puts it, or where Debian hides PostgreSQL's. Where
/// everything must run, it must be there.
pub fn tool(program: &str) -> Option<PathBuf> {
    let own = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/tools/bin");
    let path = std::env::var_os("PATH").unwrap_or_default();
    let postgresql = std::fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten();
    let postgresql = postgresql
        .flatten()
        .map(|version| version.path().join("bin"));
    let mut folders = std::env::split_paths(&path).chain([own]).chain(postgresql);
    let found = folders.find_map(|folder| Some(folder.join(program)).filter(|file| file.is_file()));
    if found.is_none() {
        let must_run = std::env::var_os("CI").is_some();
        assert!(!must_run, "{program} is missing: run .ci/setup");
        println!("skipped: {program} is not installed");
    }
    found
}

/// Whether this process may do everything, which some servers refuse to run with.
pub fn is_root() -> bool {
    std::fs::metadata("/proc/self").unwrap().uid() == 0
}

/// A command that is over after five minutes, whatever becomes of the test.
pub fn bounded(program: &Path) -> Command {
    let mut command = Command::new("timeout");
    command.args(["--signal=QUIT", "300"]).arg(program);
    command
}

/// A server that ends with the test.
pub struct Running(Child);

impl Running {
    /// Starts it, and waits until it says on its standard error that it is `ready`; the lines until then.
    /// `Err` with them where it ended before.
    pub fn start(command: &mut Command, ready: &str) -> Result<(Self, Vec<String>), Vec<String>> {
        let quiet = command.stdin(Stdio::null()).stdout(Stdio::null());
        let mut running = Self(quiet.stderr(Stdio::piped()).spawn().unwrap());
        let said = BufReader::new(running.0.stderr.take().unwrap());
        let (line, lines) = mpsc::channel();
        // To the end: a server whose pipe is full stands still.
        std::thread::spawn(move || {
            for said in said.lines().map_while(Result::ok) {
                let _ = line.send(said);
            }
        });
        let mut until_ready = Vec::new();
        let deadline = Instant::now() + PATIENCE;
        loop {
            match lines.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
                Ok(line) => until_ready.push(line),
                Err(mpsc::RecvTimeoutError::Disconnected) => return Err(until_ready),
                Err(mpsc::RecvTimeoutError::Timeout) => panic!("not ready: {until_ready:#?}"),
            }
            if until_ready.last().is_some_and(|line| line.contains(ready)) {
                return Ok((running, until_ready));
            }
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // `timeout` hands it on; killed, it could not.
        let pid = self.0.id().to_string();
        let _ = Command::new("kill").args(["-s", "INT", &pid]).status();
        let deadline = Instant::now() + Duration::from_secs(10);
        while matches!(self.0.try_wait(), Ok(None)) && Instant::now() < deadline {
            std::thread::sleep(Duration::from_millis(20));
        }
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
