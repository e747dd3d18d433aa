//! `src/observer/queue.rs`: events wait in a bounded queue for a thread that is started by the first of them.

use loom::sync::{Arc, Condvar, Mutex, MutexGuard};
use loom::thread;

#[derive(Default)]
struct State {
    queue: Vec<u8>,
    has_thread: bool,
    threads: usize,
    delivering: usize,
    ended: bool,
    lost: usize,
    delivered: Vec<u8>,
}

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

const ROOM: usize = 1;

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    fn observe(this: &Arc<Self>, event: u8) -> Option<thread::JoinHandle<()>> {
        let mut state = this.state();
        if state.ended {
            state.lost += 1;
        } else if state.queue.len() >= ROOM {
            state.lost += 1;
            state.queue.remove(0);
            state.queue.push(event);
        } else {
            state.queue.push(event);
        }
        let start = !state.has_thread && !state.ended;
        if start {
            state.has_thread = true;
        }
        drop(state);
        this.changed.notify_all();
        start.then(|| {
            let shared = this.clone();
            shared.state().threads += 1;
            thread::spawn(move || shared.deliver_until_ended())
        })
    }

    fn deliver_until_ended(&self) {
        while let Some(event) = self.next() {
            // The observer runs here, without the lock.
            let mut state = self.state();
            state.delivering -= 1;
            state.delivered.push(event);
            drop(state);
            self.changed.notify_all();
        }
    }

    fn next(&self) -> Option<u8> {
        let mut state = self.state();
        while state.queue.is_empty() && !state.ended {
            state = self.changed.wait(state).unwrap();
        }
        if state.queue.is_empty() {
            return None;
        }
        state.delivering += 1;
        Some(state.queue.remove(0))
    }

    /// Without the patience of the real one: loom fails the test where it would wait for ever.
    fn flush(&self) {
        let mut state = self.state();
        while state.delivering > 0 || !state.queue.is_empty() {
            state = self.changed.wait(state).unwrap();
        }
    }

    fn end(&self) {
        self.state().ended = true;
        self.changed.notify_all();
    }
}

#[test]
fn every_event_is_delivered_or_counted_as_lost_and_no_wait_is_for_ever() {
    let mut model = loom::model::Builder::new();
    // The third switch of threads that nothing forces finds no more than the second.
    model.preemption_bound = Some(2);
    model.check(|| {
        let shared = Arc::new(Shared::default());
        let other = {
            let shared = shared.clone();
            thread::spawn(move || Shared::observe(&shared, 2))
        };
        let mut threads: Vec<_> = Shared::observe(&shared, 1).into_iter().collect();
        threads.extend(other.join().unwrap());
        shared.flush();
        {
            let state = shared.state();
            assert!(state.queue.is_empty() && state.delivering == 0);
            assert_eq!(state.delivered.len() + state.lost, 2);
            assert_eq!(state.threads, 1, "one thread delivers");
        }
        shared.end();
        Shared::observe(&shared, 3);
        threads
            .into_iter()
            .for_each(|thread| thread.join().unwrap());
        let state = shared.state();
        assert_eq!(state.delivered.len() + state.lost, 3);
        assert!(!state.delivered.contains(&3), "it came after the end");
    });
}
