//! The running service, its files and its clients, by the real clock.

use std::io::{BufRead as _, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, OnceLock};

use notafter::cert::Sha256Digest;
use notafter::{Certificate, Timestamp};
use rustls::pki_types::UnixTime;
use rustls::{ClientConfig, ClientConnection, RootCertStore};
use serde_json::Value;
use tempfile::TempDir;
use time::OffsetDateTime;

use crate::support::pki::{self, Ca, Leaf, NOW};
use crate::support::tls;
pub use crate::support::tools::{PATIENCE, wait_until};

/// The example's binary, built once: `cargo test --test it` alone would not build it.
fn binary() -> &'static Path {
    static BINARY: OnceLock<PathBuf> = OnceLock::new();
    BINARY.get_or_init(|| crate::command::example("axum_service"))
}

pub fn now() -> Timestamp {
    UnixTime::now().into()
}

pub struct Ground {
    pub folder: TempDir,
    pub root: Ca,
    pub issuer: Ca,
}

impl Ground {
    pub fn new() -> Self {
        // Building takes its time, and leaves live for seconds.
        binary();
        let today = now().seconds_since(NOW) / 86_400;
        let root = pki::root("Root", today - 1000, today + 3000);
        let issuer = root.intermediate("Issuing CA", today - 300, today + 1500);
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("ca.pem"), pki::pem_bundle([&root.der])).unwrap();
        Self {
            folder,
            root,
            issuer,
        }
    }

    /// Valid between these seconds from now.
    pub fn leaf(&self, from: i64, to: i64) -> Leaf {
        self.issuer.leaf_with(&["localhost"], 0, 0, |params| {
            let at = |seconds| now().saturating_add(seconds).as_unix_seconds();
            let at = |seconds| OffsetDateTime::from_unix_timestamp(at(seconds)).unwrap();
            (params.not_before, params.not_after) = (at(from), at(to));
        })
    }

    pub fn path(&self, name: &str) -> String {
        self.folder.path().join(name).to_str().unwrap().to_owned()
    }

    /// Certbot's way: new files, renamed over the old ones.
    pub fn deploy(&self, leaf: &Leaf) {
        let chain = pki::pem_bundle([&leaf.der, &self.issuer.der]);
        for (name, contents) in [
            ("tls.crt", chain),
            ("tls.key", leaf.key_pair.serialize_pem()),
        ] {
            let new = self.path(&format!("{name}.new"));
            std::fs::write(&new, contents).unwrap();
            std::fs::rename(new, self.path(name)).unwrap();
        }
    }

    /// Serves the pair in the folder, judged by the ground's root.
    pub fn serve(&self, more: &[&str]) -> Service {
        let trust = self.path("ca.pem");
        self.serve_with(&[&["--trust", &trust], more].concat())
    }

    pub fn serve_with(&self, more: &[&str]) -> Service {
        let (cert, key) = (self.path("tls.crt"), self.path("tls.key"));
        let args = ["--cert", &cert, "--key", &key, "--listen", "127.0.0.1:0"];
        Service::start(&[&args, more].concat())
    }

    /// The same, which writes what it tells into the file `told` of the folder.
    pub fn serve_heard(&self, more: &[&str]) -> Service {
        let (cert, key) = (self.path("tls.crt"), self.path("tls.key"));
        let args = ["--cert", &cert, "--key", &key, "--listen", "127.0.0.1:0"];
        let told = std::fs::File::create(self.path("told")).unwrap();
        Service::start_telling(&[&args, more].concat(), told.into())
    }

    /// The lines that it told and that hold this.
    pub fn told(&self, part: &str) -> Vec<String> {
        let told = std::fs::read_to_string(self.path("told")).unwrap();
        let lines = told.lines().filter(|line| line.contains(part));
        lines.map(str::to_owned).collect()
    }

    pub fn client(&self) -> Arc<ClientConfig> {
        let roots = RootCertStore::from(&pki::anchors([&self.root]));
        client(roots, None)
    }

    pub fn client_with(&self, leaf: &Leaf) -> Arc<ClientConfig> {
        let roots = RootCertStore::from(&pki::anchors([&self.root]));
        client(roots, Some((leaf, &self.issuer)))
    }

    /// A client whose certificate is of another ground.
    pub fn client_of(&self, other: &Self, leaf: &Leaf) -> Arc<ClientConfig> {
        let roots = RootCertStore::from(&pki::anchors([&self.root]));
        client(roots, Some((leaf, &other.issuer)))
    }

    /// The lists of both CAs, made so many seconds from now: PEM.
    pub fn lists(&self, made: i64, revoked: &[&Leaf]) -> String {
        let revoked: Vec<_> = revoked.iter().map(|leaf| leaf.certificate()).collect();
        let revoked: Vec<_> = revoked.iter().collect();
        let (this, next) = (now().saturating_add(made), now().saturating_add(86_400));
        let lists = [
            pki::crl_between(&self.root, this, next, &[]),
            pki::crl_between(&self.issuer, this, next, &revoked),
        ];
        lists.map(|list| pki::pem("X509 CRL", &list)).concat()
    }
}

