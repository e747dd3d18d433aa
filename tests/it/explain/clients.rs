//! Errors as real clients and servers return them: ureq, tokio-rustls, and hyper on both protocols.

use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::sync::Arc;
use std::time::Duration;

use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use notafter::explain::{Whose, explain};
use rustls::pki_types::ServerName;
use rustls::server::WebPkiClientVerifier;
use rustls::{ClientConfig, RootCertStore, ServerConfig, ServerConnection};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use super::{later, unix};
use crate::support::pki::{self, Ca, Leaf};
use crate::support::tls::{FixedTime, ring};

const PATIENCE: Duration = Duration::from_secs(20);

/// A server over loopback that answers one connection, and that verifies clients by this root.
fn serve(leaf: &Leaf, clients: Option<&Ca>) -> SocketAddr {
    let config = ServerConfig::builder_with_details(ring(), Arc::new(FixedTime(unix(later()))))
        .with_protocol_versions(&[&rustls::version::TLS13])
        .unwrap();
    let config = match clients {
        Some(root) => {
            let roots = Arc::new(RootCertStore::from(&pki::anchors([root])));
            let verifier = WebPkiClientVerifier::builder_with_provider(roots, ring());
            config.with_client_cert_verifier(verifier.build().unwrap())
        }
        None => config.with_no_client_auth(),
    };
    let config = config
        .with_single_cert(vec![leaf.der.clone()], leaf.key.clone_key())
        .unwrap();
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        let mut connection = ServerConnection::new(Arc::new(config)).unwrap();
        // The alert is sent, and is read before the connection ends.
        let _ = connection.complete_io(&mut stream);
        let _ = std::io::copy(&mut stream, &mut std::io::sink());
    });
    address
}

/// What ureq says of a server, showing this certificate to it.
fn ureq_error(address: SocketAddr, root: &Ca, client: Option<&Leaf>) -> ureq::Error {
    use ureq::tls::{Certificate, ClientCert, PrivateKey, RootCerts, TlsConfig};
    let trusted = Certificate::from_der(&root.der).to_owned();
    let mut tls = TlsConfig::builder()
        .unversioned_rustls_crypto_provider(ring())
        .root_certs(RootCerts::new_with_certs(&[trusted]));
    if let Some(leaf) = client {
        let shown = [Certificate::from_der(&leaf.der).to_owned()];
        let key = PrivateKey::from_pem(leaf.key_pair.serialize_pem().as_bytes()).unwrap();
        tls = tls.client_cert(Some(ClientCert::new_with_certs(&shown, key)));
    }
    let agent: ureq::Agent = ureq::Agent::config_builder()
        .tls_config(tls.build())
        .timeout_global(Some(PATIENCE))
        .build()
        .into();
    let url = format!("https://localhost:{}/", address.port());
    agent.get(url).call().unwrap_err()
}

#[test]
fn ureq_hides_what_it_knows_and_it_is_found() {
    // ureq reads the machine's clock: these ended before any of them, and those never end.
    let root = pki::root("Root", -1000, 36_000);
    let good = root.leaf(&["localhost"], -10, 36_000);
    let ended = root.leaf(&["localhost"], -10, -1);
    let cases = [
        (
            ureq_error(serve(&ended, None), &root, None),
            Whose::Peer,
            "peer_expired",
        ),
        (
            ureq_error(serve(&good, Some(&root)), &root, Some(&ended)),
            Whose::Own,
            "own_expired",
        ),
    ];
    for (error, whose, code) in cases {
        let explanation = explain(&error).unwrap();
        assert_eq!(
            (explanation.whose, explanation.code()),
            (whose, code),
            "{error}"
        );
        // And so without the feature.
        assert_eq!(explain(&error.into_io()), Some(explanation));
    }
}

/// A TLS 1.3 client whose certificate has expired: its handshake is over before the server refuses it.
async fn refused_later() -> tokio_rustls::client::TlsStream<TcpStream> {
    let root = pki::root("Root", -1000, 3000);
    let (good, ended) = (
        root.leaf(&["localhost"], 0, 900),
        root.leaf(&["client"], 0, 397),
    );
    let config = ClientConfig::builder_with_details(ring(), Arc::new(FixedTime(unix(later()))))
        .with_protocol_versions(&[&rustls::version::TLS13])
        .unwrap()
        .with_root_certificates(RootCertStore::from(&pki::anchors([&root])))
        .with_client_auth_cert(vec![ended.der.clone()], ended.key.clone_key())
        .unwrap();
    let stream = TcpStream::connect(serve(&good, Some(&root))).await.unwrap();
    let name = ServerName::try_from("localhost").unwrap();
    let connector = TlsConnector::from(Arc::new(config));
    connector.connect(name, stream).await.unwrap()
}

#[tokio::test]
async fn tokio_rustls_is_told_of_our_own_certificate_while_it_reads() {
    use tokio::io::AsyncReadExt as _;
    let mut stream = refused_later().await;
    let read = tokio::time::timeout(PATIENCE, stream.read(&mut [0]))
        .await
        .unwrap();
    let error = read.unwrap_err();
    assert_eq!(super::code(&error), Some("own_expired"));
}

#[tokio::test]
async fn hyper_carries_it_on_both_protocols() {
    let service = hyper_util::service::TowerToHyperService::new(axum::Router::new());
    let builders = [
        auto::Builder::new(TokioExecutor::new()).http1_only(),
        auto::Builder::new(TokioExecutor::new()).http2_only(),
        auto::Builder::new(TokioExecutor::new()),
    ];
    for builder in builders {
        let stream = TokioIo::new(refused_later().await);
        let served = builder.serve_connection(stream, service.clone());
        let error = tokio::time::timeout(PATIENCE, served)
            .await
            .unwrap()
            .unwrap_err();
        assert_eq!(
            super::code(error.as_ref()),
            Some("own_expired"),
            "{error:?}"
        );
    }
}
