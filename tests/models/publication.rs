//! `src/announce/store/pin_store.rs`: writers, one at a time, publish generations that readers load without a lock.

use loom::sync::atomic::{AtomicUsize, Ordering};
use loom::sync::{Arc, Mutex};
use loom::thread;

/// The store: what is published is a place in `generations`, as `ArcSwap` publishes a pointer.
struct Store {
    writer: Mutex<Writer>,
    published: AtomicUsize,
    generations: Vec<Place>,
}

/// What a pointer leads to. It is written without any order of its own: only publication orders it, so
/// that a reader who came too early would see what was there before.
#[derive(Default)]
struct Place {
    epoch: AtomicUsize,
    version: AtomicUsize,
}

#[derive(Default)]
struct Writer {
    version: usize,
}

#[derive(Clone, Copy, Default, PartialEq, Debug)]
struct Generation {
    epoch: usize,
    /// What the pins are made of: the version that is in force.
    version: usize,
}

impl Store {
    fn new(room: usize) -> Arc<Self> {
        Arc::new(Self {
            writer: Mutex::default(),
            published: AtomicUsize::new(0),
            generations: (0..room).map(|_| Place::default()).collect(),
        })
    }

    /// As `apply`: refused where it is no newer.
    fn apply(&self, version: usize) -> bool {
        let mut writer = self.writer.lock().unwrap();
        if version <= writer.version {
            return false;
        }
        writer.version = version;
        self.publish(version);
        true
    }

    fn publish(&self, version: usize) {
        let epoch = self.generation().epoch + 1;
        let place = &self.generations[epoch];
        place.epoch.store(epoch, Ordering::Relaxed);
        place.version.store(version, Ordering::Relaxed);
        self.published.store(epoch, Ordering::Release);
    }

    fn generation(&self) -> Generation {
        let published = self.published.load(Ordering::Acquire);
        let place = &self.generations[published];
        let generation = Generation {
            epoch: place.epoch.load(Ordering::Relaxed),
            version: place.version.load(Ordering::Relaxed),
        };
        assert_eq!(generation.epoch, published, "it is not whole");
        generation
    }
}

#[test]
fn readers_see_whole_generations_that_never_go_back() {
    loom::model(|| {
        let store = Store::new(3);
        let writers = [1, 2].map(|version| {
            let store = store.clone();
            thread::spawn(move || store.apply(version))
        });
        let first = store.generation();
        let second = store.generation();
        assert!(first.epoch <= second.epoch && first.version <= second.version);
        // Each epoch has one set of pins: epoch 2 is only there where both were applied, in order.
        for generation in [first, second] {
            assert!(generation.version >= generation.epoch, "{generation:?}");
        }
        let [one, two] = writers.map(|writer| writer.join().unwrap());
        assert!(two, "the newest is applied whoever comes first");
        let last = store.generation();
        assert_eq!(
            last,
            Generation {
                epoch: 1 + usize::from(one),
                version: 2
            }
        );
    });
}

/// What was decided in one epoch is decided again in the next: a verdict is remembered with the epoch
/// of the generation that it was made by, which is loaded before anything is asked.
#[test]
fn a_verdict_never_counts_in_another_epoch() {
    loom::model(|| {
        let store = Store::new(2);
        let memory: Arc<Mutex<Option<Generation>>> = Arc::default();
        let handshake = {
            let (store, memory) = (store.clone(), memory.clone());
            thread::spawn(move || {
                let generation = store.generation();
                *memory.lock().unwrap() = Some(generation);
            })
        };
        let writer = {
            let store = store.clone();
            thread::spawn(move || store.apply(1))
        };
        let now = store.generation();
        let remembered = memory
            .lock()
            .unwrap()
            .filter(|made_by| made_by.epoch == now.epoch);
        assert!(remembered.is_none_or(|made_by| made_by == now));
        handshake.join().unwrap();
        writer.join().unwrap();
        let now = store.generation();
        let remembered = memory
            .lock()
            .unwrap()
            .filter(|made_by| made_by.epoch == now.epoch);
        assert!(remembered.is_none_or(|made_by| made_by.version == 1));
    });
}
