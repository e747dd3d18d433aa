//! Ten thousand connections, of which each is told, ends and comes back: over sockets, in simulated seconds.

use std::collections::BTreeMap;
use std::io;
use std::net::Ipv4Addr;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use notafter::Timestamp;
use notafter::cert::Sha256Digest;
use notafter::session::{ClosingPace, OpenConnections, RestsOn};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, mpsc, watch};

use crate::support::apart::ran_apart;
use crate::support::pki::{self, days};

const MANY: usize = 10_000;
/// Of all told within the 21 seconds that a removal leaves, 476 come to a second.
const BOUND: u32 = 600;
const REMOVAL: i64 = 30;
/// Requests go on for so many seconds before that, so that they do not end together.
const BEFORE: i64 = 8;
const PATIENCE: Duration = Duration::from_secs(120);

/// What a client is answered, and what a server says before it ends a connection. A client asks by the
/// second in which it wants to be answered.
const ANSWER: u8 = b'.';
const GO_AWAY: u8 = b'!';

trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}
impl<T: AsyncRead + AsyncWrite + Unpin + Send> Stream for T {}

/// The test's world: its seconds, and what happened so far.
struct World {
    seconds: Vec<Second>,
    connections: OpenConnections,
    spki_of_a: Sha256Digest,
    spki_of_b: Sha256Digest,
    /// How many clients are in for the first time.
    in_first: AtomicUsize,
    /// How many have heard that they are to go.
    heard: AtomicUsize,
    /// How many requests were not answered.
    failed: AtomicUsize,
    /// How many connections were cut off at their deadline.
    cut: AtomicUsize,
    /// Now, for servers.
    now: AtomicI64,
}

#[derive(Default)]
struct Second {
    /// Whether it has come.
    has_come: watch::Sender<bool>,
    /// How many requests are to be answered in it, and how many were.
    due: AtomicUsize,
    answered: AtomicUsize,
}

impl World {
    fn at(&self) -> Timestamp {
        days(0).saturating_add(self.now.load(Ordering::SeqCst))
    }

    fn second(&self, second: u8) -> &Second {
        &self.seconds[usize::from(second)]
    }

    /// The next second comes, and all that is due in it is done.
    async fn come_to(&self, second: i64) {
        let next = &self.seconds[usize::try_from(second).unwrap()];
        self.now.store(second, Ordering::SeqCst);
        next.has_come.send_replace(true);
        until("the second is over", || {
            count(&next.answered) == count(&next.due)
        })
        .await;
    }
}

fn one_more(count: &AtomicUsize) {
    count.fetch_add(1, Ordering::SeqCst);
}

fn count(count: &AtomicUsize) -> usize {
    count.load(Ordering::SeqCst)
}

/// Where connections come from: real sockets as long as there may be more open files, pipes in memory then.
#[derive(Clone)]
struct Network {
    port: u16,
    sockets: usize,
    /// Halves of pipes, as if accepted.
    accepted: mpsc::UnboundedSender<Box<dyn Stream>>,
    /// No more come at once than a listener lets wait: the kernel resets those beyond.
    at_once: Arc<Semaphore>,
}

impl Network {
    async fn connect(&self, client: usize) -> io::Result<Box<dyn Stream>> {
        if client < self.sockets {
            // Each address has ports of its own.
            let hosts = if cfg!(target_os = "linux") { 4 } else { 1 };
            let host = u8::try_from(client % hosts + 1).unwrap();
            let stream = TcpStream::connect((Ipv4Addr::new(127, 0, 0, host), self.port)).await?;
            return Ok(Box::new(stream));
        }
        let (near, far) = tokio::io::duplex(16);
        let sent = self.accepted.send(Box::new(far));
        sent.map_err(|_| io::ErrorKind::ConnectionRefused)?;
        Ok(Box::new(near))
    }
}

