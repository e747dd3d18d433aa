//! What reloading costs: a handshake's look into the table, a look at files that hold still, and a
//! swap.

use std::cell::Cell;
use std::fs;
use std::hint::black_box;
use std::path::PathBuf;
use std::sync::Arc;

use notafter::{ReloadingKey, Timestamp};
use rcgen::{CertificateParams, Issuer, KeyPair};
use rustls::crypto::CryptoProvider;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::{Accepted, Acceptor, ResolvesServerCert, ResolvesServerCertUsingSni};
use rustls::sign::{CertifiedKey, SingleCertAndKey};
use rustls::{ClientConfig, ClientConnection, RootCertStore};
use tempfile::TempDir;

use super::measure::row;

const NAMES: [&str; 4] = ["a.example", "b.example", "c.example", "d.example"];

pub(super) fn rows() {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let files = Files::mint();
    let certified = files.load(&provider);

    let mut by_name = ResolvesServerCertUsingSni::new();
    let mut builder = ReloadingKey::builder().with_provider(provider.clone());
    for name in NAMES {
        by_name.add(name, certified.clone()).unwrap();
        builder = builder.with_pair(files.path("tls.crt"), files.path("tls.key"));
    }
    let several = builder.build().unwrap();
    let hello = client_hello("c.example", &provider);
    row(
        "reload_resolve",
        "rustls by name",
        || drop(black_box(several.resolve(hello.client_hello()))),
        || drop(black_box(by_name.resolve(hello.client_hello()))),
    );
    let key = files.key(&provider);
    let single = SingleCertAndKey::from(certified);
    let resolve = |by: &dyn ResolvesServerCert| drop(black_box(by.resolve(hello.client_hello())));
    row(
        "reload_resolve_single",
        "rustls single",
        || resolve(&*key),
        || resolve(&single),
    );
    let still = at(600);
    key.poll(still);
    row(
        "reload_poll_still",
        "stat of both files",
        || assert_eq!(key.poll(still).swapped, 0),
        || {
            for name in ["tls.crt", "tls.key"] {
                black_box(fs::metadata(files.path(name)).unwrap());
            }
        },
    );
    // Both sides swap Kubernetes' link first.
    row(
        "reload_swap",
        "rustls loads the same files",
        || {
            files.swap();
            assert_eq!(key.poll(still).swapped, 1);
        },
        || {
            // Twice, so that the next poll finds another pair than the one it serves.
            files.swap();
            black_box(files.load(&provider));
            files.swap();
        },
    );
}

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_unix_seconds(1_767_225_600 + seconds)
}

/// Two pairs in the way that Kubernetes mounts them.
struct Files {
    folder: TempDir,
    shown: Cell<usize>,
}

impl Files {
    fn mint() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let ca = KeyPair::generate().unwrap();
        let issuer = CertificateParams::new(Vec::<String>::new()).unwrap();
        let issuer_pem = issuer.self_signed(&ca).unwrap().pem();
        let issuer = Issuer::new(issuer, ca);
        for number in 0..2 {
            let key = KeyPair::generate().unwrap();
            let leaf = CertificateParams::new(NAMES.map(str::to_owned)).unwrap();
            let leaf = leaf.signed_by(&key, &issuer).unwrap();
            let version = folder.path().join(format!("..{number}"));
            fs::create_dir(&version).unwrap();
            fs::write(version.join("tls.crt"), leaf.pem() + &issuer_pem).unwrap();
            fs::write(version.join("tls.key"), key.serialize_pem()).unwrap();
        }
        for name in ["tls.crt", "tls.key"] {
            let link = folder.path().join(name);
            std::os::unix::fs::symlink(format!("..data/{name}"), link).unwrap();
        }
        let files = Self {
            folder,
            shown: Cell::new(0),
        };
        files.swap();
        files
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn swap(&self) {
        self.shown.set(1 - self.shown.get());
        let (new, link) = (self.path("..data_tmp"), self.path("..data"));
        std::os::unix::fs::symlink(format!("..{}", self.shown.get()), &new).unwrap();
        fs::rename(new, link).unwrap();
    }

    fn key(&self, provider: &Arc<CryptoProvider>) -> Arc<ReloadingKey> {
        let builder = ReloadingKey::builder().with_provider(provider.clone());
        let builder = builder.with_pair(self.path("tls.crt"), self.path("tls.key"));
        builder.build().unwrap()
    }

    fn load(&self, provider: &CryptoProvider) -> CertifiedKey {
        let chain = CertificateDer::pem_file_iter(self.path("tls.crt")).unwrap();
        let chain = chain.collect::<Result<_, _>>().unwrap();
        let key = PrivateKeyDer::from_pem_file(self.path("tls.key")).unwrap();
        CertifiedKey::from_der(chain, key, provider).unwrap()
    }
}

/// What a client that asks for this name says first.
fn client_hello(name: &'static str, provider: &Arc<CryptoProvider>) -> Accepted {
    let config = ClientConfig::builder_with_provider(provider.clone())
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(RootCertStore::empty())
        .with_no_client_auth();
    let name = name.try_into().unwrap();
    let mut client = ClientConnection::new(Arc::new(config), name).unwrap();
    let mut bytes = Vec::new();
    client.write_tls(&mut bytes).unwrap();
    let mut acceptor = Acceptor::default();
    acceptor.read_tls(&mut bytes.as_slice()).unwrap();
    acceptor.accept().unwrap().unwrap()
}
