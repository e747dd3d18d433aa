//! One pair: what is served, what was found on disk, and since when they disagree.

use std::sync::Arc;

use rustls::crypto::CryptoProvider;
use rustls::sign::CertifiedKey;

use super::builder::{KeyFiles, Rules};
use super::candidate::{Judgement, Pair, leaf_on_disk};
use super::error::ReloadError;
use super::files::{Contents, Digests, Watch};
#[cfg(feature = "ocsp")]
use super::staple::{StapleState, Staples};
use crate::cert::Certificate;
use crate::source::Loader;
use crate::time::Timestamp;

/// Files that change while they are read are read again at once, at most so many times.
const ATTEMPTS: usize = 3;

/// What came of looking at a pair's content. Pure: the same state and bytes give the same step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Step {
    /// It is what is served.
    Unchanged,
    /// It is again what is served, after it was not.
    Restored,
    /// It is served from now on.
    Swapped { remarks: Vec<String> },
    /// It is not fit to be served, and may be half-written.
    Settling { error: ReloadError },
    /// It is not fit to be served. `fresh` where this content was not refused before.
    Refused { error: ReloadError, fresh: bool },
}

/// A disagreement that lasts.
#[derive(Debug, Clone)]
pub(super) struct Failing {
    /// Since when nothing on disk could be served.
    pub(super) since: Timestamp,
    pub(super) error: ReloadError,
    /// The content that was refused last, once it is taken for whole.
    refused: Option<Digests>,
}

#[derive(Debug)]
pub(super) struct Slot {
    pub(super) files: KeyFiles,
    pub(super) watch: Watch,
    pub(super) served: Pair,
    /// What handshakes get: the served key, with its staple where there is one.
    pub(super) stapled: Arc<CertifiedKey>,
    pub(super) since: Timestamp,
    pub(super) failing: Option<Failing>,
    pub(super) on_disk: Option<Certificate>,
    #[cfg(feature = "ocsp")]
    pub(super) staple: StapleState,
}

/// What slots are judged by.
#[derive(Debug)]
pub(super) struct Ground {
    pub(super) loader: Loader,
    pub(super) rules: Rules,
    pub(super) provider: Arc<CryptoProvider>,
    /// For so long files that may be half-written are no failure.
    pub(super) settle_seconds: i64,
    #[cfg(feature = "ocsp")]
    pub(super) staples: Staples,
}

impl Slot {
    /// Reads the files for the first time.
    pub(super) fn start(
        files: KeyFiles,
        ground: &Ground,
        now: Timestamp,
    ) -> Result<(Self, Contents), ReloadError> {
        let mut watch = Watch::default();
        let mut attempt = 1;
        loop {
            let reading = watch.read(&files, &ground.loader, now);
            let judgement = ground.judgement(None, now);
            match judgement.examine(&reading.contents) {
                Ok(served) => {
                    let slot = Self {
                        stapled: Arc::clone(&served.key),
                        on_disk: served.leaf().cloned(),
                        files,
                        watch,
                        served,
                        since: now,
                        failing: None,
                        #[cfg(feature = "ocsp")]
                        staple: StapleState::default(),
                    };
                    return Ok((slot, reading.contents));
                }
                Err(error) if reading.still || attempt == ATTEMPTS => return Err(error),
                Err(_) => attempt += 1,
            }
        }
    }

    /// Looks at the files; `None` where they hold still.
    pub(super) fn look(&mut self, ground: &Ground, now: Timestamp) -> Option<(Step, Contents)> {
        // What is wrong with unchanged files may be over: a time that has come, for example.
        if self.failing.is_none() && !self.watch.may_have_changed(&self.files, now) {
            return None;
        }
        let mut attempt = 1;
        loop {
            let reading = self.watch.read(&self.files, &ground.loader, now);
            let verdict = self.judge(&reading.contents, ground, now);
            if verdict.is_err() && !reading.still && attempt < ATTEMPTS {
                attempt += 1;
                continue;
            }
            let step = self.take(verdict, &reading.contents, ground, now);
            return Some((step, reading.contents));
        }
    }

    /// A pair to serve, or `None` where the content is what is served.
    fn judge(
        &self,
        contents: &Contents,
        ground: &Ground,
        now: Timestamp,
    ) -> Result<Option<Pair>, ReloadError> {
        if contents.digests() == self.served.digests {
            return Ok(None);
        }
        let judgement = Judgement {
            settled: self.has_settled(ground, now),
            ..ground.judgement(Some(&self.served), now)
        };
        judgement.examine(contents).map(Some)
    }

    /// Whether it has failed for longer than writing takes.
    fn has_settled(&self, ground: &Ground, now: Timestamp) -> bool {
        let since = self.failing.as_ref().map_or(now, |failing| failing.since);
        // A clock that was set back must not make it settle for ever.
        !(0..ground.settle_seconds).contains(&now.seconds_since(since))
    }

    fn take(
        &mut self,
        verdict: Result<Option<Pair>, ReloadError>,
        contents: &Contents,
        ground: &Ground,
        now: Timestamp,
    ) -> Step {
        self.on_disk = leaf_on_disk(contents);
        match verdict {
            Ok(None) => match self.failing.take() {
                Some(_) => Step::Restored,
                None => Step::Unchanged,
            },
            Ok(Some(pair)) => {
                let remarks = pair.remarks.clone();
                self.stapled = Arc::clone(&pair.key);
                self.served = pair;
                self.since = now;
                self.failing = None;
                Step::Swapped { remarks }
            }
            Err(error) => {
                let settled = self.has_settled(ground, now);
                let before = self.failing.take();
                let since = before.as_ref().map_or(now, |before| before.since);
                let refused_before = before.and_then(|before| before.refused);
                let (step, refused) = if !settled && error.may_be_torn() {
                    let error = error.clone();
                    (Step::Settling { error }, refused_before)
                } else {
                    let digests = Some(contents.digests());
                    let fresh = refused_before != digests;
                    let error = error.clone();
                    (Step::Refused { error, fresh }, digests)
                };
                self.failing = Some(Failing {
                    since,
                    error,
                    refused,
                });
                step
            }
        }
    }
}

impl Ground {
    fn judgement<'j>(&'j self, served: Option<&'j Pair>, now: Timestamp) -> Judgement<'j> {
        Judgement {
            rules: &self.rules,
            provider: &self.provider,
            served,
            settled: true,
            now,
        }
    }
}
