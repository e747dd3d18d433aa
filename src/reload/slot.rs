//! One pair: what is served, what was found on disk, and since when they disagree. An edge, for it
//! reads files and holds rustls's keys.

use std::sync::Arc;

use rustls::crypto::CryptoProvider;
use rustls::sign::CertifiedKey;

use super::candidate::{CandidateJudge, ChainCandidate, leaf_on_disk};
use super::contents::Contents;
use super::error::ReloadError;
use super::files::LastLook;
use super::key_files::KeyFiles;
use super::pair::Pair;
use super::rules::ReloadRules;
use super::served::ServedKey;
#[cfg(feature = "ocsp")]
use super::staple::{StapleStanding, StapleState, Staples};
use super::step::{Agreement, ReloadStep};
use super::telling::ToldPair;
use crate::cert::Certificate;
use crate::source::Loader;
use crate::time::Timestamp;

/// Files that change while they are read are read again at once, at most so many times.
const ATTEMPTS: usize = 3;

/// One pair.
#[derive(Debug)]
pub(super) struct Slot {
    files: KeyFiles,
    last_look: LastLook,
    served: Pair,
    /// What handshakes get: the served key, with its staple where there is one.
    pub(super) stapled: Arc<CertifiedKey>,
    since: Timestamp,
    agreement: Agreement,
    on_disk: Option<Certificate>,
    #[cfg(feature = "ocsp")]
    staple: StapleState,
}

/// What slots are filled by.
#[derive(Debug)]
pub(super) struct SlotSettings {
    pub(super) loader: Loader,
    pub(super) rules: ReloadRules,
    pub(super) provider: Arc<CryptoProvider>,
    /// For so long files that may be half-written are no failure.
    pub(super) settle_seconds: i64,
    #[cfg(feature = "ocsp")]
    pub(super) staples: Staples,
}

/// What came of a look at a pair.
pub(super) struct Look {
    /// `None` where the files hold still.
    pub(super) step: Option<ReloadStep>,
    /// Whether handshakes get something else from now on.
    pub(super) is_changed: bool,
}

impl Slot {
    /// Reads the files for the first time.
    pub(super) fn start(
        files: KeyFiles,
        settings: &SlotSettings,
        now: Timestamp,
    ) -> Result<Self, ReloadError> {
        let mut last_look = LastLook::default();
        let mut attempt = 1;
        let (served, contents) = loop {
            let reading = last_look.read(&files, &settings.loader, now);
            let judge = settings.judge(None, now);
            match Pair::examine(&reading.contents, &settings.provider, &judge) {
                Ok(served) => break (served, reading.contents),
                Err(error) if reading.still || attempt == ATTEMPTS => return Err(error),
                Err(_) => attempt += 1,
            }
        };
        let mut slot = Self {
            stapled: Arc::clone(&served.key),
            on_disk: served.candidate.leaf().cloned(),
            files,
            last_look,
            served,
            since: now,
            agreement: Agreement::default(),
            #[cfg(feature = "ocsp")]
            staple: StapleState::default(),
        };
        slot.refresh_staple(Some(&contents), settings, now);
        Ok(slot)
    }

    /// Looks at the files, where they may have changed.
    pub(super) fn look(&mut self, settings: &SlotSettings, now: Timestamp) -> Look {
        // What is wrong with unchanged files may be over: a time that has come, for example.
        let holds_still =
            self.agreement.failing.is_none() && !self.last_look.may_have_changed(&self.files, now);
        if holds_still {
            return Look {
                step: None,
                is_changed: self.refresh_staple(None, settings, now),
            };
        }
        let mut attempt = 1;
        loop {
            let reading = self.last_look.read(&self.files, &settings.loader, now);
            let verdict = self.judge(&reading.contents, settings, now);
            if verdict.is_err() && !reading.still && attempt < ATTEMPTS {
                attempt += 1;
                continue;
            }
            let step = self.take(verdict, &reading.contents, settings, now);
            let is_swapped = matches!(step, ReloadStep::Swapped { .. });
            let is_stapled = self.refresh_staple(Some(&reading.contents), settings, now);
            return Look {
                step: Some(step),
                is_changed: is_swapped || is_stapled,
            };
        }
    }