fn client(roots: RootCertStore, own: Option<(&Leaf, &Ca)>) -> Arc<ClientConfig> {
    let builder = ClientConfig::builder_with_provider(tls::ring())
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots);
    let mut config = match own {
        None => builder.with_no_client_auth(),
        Some((leaf, issuer)) => builder
            .with_client_auth_cert(
                vec![leaf.der.clone(), issuer.der.clone()],
                leaf.key.clone_key(),
            )
            .unwrap(),
    };
    config.resumption = rustls::client::Resumption::disabled();
    Arc::new(config)
}

pub struct Service {
    child: Child,
    pub port: u16,
}

impl Service {
    pub fn start(args: &[&str]) -> Self {
        Self::start_telling(args, Stdio::null())
    }

    fn start_telling(args: &[&str], told: Stdio) -> Self {
        let mut child = Command::new(binary())
            .args(args)
            .stdout(Stdio::piped())
            .stderr(told)
            .spawn()
            .unwrap();
        let mut line = String::new();
        let mut output = BufReader::new(child.stdout.take().unwrap());
        output.read_line(&mut line).unwrap();
        let port = line.strip_prefix("listening on https://127.0.0.1:");
        let port = port.unwrap_or_else(|| panic!("first line: '{line}'"));
        Self {
            port: port.trim_end().parse().unwrap(),
            child,
        }
    }

    /// The exit code and the error of one that does not start.
    pub fn refusal(args: &[&str]) -> (Option<i32>, String) {
        let output = Command::new(binary()).args(args).output().unwrap();
        let error = String::from_utf8_lossy(&output.stderr).into_owned();
        (output.status.code(), error)
    }

    pub fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(("127.0.0.1", self.port)).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream.set_write_timeout(Some(PATIENCE)).unwrap();
        stream
    }

    /// The leaf that a whole handshake showed.
    pub fn handshake(&self, client: &Arc<ClientConfig>) -> std::io::Result<Sha256Digest> {
        let name = "localhost".try_into().unwrap();
        let mut connection = ClientConnection::new(client.clone(), name).unwrap();
        let mut stream = self.connect();
        while connection.is_handshaking() {
            connection.complete_io(&mut stream)?;
        }
        let leaf = &connection.peer_certificates().unwrap()[0];
        Ok(Certificate::from_der(leaf).unwrap().fingerprint())
    }

    pub fn get(&self, client: &Arc<ClientConfig>, page: &str) -> std::io::Result<Page> {
        let name = "localhost".try_into().unwrap();
        let mut connection = ClientConnection::new(client.clone(), name).unwrap();
        let mut socket = self.connect();
        get(rustls::Stream::new(&mut connection, &mut socket), page)
    }

    pub fn signal(&self, signal: &str) {
        // The shell's own kill: not every machine has the program.
        let kill = format!("kill -{signal} {}", self.child.id());
        let sent = Command::new("sh").args(["-c", &kill]).status().unwrap();
        assert!(sent.success());
    }

    /// Asks it to end, as Ctrl-C does; whether it ended well.
    pub fn interrupt(mut self) -> bool {
        self.signal("INT");
        let mut ended = None;
        wait_until("the service ends", || {
            ended = self.child.try_wait().unwrap();
            ended.is_some()
        });
        ended.unwrap().success()
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

pub struct Page {
    pub status: u16,
    pub head: String,
    pub body: String,
}

impl Page {
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|e| panic!("{e}: {}", self.body))
    }

    /// The value of the first sample of this metric whose labels hold `part`.
    pub fn metric(&self, name: &str, part: &str) -> Option<i64> {
        let samples = self.body.lines().filter(|line| !line.starts_with('#'));
        let mut values = samples.filter_map(|line| {
            let (series, value) = line.rsplit_once(' ')?;
            let labels = series.strip_prefix(name)?;
            let whole = labels.is_empty() || labels.starts_with('{');
            (whole && labels.contains(part)).then(|| value.parse().unwrap())
        });
        values.next()
    }
}

/// One request over any stream.
pub fn get(mut stream: impl Read + Write, page: &str) -> std::io::Result<Page> {
    write!(
        stream,
        "GET {page} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
    )?;
    stream.flush()?;
    let mut text = String::new();
    stream.read_to_string(&mut text)?;
    let (head, body) = text
        .split_once("\r\n\r\n")
        .unwrap_or_else(|| panic!("{text}"));
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    Ok(Page {
        status,
        body: match head
            .to_ascii_lowercase()
            .contains("transfer-encoding: chunked")
        {
            true => unchunked(body),
            false => body.to_owned(),
        },
        head: head.to_owned(),
    })
}

fn unchunked(mut body: &str) -> String {
    let mut whole = String::new();
    while let Some((length, rest)) = body.split_once("\r\n") {
        let length = usize::from_str_radix(length.trim(), 16).unwrap();
        whole.push_str(&rest[..length]);
        body = rest[length..].trim_start_matches("\r\n");
    }
    whole
}
