//! What the tests of the crypto providers share: a CA and a server's certificate that openssl makes
//! anew, a handshake over loopback, and what `cargo tree` says.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::thread;

use notafter::TrustAnchors;
use rustls::{ClientConfig, ClientConnection, ServerConfig, ServerConnection, StreamOwned};
use tempfile::TempDir;

/// How often a provider is built in here: the features of this package say so.
pub const PROVIDERS: usize =
    cfg!(feature = "ring") as usize + cfg!(any(feature = "aws-lc-rs", feature = "fips")) as usize;

const EXTENSIONS: &str = "
[req]
distinguished_name = name
[name]
[ca]
basicConstraints = critical, CA:TRUE
keyUsage = critical, keyCertSign
[server]
basicConstraints = critical, CA:FALSE
keyUsage = critical, digitalSignature
extendedKeyUsage = serverAuth
subjectAltName = DNS:localhost
";

/// A CA and what it issued to `localhost`, good for two days.
pub struct Pki {
    folder: TempDir,
}

impl Pki {
    pub fn mint() -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("openssl.cnf"), EXTENSIONS).unwrap();
        let pki = Self { folder };
        pki.issue("ca", &[]);
        pki.issue("server", &["-CA", "ca.pem", "-CAkey", "ca.key"]);
        pki
    }

    fn issue(&self, name: &str, issuer: &[&str]) {
        let output = Command::new("openssl")
            .current_dir(self.folder.path())
            .args("req -x509 -config openssl.cnf -days 2 -nodes".split(' '))
            .args("-newkey ec -pkeyopt ec_paramgen_curve:prime256v1".split(' '))
            .args(["-subj", &format!("/CN={name}"), "-extensions", name])
            .args(["-keyout", &format!("{name}.key")])
            .args(["-out", &format!("{name}.pem")])
            .args(issuer)
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{said}");
    }

    pub fn certificate(&self) -> PathBuf {
        self.folder.path().join("server.pem")
    }

    pub fn key(&self) -> PathBuf {
        self.folder.path().join("server.key")
    }

    pub fn anchors(&self) -> TrustAnchors {
        let ca = self.folder.path().join("ca.pem");
        TrustAnchors::builder().with_path(ca).build()
    }
}

/// One connection to `localhost`, and what the client says of it.
///
/// # Errors
/// What the client says of a server that it refuses.
pub fn connect(server: ServerConfig, client: ClientConfig) -> Result<Connected, rustls::Error> {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let serving = thread::spawn(move || {
        let (socket, _) = listener.accept().unwrap();
        let connection = ServerConnection::new(Arc::new(server)).unwrap();
        let mut stream = StreamOwned::new(connection, socket);
        // A client that refuses breaks off.
        let _ = stream.write_all(b"served");
    });
    let name = "localhost".try_into().unwrap();
    let mut connection = ClientConnection::new(Arc::new(client), name).unwrap();
    let mut socket = TcpStream::connect(address).unwrap();
    let mut result = Ok(());
    while result.is_ok() && connection.is_handshaking() {
        let done = connection.complete_io(&mut socket);
        result = done.map(drop).map_err(of_tls);
    }
    let connected = result.map(|()| {
        let mut stream = StreamOwned::new(connection, socket);
        let mut answer = [0; 6];
        stream.read_exact(&mut answer).unwrap();
        assert_eq!(&answer, b"served");
        Connected {
            is_fips: stream.conn.fips(),
        }
    });
    serving.join().unwrap();
    connected
}

fn of_tls(error: std::io::Error) -> rustls::Error {
    let inner = error.get_ref().and_then(|inner| inner.downcast_ref());
    let inner: Option<&rustls::Error> = inner;
    inner.unwrap_or_else(|| panic!("{error}")).clone()
}

/// What a client says of its connection.
#[derive(Debug, PartialEq, Eq)]
pub struct Connected {
    pub is_fips: bool,
}

/// Which of these crates a program has that is built with these features of this package.
pub fn built_with(features: &str, of: &[&str]) -> Vec<String> {
    let output = Command::new(env!("CARGO"))
        .current_dir(Path::new(env!("CARGO_MANIFEST_DIR")))
        .args("tree --locked --edges normal,build --prefix none --format {p}".split(' '))
        .args(["--features", features])
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    let text = String::from_utf8(output.stdout).unwrap();
    let named = text.lines().filter_map(|line| line.split(' ').next());
    let mut crates: Vec<_> = named
        .filter(|name| of.contains(name))
        .map(str::to_owned)
        .collect();
    crates.sort();
    crates.dedup();
    crates
}
