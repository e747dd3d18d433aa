//! A line about how far it is, for whoever waits at a terminal.

use std::io::{self, IsTerminal as _, Write as _};
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use notafter::self_check::Progress;

use crate::output;

/// What is over sooner shows nothing.
const PATIENCE: Duration = Duration::from_secs(1);
const INTERVAL: Duration = Duration::from_millis(200);
const COLUMNS: usize = 79;

/// A line on standard error that is taken away in the end.
pub struct ProgressLine {
    latest: Arc<Mutex<String>>,
    ending: Option<Sender<()>>,
    showing: Option<JoinHandle<()>>,
}

impl ProgressLine {
    /// `None` where nobody would see it.
    pub fn begin() -> Option<Self> {
        if !io::stderr().is_terminal() || output::is_dumb() {
            return None;
        }
        let latest = Arc::<Mutex<String>>::default();
        let (ending, ended) = mpsc::channel();
        let shown = Arc::clone(&latest);
        let showing = std::thread::spawn(move || {
            let mut patience = PATIENCE;
            while ended.recv_timeout(patience) == Err(RecvTimeoutError::Timeout) {
                let line = shown.lock().unwrap_or_else(PoisonError::into_inner).clone();
                show(&line);
                patience = INTERVAL;
            }
            if patience == INTERVAL {
                show("");
            }
        });
        Some(Self {
            latest,
            ending: Some(ending),
            showing: Some(showing),
        })
    }

    pub fn tell(&self, progress: Progress<'_>) {
        let line = progress.to_string().chars().take(COLUMNS).collect();
        *self.latest.lock().unwrap_or_else(PoisonError::into_inner) = line;
    }
}

/// Puts it in place of what stands in the line.
fn show(line: &str) {
    let mut err = io::stderr().lock();
    let _ = write!(err, "\r\u{1b}[K{line}").and_then(|()| err.flush());
}

impl Drop for ProgressLine {
    fn drop(&mut self) {
        drop(self.ending.take());
        if let Some(showing) = self.showing.take() {
            let _ = showing.join();
        }
    }
}