/// How many connections may be sockets: both ends of each are open in this process.
fn sockets() -> usize {
    let limits = std::fs::read_to_string("/proc/self/limits").unwrap_or_default();
    let open_files = limits
        .lines()
        .find(|line| line.starts_with("Max open files"));
    let soft = open_files.and_then(|line| line.split_whitespace().nth(3));
    let soft: usize = soft.and_then(|soft| soft.parse().ok()).unwrap_or(256);
    (soft.saturating_sub(200) / 2).min(MANY)
}

/// The server's side of one connection.
async fn serve(mut stream: Box<dyn Stream>, world: Arc<World>) {
    let Ok(root) = stream.read_u8().await else {
        return;
    };
    let spki = match root {
        b'a' => world.spki_of_a,
        _ => world.spki_of_b,
    };
    let rests_on = RestsOn::until(days(90)).with_anchors([spki]);
    let open = world.connections.open_on(rests_on, world.at());
    // Who reads this knows that it counts.
    if stream.write_u8(ANSWER).await.is_err() {
        return;
    }
    let mut asked: Option<u8> = None;
    let mut was_told = false;
    loop {
        let due = async {
            match asked {
                Some(second) => {
                    let mut has_come = world.second(second).has_come.subscribe();
                    let _ = has_come.wait_for(|has_come| *has_come).await;
                }
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            biased;
            () = open.overdue() => return one_more(&world.cut),
            () = open.closing(), if !was_told => {
                was_told = true;
                let _ = stream.write_u8(GO_AWAY).await;
            }
            () = due => {
                asked = None;
                let _ = stream.write_u8(ANSWER).await;
            }
            read = stream.read_u8() => match read {
                Ok(second) => asked = Some(second),
                // It has gone.
                Err(_) => return,
            },
        }
    }
}

/// Between one and four seconds, another each time.
fn lasts(client: usize, request: usize) -> u8 {
    let digest = Sha256Digest::of(&[client.to_be_bytes(), request.to_be_bytes()].concat());
    digest.as_bytes()[0] % 4 + 1
}

/// One client: it has a request in flight all the time, and comes back, by the other root, when it was told
/// to go and its request is answered. Each time, it says in which second.
async fn client(
    number: usize,
    network: Network,
    world: Arc<World>,
    came_back: mpsc::UnboundedSender<u8>,
) {
    let mut stream = arrive(number, &network, b'a').await;
    let mut now = 0;
    for request in 0.. {
        let answered_at = now + lasts(number, request);
        one_more(&world.second(answered_at).due);
        match request {
            0 => one_more(&world.in_first),
            _ => one_more(&world.second(now).answered),
        }
        let asked = stream.write_u8(answered_at).await;
        let mut is_to_go = false;
        let is_answered = loop {
            match stream.read_u8().await {
                Ok(GO_AWAY) => {
                    is_to_go = true;
                    one_more(&world.heard);
                }
                Ok(ANSWER) => break true,
                _ => break false,
            }
        };
        if asked.is_err() || !is_answered {
            one_more(&world.failed);
        }
        now = answered_at;
        if is_to_go {
            drop(stream);
            stream = arrive(number, &network, b'b').await;
            came_back.send(now).unwrap();
        }
    }
}

async fn arrive(number: usize, network: &Network, root: u8) -> Box<dyn Stream> {
    let _one_of_those = network.at_once.acquire().await.unwrap();
    let mut stream = network.connect(number).await.unwrap();
    stream.write_u8(root).await.unwrap();
    assert_eq!(stream.read_u8().await.unwrap(), ANSWER);
    stream
}

async fn until(what: &str, mut condition: impl FnMut() -> bool) {
    let start = Instant::now();
    while !condition() {
        assert!(start.elapsed() < PATIENCE, "waited in vain until {what}");
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

async fn ten_thousand() {
    let (a, b) = (pki::root("A", -10, 100), pki::root("B", -10, 100));
    let spki = |ca: &pki::Ca| ca.certificate().spki_sha256();
    let pace = ClosingPace::default()
        .with_max_per_second(BOUND.try_into().unwrap())
        .with_removal_seconds(REMOVAL);
    let world = Arc::new(World {
        seconds: (0..BEFORE + REMOVAL + 8)
            .map(|_| Second::default())
            .collect(),
        connections: OpenConnections::with_pace(pace),
        spki_of_a: spki(&a),
        spki_of_b: spki(&b),
        in_first: AtomicUsize::new(0),
        heard: AtomicUsize::new(0),
        failed: AtomicUsize::new(0),
        cut: AtomicUsize::new(0),
        now: AtomicI64::new(0),
    });
    let connections = world.connections.clone();
    connections.follow_anchors(&pki::anchors([&a, &b]), days(0));
    let listener = TcpListener::bind((Ipv4Addr::UNSPECIFIED, 0)).await.unwrap();
    let (accepted, mut pipes) = mpsc::unbounded_channel();
    let network = Network {
        port: listener.local_addr().unwrap().port(),
        sockets: sockets(),
        accepted,
        at_once: Arc::new(Semaphore::new(500)),
    };
    println!("{} of {MANY} connections are sockets", network.sockets);
    let serving = Arc::clone(&world);
    tokio::spawn(async move {
        loop {
            let stream: Box<dyn Stream> = tokio::select! {
                accepted = listener.accept() => Box::new(accepted.unwrap().0),
                Some(pipe) = pipes.recv() => pipe,
            };
            tokio::spawn(serve(stream, Arc::clone(&serving)));
        }
    });
    let (came_back, mut returns) = mpsc::unbounded_channel();
    for number in 0..MANY {
        let (network, world) = (network.clone(), Arc::clone(&world));
        tokio::spawn(client(number, network, world, came_back.clone()));
    }
    until("all are open", || count(&world.in_first) == MANY).await;
    assert_eq!(connections.len(), MANY);

    for second in 0..BEFORE {
        assert_eq!(connections.tick(world.at()).told, 0);
        world.come_to(second + 1).await;
    }
    let removal = connections.follow_anchors(&pki::anchors([&b]), world.at());
    assert_eq!(removal.connections, MANY);
    assert_eq!(removal.deadline, world.at().saturating_add(REMOVAL));
    let (mut told, mut overdue) = (0, 0);
    for second in BEFORE..=BEFORE + REMOVAL {
        let tick = connections.tick(world.at());
        assert_eq!(tick.over_bound, 0);
        assert!(tick.told <= usize::try_from(BOUND).unwrap());
        told += tick.told;
        overdue += tick.overdue;
        until("all that were told have heard", || {
            count(&world.heard) == told
        })
        .await;
        world.come_to(second + 1).await;
        until("old ends are gone", || connections.len() == MANY).await;
    }
    assert_eq!((told, overdue), (MANY, 0));
    assert_eq!((count(&world.failed), count(&world.cut)), (0, 0));
    let mut seconds = BTreeMap::<u8, usize>::new();
    while let Ok(second) = returns.try_recv() {
        *seconds.entry(second).or_default() += 1;
    }
    let (all, most) = (seconds.values().sum::<usize>(), seconds.values().max());
    println!("most in one second: {most:?}");
    assert_eq!(all, MANY, "each came back once");
    assert!(
        most <= Some(&usize::try_from(BOUND).unwrap()),
        "{seconds:?}"
    );
    // Their old ends are gone, before the deadline.
    assert!(
        seconds
            .keys()
            .all(|second| i64::from(*second) < BEFORE + REMOVAL),
        "{seconds:?}"
    );
    assert_eq!((connections.len(), connections.closing()), (MANY, 0));
}

#[test]
fn ten_thousand_sockets_of_a_removed_root_come_back_within_the_bound_and_fail_no_request() {
    let name =
        "ten_thousand_sockets_of_a_removed_root_come_back_within_the_bound_and_fail_no_request";
    if ran_apart(module_path!(), name, &[]) {
        return;
    }
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(ten_thousand());
}
