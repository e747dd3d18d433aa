//! Connections of a removed client root, with requests in flight: a server of hyper's over loopback, by the
//! clock of the test.

use std::net::{Ipv4Addr, SocketAddr};
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use axum::Router;
use axum::routing::get;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto::Builder;
use hyper_util::service::TowerToHyperService;
use notafter::outlook::Usage;
use notafter::session::{ClosingPace, OpenConnections, RestsOn};
use notafter::{Certificate, ChainJudge};
use rustls::{ClientConfig, ServerConfig};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Notify, Semaphore};
use tokio::time::timeout;
use tokio_rustls::client::TlsStream;
use tokio_rustls::{TlsAcceptor, TlsConnector};

use super::scene::{NAME, Scene, ServerSessions, at};
use crate::support::pki;
use crate::support::tls::{VERSIONS, ring};

const PATIENCE: Duration = Duration::from_secs(30);

/// What the service does with its requests, and where it stands.
struct Desk {
    /// How many requests have begun.
    begun: AtomicUsize,
    came: Notify,
    /// Lets slow requests be answered.
    answers: Semaphore,
}

impl Desk {
    fn begin(&self) {
        self.begun.fetch_add(1, Ordering::SeqCst);
        self.came.notify_one();
    }

    async fn answer(self: Arc<Self>) -> &'static str {
        self.begin();
        self.answers.acquire().await.unwrap().forget();
        "answered"
    }

    async fn never_answer(self: Arc<Self>) -> &'static str {
        self.begin();
        std::future::pending().await
    }

    async fn has_begun(&self, requests: usize) {
        let begun = async {
            while self.begun.load(Ordering::SeqCst) < requests {
                self.came.notified().await;
            }
        };
        timeout(PATIENCE, begun).await.unwrap();
    }
}

/// Serves until the test ends.
async fn serve(
    config: Arc<ServerConfig>,
    connections: OpenConnections,
    judge: ChainJudge,
    desk: Arc<Desk>,
) -> SocketAddr {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let address = listener.local_addr().unwrap();
    let acceptor = TlsAcceptor::from(config);
    tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            let Ok(stream) = acceptor.accept(stream).await else {
                continue;
            };
            let client = stream.get_ref().1.peer_certificates().unwrap();
            let client = [Certificate::from_der(&client[0]).unwrap()];
            let paths = judge.timeline(&client, None).unwrap().rustls.paths;
            let anchors = paths.iter().map(|path| path.anchor.spki_sha256);
            let rests_on = RestsOn::until(client[0].not_after()).with_anchors(anchors);
            let open = connections.open_on(rests_on, pki::NOW);
            let (slow, stuck) = (Arc::clone(&desk), Arc::clone(&desk));
            let router = Router::new()
                .route("/", get(move || slow.clone().answer()))
                .route("/never", get(move || stuck.clone().never_answer()));
            tokio::spawn(async move {
                let server = Builder::new(TokioExecutor::new());
                let service = TowerToHyperService::new(router);
                let served = server.serve_connection(TokioIo::new(stream), service);
                let mut served = pin!(served);
                tokio::select! {
                    _ = served.as_mut() => return,
                    () = open.closing() => served.as_mut().graceful_shutdown(),
                }
                tokio::select! {
                    _ = served.as_mut() => {}
                    () = open.overdue() => {}
                }
            });
        }
    });
    address
}

async fn connect(
    address: SocketAddr,
    client: &ClientConfig,
    protocol: &[u8],
) -> TlsStream<TcpStream> {
    let mut client = client.clone();
    client.alpn_protocols = vec![protocol.to_vec()];
    let connector = TlsConnector::from(Arc::new(client));
    let stream = TcpStream::connect(address).await.unwrap();
    let name = NAME.try_into().unwrap();
    let stream = timeout(PATIENCE, connector.connect(name, stream)).await;
    stream.unwrap().unwrap()
}

/// All that comes until the end.
async fn rest(stream: &mut TlsStream<TcpStream>) -> Vec<u8> {
    let mut read = Vec::new();
    // Without close_notify it ends as well.
    let _ = timeout(PATIENCE, stream.read_to_end(&mut read))
        .await
        .unwrap();
    read
}

/// The kinds of the frames (RFC 9113, section 4.1) with their payloads.
fn frames(mut bytes: &[u8]) -> Vec<(u8, &[u8])> {
    let mut frames = Vec::new();
    while let [high, middle, low, kind, _, _, _, _, _, rest @ ..] = bytes {
        let length = u32::from_be_bytes([0, *high, *middle, *low]) as usize;
        let (payload, more) = rest.split_at(length);
        frames.push((*kind, payload));
        bytes = more;
    }
    frames
}

const NEVER: &[u8] = b"GET /never HTTP/1.1\r\nHost: service.example\r\n\r\n";
const HTTP_1: &[u8] = b"GET / HTTP/1.1\r\nHost: service.example\r\n\r\n";

/// The preface, empty SETTINGS, and `GET https://a/` as stream 1, in full (RFC 9113, RFC 7541).
fn http_2() -> Vec<u8> {
    let headers = [0x82, 0x84, 0x87, 0x41, 1, b'a'];
    [
        &b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"[..],
        &[0, 0, 0, 4, 0, 0, 0, 0, 0],
        &[0, 0, 6, 1, 5, 0, 0, 0, 1],
        &headers,
    ]
    .concat()
}

