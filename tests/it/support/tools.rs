//! Programs of others that tests run: found, or skipped where not everything must run; servers on
//! ports of their own, ended with the test.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

/// How long anything may take.
pub const PATIENCE: Duration = Duration::from_secs(60);

pub fn wait_until(what: &str, mut condition: impl FnMut() -> bool) {
    let start = Instant::now();
    while !condition() {
        assert!(start.elapsed() < PATIENCE, "waited in vain until {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// Where a program is: on the path, or where `.ci/setup` puts it. Where everything must run, it
/// must be there.
pub fn tool(program: &str) -> Option<PathBuf> {
    let own = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/tools/bin");
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut folders = std::env::split_paths(&path).chain([own]);
    let found = folders.find_map(|folder| Some(folder.join(program)).filter(|file| file.is_file()));
    if found.is_none() {
        assert!(
            std::env::var_os("CI").is_none(),
            "{program} is missing: run .ci/setup"
        );
        println!("skipped: {program} is not installed");
    }
    found
}

/// Whether a command that reads this ended well, and what it said.
pub fn run_with(command: &mut Command, input: &str) -> (bool, String) {
    let piped = command.stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = piped.stderr(Stdio::piped()).spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    stdin.write_all(input.as_bytes()).unwrap();
    drop(stdin);
    let output = child.wait_with_output().unwrap();
    let said = [output.stdout, output.stderr].concat();
    let said = String::from_utf8_lossy(&said).into_owned();
    (output.status.success(), said)
}

/// A process that ends with the test.
pub struct Running(Child);

impl Running {
    pub fn start(command: &mut Command) -> Self {
        let quiet = command.stdin(Stdio::null()).stdout(Stdio::null());
        Self(quiet.stderr(Stdio::null()).spawn().unwrap())
    }

    fn has_ended(&mut self) -> bool {
        self.0.try_wait().unwrap().is_some()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A server on a port of its own, with pages in plain HTTP.
pub struct Server {
    _running: Running,
    pub port: u16,
}

impl Server {
    /// Starts the command for a free port, until this page answers.
    pub fn start(ready: &str, command: impl Fn(u16) -> Command) -> Self {
        // Another process may take the port first: then it ends, and again.
        for _ in 0..5 {
            let free = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
            let port = free.local_addr().unwrap().port();
            drop(free);
            let mut running = Running::start(&mut command(port));
            let mut ended = false;
            wait_until("the server is ready", || {
                ended = running.has_ended();
                ended || get(port, ready).is_some()
            });
            if !ended {
                let _running = running;
                return Self { _running, port };
            }
        }
        panic!("the server does not start");
    }

    pub fn url(&self, page: &str) -> String {
        format!("http://127.0.0.1:{}{page}", self.port)
    }

    pub fn json(&self, page: &str) -> Value {
        serde_json::from_str(&get(self.port, page).unwrap()).unwrap()
    }
}

/// Prometheus on a port of its own, with this configuration; `None` where there is none.
pub fn prometheus(config: &Path, data: &Path) -> Option<Server> {
    let program = tool("prometheus")?;
    Some(Server::start("/-/ready", |port| {
        let mut command = Command::new(&program);
        command
            .arg(format!("--config.file={}", config.display()))
            .arg(format!("--storage.tsdb.path={}", data.display()))
            .arg(format!("--web.listen-address=127.0.0.1:{port}"));
        command
    }))
}

/// The body of a page, if it answers with 200.
pub fn get(port: u16, page: &str) -> Option<String> {
    let (status, body) = request(port, &format!("GET {page} HTTP/1.0\r\n\r\n"))?;
    (status == 200).then_some(body)
}

/// The status of what was posted, and its answer.
pub fn post(port: u16, page: &str, body: &str) -> Option<(u16, String)> {
    let length = body.len();
    request(
        port,
        &format!(
            "POST {page} HTTP/1.0\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\r\n{body}"
        ),
    )
}

fn request(port: u16, text: &str) -> Option<(u16, String)> {
    let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).ok()?;
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream.set_write_timeout(Some(PATIENCE)).unwrap();
    stream.write_all(text.as_bytes()).ok()?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).ok()?;
    let (head, body) = answer.split_once("\r\n\r\n")?;
    let status = head.split(' ').nth(1)?.parse().ok()?;
    Some((status, body.to_owned()))
}

/// A request that somebody made, with a stream to answer on.
pub struct Request {
    pub body: String,
    stream: TcpStream,
}

impl Request {
    /// Reads one, as far as its Content-Length says.
    pub fn read(mut stream: TcpStream) -> Option<Self> {
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        let mut bytes = Vec::new();
        let mut buffer = [0; 4096];
        loop {
            let text = String::from_utf8_lossy(&bytes).into_owned();
            if let Some((head, body)) = text.split_once("\r\n\r\n") {
                let lower = head.to_ascii_lowercase();
                let length = lower.split("content-length: ").nth(1);
                let length = length.and_then(|rest| rest.lines().next()?.trim().parse().ok());
                if body.len() >= length.unwrap_or(0) {
                    return Some(Self {
                        body: body.to_owned(),
                        stream,
                    });
                }
            }
            match stream.read(&mut buffer).ok()? {
                0 => return None,
                read => bytes.extend(&buffer[..read]),
            }
        }
    }

    pub fn answer(mut self, body: &str) {
        let length = body.len();
        let _ = write!(
            self.stream,
            "HTTP/1.0 200 OK\r\nContent-Type: text/plain; version=0.0.4\r\nContent-Length: {length}\r\n\r\n{body}"
        );
    }
}

/// Answers every request on a port of its own for as long as the tests run.
pub fn serve(answer: impl Fn(&Request) -> String + Send + 'static) -> u16 {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            if let Some(request) = Request::read(stream) {
                let body = answer(&request);
                request.answer(&body);
            }
        }
    });
    port
}
