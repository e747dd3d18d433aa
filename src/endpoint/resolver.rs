//! The addresses of a name, within a deadline: an edge, for it asks the resolver on a thread.

use std::io;
use std::net::{SocketAddr, ToSocketAddrs as _};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, mpsc};
use std::thread;

use super::{EndpointAddress, EndpointError, EndpointStep};
use crate::time::clock::Deadline;

/// The most names of one connector that the system's resolver is asked for at once. It cannot be
/// told to stop, so a thread that waits for it past the deadline is left behind.
const MAX_RESOLVING: usize = 64;

/// Asks the system's resolver.
#[derive(Debug, Clone, Default)]
pub(super) struct Resolver {
    waiting: Arc<AtomicUsize>,
}

impl Resolver {
    /// The addresses of this endpoint, in the order in which they are to be tried.
    pub(super) fn addresses(
        &self,
        endpoint: &EndpointAddress,
        deadline: &Deadline,
    ) -> Result<Vec<SocketAddr>, EndpointError> {
        if let Some(ip) = endpoint.ip() {
            return Ok(vec![SocketAddr::new(ip, endpoint.port)]);
        }
        let unresolved = |source| EndpointError::Unresolved {
            host: endpoint.host.clone(),
            source,
        };
        let asked = self.ask(endpoint).map_err(unresolved)?;
        match asked.recv_timeout(deadline.left()) {
            Ok(Ok(addresses)) if addresses.is_empty() => {
                Err(unresolved(io::ErrorKind::NotFound.into()))
            }
            Ok(answer) => answer.map_err(unresolved),
            Err(_) => Err(EndpointError::DeadlinePassed {
                address: endpoint.clone(),
                step: EndpointStep::Resolve,
                deadline: deadline.length(),
            }),
        }
    }

    fn ask(
        &self,
        endpoint: &EndpointAddress,
    ) -> io::Result<mpsc::Receiver<io::Result<Vec<SocketAddr>>>> {
        if self.waiting.fetch_add(1, Ordering::AcqRel) >= MAX_RESOLVING {
            self.waiting.fetch_sub(1, Ordering::AcqRel);
            let message = "the resolver owes answers for too many names already";
            return Err(io::Error::other(message));
        }
        let (answer, asked) = mpsc::sync_channel(1);
        let (host, port) = (endpoint.host.clone(), endpoint.port);
        let waiting = Arc::clone(&self.waiting);
        let thread = thread::Builder::new().name("notafter-resolver".to_owned());
        let started = thread.spawn(move || {
            let addresses = (host.as_str(), port).to_socket_addrs();
            waiting.fetch_sub(1, Ordering::AcqRel);
            // Nobody may wait any more.
            let _ = answer.send(addresses.map(Iterator::collect));
        });
        if let Err(error) = started {
            self.waiting.fetch_sub(1, Ordering::AcqRel);
            return Err(error);
        }
        Ok(asked)
    }
}
