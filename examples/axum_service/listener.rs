//! TLS connections. Handshakes run apart from each other and have little time, so that no client
//! holds up another one.

use std::collections::BTreeMap;
use std::io;
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use notafter::Certificate;
use notafter::session::OpenConnection;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::time::{Instant, Sleep};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use crate::service::{Service, now};
use crate::{pages, serving};

const MOST_CONNECTIONS: usize = 1024;
const HANDSHAKE_PATIENCE: Duration = Duration::from_secs(10);
const IDLE_PATIENCE: Duration = Duration::from_secs(60);

/// Accepts connections, and serves each in a task of its own, until the end is asked for.
pub async fn accept(
    listener: TcpListener,
    acceptor: TlsAcceptor,
    service: Arc<Service>,
    mut ending: watch::Receiver<bool>,
) {
    let room = Arc::new(Semaphore::new(MOST_CONNECTIONS));
    let router = pages::router(Arc::clone(&service));
    loop {
        let accepted = tokio::select! {
            accepted = accept_one(&listener, &room) => accepted,
            _ = ending.wait_for(|ending| *ending) => return,
        };
        let (stream, permit) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                // Out of file descriptors, for example: it passes.
                eprintln!("cannot accept a connection: {error}");
                tokio::time::sleep(Duration::from_millis(100)).await;
                continue;
            }
        };
        let (acceptor, service) = (acceptor.clone(), Arc::clone(&service));
        let (router, mut ending) = (router.clone(), ending.clone());
        tokio::spawn(async move {
            let handshake = tokio::time::timeout(HANDSHAKE_PATIENCE, acceptor.accept(stream));
            let handshake = tokio::select! {
                handshake = handshake => handshake,
                _ = ending.wait_for(|ending| *ending) => return,
            };
            match handshake {
                Ok(Ok(stream)) => {
                    let connection = Connection::new(stream, &service, permit);
                    serving::serve(connection, router, ending).await;
                }
                Ok(Err(error)) => {
                    // Who only went away, as health checks do, has failed of nothing.
                    if let Some(explanation) = notafter::explain(&error) {
                        service.failed_handshakes.add(1);
                        service.handshake_errors.count(explanation.code());
                    }
                }
                Err(_) => service.failed_handshakes.add(1),
            }
        });
    }
}

async fn accept_one(
    listener: &TcpListener,
    room: &Arc<Semaphore>,
) -> io::Result<(TcpStream, OwnedSemaphorePermit)> {
    let permit = Arc::clone(room).acquire_owned().await;
    let permit = permit.map_err(io::Error::other)?;
    let (stream, _) = listener.accept().await?;
    Ok((stream, permit))
}

/// One connection; it ends where nothing moves for a while.
pub struct Connection {
    stream: TlsStream<TcpStream>,
    idle: Pin<Box<Sleep>>,
    pub open: OpenConnection,
    _permit: OwnedSemaphorePermit,
}

impl Connection {
    fn new(stream: TlsStream<TcpStream>, service: &Service, permit: OwnedSemaphorePermit) -> Self {
        let peer = stream.get_ref().1.peer_certificates().unwrap_or_default();
        let peer = peer.iter().map_while(|der| Certificate::from_der(der).ok());
        let rests_on = service.rests_on(&peer.collect::<Vec<_>>());
        Self {
            stream,
            idle: Box::pin(tokio::time::sleep(IDLE_PATIENCE)),
            open: service.connections.open_on(rests_on, now()),
            _permit: permit,
        }
    }

    pub fn is_http2(&self) -> bool {
        self.stream.get_ref().1.alpn_protocol() == Some(b"h2")
    }

    fn moved(&mut self) {
        self.idle.as_mut().reset(Instant::now() + IDLE_PATIENCE);
    }
}

impl AsyncRead for Connection {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if let Poll::Ready(read) = Pin::new(&mut self.stream).poll_read(context, buffer) {
            self.moved();
            return Poll::Ready(read);
        }
        ready!(self.idle.as_mut().poll(context));
        Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
    }
}

impl AsyncWrite for Connection {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = ready!(Pin::new(&mut self.stream).poll_write(context, bytes));
        self.moved();
        Poll::Ready(written)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

/// Counts by codes, which are few.
#[derive(Default)]
pub struct CountsByCode(Mutex<BTreeMap<&'static str, u64>>);

impl CountsByCode {
    fn count(&self, code: &'static str) {
        *self.lock().entry(code).or_default() += 1;
    }

    pub fn all(&self) -> BTreeMap<&'static str, u64> {
        self.lock().clone()
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<&'static str, u64>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A count that only rises.
#[derive(Default)]
pub struct Counter(AtomicU64);

impl Counter {
    pub fn add(&self, n: u64) {
        self.0.fetch_add(n, Ordering::Relaxed);
    }

    pub fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}