async fn in_flight_when_the_root_goes(version: &'static rustls::SupportedProtocolVersion) {
    let scene = Scene::new();
    let anchors = scene.anchors(&[&scene.a, &scene.b]);
    let verifier = scene.clients_by(&anchors, None);
    let config = scene.server(version, &verifier, ServerSessions::Stored);
    let mut config = ServerConfig::clone(&config);
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    let connections = OpenConnections::with_pace(ClosingPace::default());
    connections.follow_anchors(&anchors.anchors(), pki::NOW);
    let algorithms = ring().signature_verification_algorithms.all;
    let judge = ChainJudge::new(anchors.anchors(), algorithms, Usage::ClientAuth);
    let desk = Arc::new(Desk {
        begun: AtomicUsize::new(0),
        came: Notify::new(),
        answers: Semaphore::new(0),
    });
    let address = serve(
        Arc::new(config),
        connections.clone(),
        judge,
        Arc::clone(&desk),
    )
    .await;
    let by_a = scene.client_with(version, &scene.a.leaf(&["a.example"], -10, 90));
    let by_b = scene.client_with(version, &scene.b.leaf(&["b.example"], -10, 90));
    let mut one = connect(address, &by_a, b"http/1.1").await;
    let mut two = connect(address, &by_a, b"h2").await;
    let mut stuck = connect(address, &by_a, b"http/1.1").await;
    let mut stays = connect(address, &by_b, b"http/1.1").await;
    for (stream, request) in [
        (&mut one, HTTP_1),
        (&mut two, &http_2()),
        (&mut stays, HTTP_1),
        (&mut stuck, NEVER),
    ] {
        stream.write_all(request).await.unwrap();
        stream.flush().await.unwrap();
    }
    desk.has_begun(4).await;

    // Root A goes while all four are in flight.
    scene.replace("ca.pem", Scene::bundle(&[&scene.b]));
    assert!(anchors.poll(at(0)).is_swapped);
    let removal = connections.follow_anchors(&anchors.anchors(), at(0));
    assert_eq!((removal.connections, removal.deadline), (3, at(60)));
    let mut told = 0;
    for second in 0..=50 {
        let tick = connections.tick(at(second));
        assert_eq!(tick.overdue, 0);
        told += tick.told;
    }
    assert_eq!((told, connections.closing()), (3, 3));
    // What is told is written by the connection's own task: then those that can be answered are.
    let mut received = frames_until(&mut two, Some(GOAWAY)).await;
    desk.answers.add_permits(3);
    let response = String::from_utf8(rest(&mut one).await).unwrap();
    assert!(response.starts_with("HTTP/1.1 200 OK\r\n"), "{response}");
    assert!(response.ends_with("answered"), "{response}");
    received.extend(frames_until(&mut two, None).await);
    let kinds: Vec<u8> = frames(&received).iter().map(|(kind, _)| *kind).collect();
    let place = |kind| kinds.iter().position(|other| *other == kind);
    let (goaway, headers, data) = (place(GOAWAY).unwrap(), place(1).unwrap(), place(0).unwrap());
    assert!(goaway < headers && headers < data, "{kinds:?}");
    // Indexed field 8 of the static table: `:status: 200`.
    assert_eq!(frames(&received)[headers].1.first(), Some(&0x88));
    let mut answer = vec![0; 512];
    let read = timeout(PATIENCE, stays.read(&mut answer))
        .await
        .unwrap()
        .unwrap();
    let answer = String::from_utf8_lossy(&answer[..read]).to_ascii_lowercase();
    assert!(answer.starts_with("http/1.1 200 ok"), "{answer}");

    // The one that is answered to no more is cut off at its deadline.
    while connections.closing() > 1 {
        tokio::task::yield_now().await;
    }
    assert_eq!(connections.tick(at(59)).overdue, 0);
    assert_eq!(connections.tick(removal.deadline).overdue, 1);
    assert_eq!(rest(&mut stuck).await, b"");
    while connections.len() > 1 {
        tokio::task::yield_now().await;
    }
    assert_eq!(connections.closing(), 0);
    // The one that stays is open, and is answered again.
    stays.write_all(HTTP_1).await.unwrap();
    stays.flush().await.unwrap();
    desk.has_begun(5).await;
}

const GOAWAY: u8 = 7;

/// All frames until one of this kind has come, or until the end; a ping is answered, for the server waits for
/// that before it closes.
async fn frames_until(stream: &mut TlsStream<TcpStream>, last: Option<u8>) -> Vec<u8> {
    let mut all = Vec::new();
    loop {
        let mut header = [0; 9];
        let read = timeout(PATIENCE, stream.read_exact(&mut header)).await;
        if read.unwrap().is_err() {
            return all;
        }
        let length = u32::from_be_bytes([0, header[0], header[1], header[2]]);
        let mut payload = vec![0; length as usize];
        stream.read_exact(&mut payload).await.unwrap();
        all.extend([&header[..], &payload].concat());
        if header[3] == 6 && header[4] & 1 == 0 {
            header[4] = 1;
            let _ = stream.write_all(&[&header[..], &payload].concat()).await;
            let _ = stream.flush().await;
        }
        if last == Some(header[3]) {
            return all;
        }
    }
}

#[test]
fn no_request_in_flight_fails_and_no_connection_of_a_removed_root_outlives_its_deadline() {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap();
    for version in VERSIONS {
        runtime.block_on(in_flight_when_the_root_goes(version));
    }
}
