//! Endpoints that are being asked, each on a thread of its own: an edge, for it starts threads.

use std::collections::HashMap;
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::Duration;

use super::outcome::{Outcome, Work};
use super::run::Wake;
use super::work::Evaluator;
use crate::time::Timestamp;
use crate::time::clock::Deadline;

/// The most endpoints that are asked at once.
const MAX_AT_ONCE: usize = 16;

/// The most threads, with those that are left behind in connectors that do not return.
const MAX_THREADS: usize = 64;

/// The attempts in progress, and those that were given up and have not returned.
pub(super) struct Attempts {
    evaluator: Arc<Evaluator>,
    wake: Arc<Wake>,
    answer: mpsc::Sender<Answer>,
    answers: mpsc::Receiver<Answer>,
    /// By their numbers; one of each target.
    running: HashMap<u64, Attempt>,
    /// What became due anew while it was being asked.
    waiting: Vec<Work>,
    last_number: u64,
}

/// One attempt.
struct Attempt {
    work: Work,
    begun: Timestamp,
    deadline: Deadline,
    is_given_up: bool,
}

struct Answer {
    number: u64,
    outcome: Outcome,
}

impl Attempts {
    /// Each answer wakes whoever waits.
    pub(super) fn new(evaluator: Arc<Evaluator>, wake: Arc<Wake>) -> Self {
        let (answer, answers) = mpsc::channel();
        Self {
            evaluator,
            wake,
            answer,
            answers,
            running: HashMap::new(),
            waiting: Vec::new(),
            last_number: 0,
        }
    }

    /// How many more can be begun.
    pub(super) fn room(&self) -> usize {
        let running = self.running.values();
        let asked = running.filter(|attempt| !attempt.is_given_up).count();
        let threads = MAX_THREADS.saturating_sub(self.running.len());
        MAX_AT_ONCE.saturating_sub(asked).min(threads)
    }

    /// Begins one; what is known at once.
    pub(super) fn begin(&mut self, work: Work, now: Timestamp) -> Option<Outcome> {
        if !work.is_polled {
            return Some(self.evaluator.run(&work, &|_| true, now));
        }
        self.waiting.retain(|waiting| waiting.id != work.id);
        match self.attempt_at(&work) {
            // It still hangs.
            Some(attempt) if attempt.is_given_up => {
                return Some(self.evaluator.unanswered(&work, now));
            }
            Some(_) => {
                self.waiting.push(work);
                return None;
            }
            None => {}
        }
        self.last_number += 1;
        let number = self.last_number;
        let (evaluator, wake) = (Arc::clone(&self.evaluator), Arc::clone(&self.wake));
        let (answer, asked) = (self.answer.clone(), work.clone());
        let thread = thread::Builder::new().name("notafter-endpoint".to_owned());
        let begun = thread.spawn(move || {
            let outcome = evaluator.run(&asked, &|_| true, now);
            // Nobody may wait any more.
            let _ = answer.send(Answer { number, outcome });
            wake.poke();
        });
        if begun.is_err() {
            // There is no thread to be had.
            return Some(self.evaluator.run(&work, &|_| true, now));
        }
        let attempt = Attempt {
            work,
            begun: now,
            deadline: Deadline::after(self.evaluator.patience()),
            is_given_up: false,
        };
        self.running.insert(number, attempt);
        None
    }

    /// The one at the same target, whatever generation of it.
    fn attempt_at(&self, work: &Work) -> Option<&Attempt> {
        let is_it = |attempt: &&Attempt| {
            attempt.work.id == work.id && Arc::ptr_eq(&attempt.work.target, &work.target)
        };
        self.running.values().find(is_it)
    }

    /// What waited for an attempt that is over.
    pub(super) fn no_longer_waiting(&mut self) -> Vec<Work> {
        let waiting = std::mem::take(&mut self.waiting);
        let is_asked = |work: &Work| {
            let attempt = self.attempt_at(work);
            attempt.is_some_and(|attempt| !attempt.is_given_up)
        };
        let (waiting, ready) = waiting.into_iter().partition(is_asked);
        self.waiting = waiting;
        ready
    }

    /// What was answered, and what has had its time.
    pub(super) fn finished(&mut self) -> Vec<Outcome> {
        let mut finished = Vec::new();
        while let Ok(Answer { number, outcome }) = self.answers.try_recv() {
            let attempt = self.running.remove(&number);
            if attempt.is_some_and(|attempt| !attempt.is_given_up) {
                finished.push(outcome);
            }
        }
        let running = self.running.values_mut();
        for attempt in running.filter(|attempt| !attempt.is_given_up) {
            if attempt.deadline.left().is_zero() {
                attempt.is_given_up = true;
                finished.push(self.evaluator.unanswered(&attempt.work, attempt.begun));
            }
        }
        finished
    }

    /// How long it is until the next attempt has had its time; `None` where none is in progress.
    pub(super) fn patience(&self) -> Option<Duration> {
        let running = self.running.values().filter(|attempt| !attempt.is_given_up);
        running.map(|attempt| attempt.deadline.left()).min()
    }
}