    /// A pair to serve, or `None` where the content is what is served.
    fn judge(
        &self,
        contents: &Contents,
        settings: &SlotSettings,
        now: Timestamp,
    ) -> Result<Option<Pair>, ReloadError> {
        let served = &self.served.candidate;
        if contents.digests() == served.digests {
            return Ok(None);
        }
        let judge = CandidateJudge {
            settled: self.agreement.has_settled(settings.settle_seconds, now),
            ..settings.judge(Some(served), now)
        };
        Pair::examine(contents, &settings.provider, &judge).map(Some)
    }

    fn take(
        &mut self,
        verdict: Result<Option<Pair>, ReloadError>,
        contents: &Contents,
        settings: &SlotSettings,
        now: Timestamp,
    ) -> ReloadStep {
        self.on_disk = leaf_on_disk(contents);
        match verdict {
            Ok(None) => self.agreement.unchanged(),
            Ok(Some(pair)) => {
                let remarks = pair.candidate.remarks.clone();
                self.stapled = Arc::clone(&pair.key);
                self.served = pair;
                self.since = now;
                self.agreement.swapped(remarks)
            }
            Err(error) => {
                let (digests, settle_seconds) = (contents.digests(), settings.settle_seconds);
                self.agreement.refused(error, digests, settle_seconds, now)
            }
        }
    }

    /// Takes the staple that was read, and drops one that is over; says whether handshakes get
    /// something else from now on.
    #[cfg(feature = "ocsp")]
    fn refresh_staple(
        &mut self,
        contents: Option<&Contents>,
        settings: &SlotSettings,
        now: Timestamp,
    ) -> bool {
        if self.files.staple.is_none() {
            return false;
        }
        let read = contents.and_then(|contents| contents.staple.as_ref());
        let chain = &self.served.candidate.chain;
        let bytes = self.staple.refresh(read, chain, &settings.staples, now);
        if bytes.as_deref() == self.stapled.ocsp.as_deref() {
            return false;
        }
        self.stapled = Arc::new(CertifiedKey {
            ocsp: bytes.map(|bytes| bytes.to_vec()),
            ..CertifiedKey::clone(&self.served.key)
        });
        true
    }

    #[cfg(not(feature = "ocsp"))]
    #[allow(clippy::unused_self)]
    const fn refresh_staple(
        &mut self,
        _: Option<&Contents>,
        _: &SlotSettings,
        _: Timestamp,
    ) -> bool {
        false
    }

    /// What should be told of the staple; `None` where none is configured, and while it may be
    /// half-written.
    #[cfg(feature = "ocsp")]
    pub(super) fn staple_standing(
        &self,
        settle_seconds: i64,
        now: Timestamp,
    ) -> Option<StapleStanding> {
        let file = self.files.staple.as_deref()?;
        let leaf = self.served.candidate.leaf()?;
        self.staple.standing(file, leaf, settle_seconds, now)
    }

    /// The chain that is served.
    pub(super) const fn candidate(&self) -> &ChainCandidate {
        &self.served.candidate
    }

    /// As it is told of.
    pub(super) fn told(&self) -> ToldPair<'_> {
        ToldPair {
            file: &self.files.certificates,
            #[cfg(feature = "ocsp")]
            staple_file: self.files.staple.as_deref(),
            leaf: self.served.candidate.leaf(),
            since: self.since,
            remarks: &self.served.candidate.remarks,
        }
    }

    /// As it is shown.
    pub(super) fn shown(&self) -> ServedKey {
        let failing = self.agreement.failing.as_ref();
        ServedKey {
            certificate_file: self.files.certificates.clone(),
            key_file: self.files.key.clone(),
            certificates: self.served.candidate.chain.clone(),
            since: self.since,
            on_disk: self.on_disk.clone(),
            #[cfg(feature = "ocsp")]
            staple_good_until: self.staple.served_until,
            #[cfg(not(feature = "ocsp"))]
            staple_good_until: None,
            stale_since: failing.map(|failing| failing.since),
            error: failing.map(|failing| failing.error.clone()),
        }
    }
}

impl SlotSettings {
    fn judge<'j>(
        &'j self,
        served: Option<&'j ChainCandidate>,
        now: Timestamp,
    ) -> CandidateJudge<'j> {
        CandidateJudge {
            rules: &self.rules,
            algorithms: self.provider.signature_verification_algorithms.all,
            served,
            settled: true,
            now,
        }
    }
}
