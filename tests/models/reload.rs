//! `src/reload/key.rs`: whoever polls reads the files and swaps the table under one lock; handshakes load
//! the table without one.

use loom::sync::atomic::{AtomicUsize, Ordering};
use loom::sync::{Arc, Mutex};
use loom::thread;

#[derive(Clone, Copy, Default, PartialEq, Debug)]
struct Pair {
    certificate: usize,
    key: usize,
}

/// The files; each is written by itself.
#[derive(Default)]
struct Disk {
    certificate: AtomicUsize,
    key: AtomicUsize,
}

impl Disk {
    fn deploy(&self, number: usize) {
        self.certificate.store(number, Ordering::SeqCst);
        self.key.store(number, Ordering::SeqCst);
    }
}

/// What a pointer leads to, ordered by its publication alone.
#[derive(Default)]
struct Table {
    certificate: AtomicUsize,
    key: AtomicUsize,
}

struct Reloading {
    disk: Arc<Disk>,
    /// What is served, as the one who polls knows it.
    state: Mutex<Pair>,
    table: AtomicUsize,
    tables: Vec<Table>,
    status: Mutex<Pair>,
}

impl Reloading {
    fn new(disk: &Arc<Disk>, room: usize) -> Arc<Self> {
        Arc::new(Self {
            disk: disk.clone(),
            state: Mutex::default(),
            table: AtomicUsize::new(0),
            tables: (0..room).map(|_| Table::default()).collect(),
            status: Mutex::default(),
        })
    }

    fn poll(&self) {
        let mut served = self.state.lock().unwrap();
        let found = Pair {
            certificate: self.disk.certificate.load(Ordering::SeqCst),
            key: self.disk.key.load(Ordering::SeqCst),
        };
        // The key signs, the certificate verifies; and what was issued earlier is refused.
        let is_fit = found.certificate == found.key && found.certificate > served.certificate;
        if is_fit {
            *served = found;
            let place = self.table.load(Ordering::Acquire) + 1;
            let table = &self.tables[place];
            table
                .certificate
                .store(found.certificate, Ordering::Relaxed);
            table.key.store(found.key, Ordering::Relaxed);
            self.table.store(place, Ordering::Release);
        }
        *self.status.lock().unwrap() = *served;
    }

    fn resolve(&self) -> Pair {
        let table = &self.tables[self.table.load(Ordering::Acquire)];
        Pair {
            certificate: table.certificate.load(Ordering::Relaxed),
            key: table.key.load(Ordering::Relaxed),
        }
    }
}

#[test]
fn a_handshake_gets_a_whole_pair_and_the_last_poll_wins() {
    loom::model(|| {
        let disk = Arc::new(Disk::default());
        let reloading = Reloading::new(&disk, 3);
        let renewal = thread::spawn(move || disk.deploy(1));
        let poller = {
            let reloading = reloading.clone();
            thread::spawn(move || reloading.poll())
        };
        let (first, second) = (reloading.resolve(), reloading.resolve());
        assert!(first.certificate == first.key && second.certificate == second.key);
        assert!(first.certificate <= second.certificate, "it went back");
        renewal.join().unwrap();
        // The thread may be at it still, with what it read before.
        reloading.poll();
        poller.join().unwrap();
        let renewed = Pair {
            certificate: 1,
            key: 1,
        };
        assert_eq!(reloading.resolve(), renewed);
        assert_eq!(*reloading.status.lock().unwrap(), renewed);
    });
}
