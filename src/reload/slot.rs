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
use super::table::Row;
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
    /// `None` until a first pair is good.
    served: Option<Pair>,
    /// What handshakes get: the served key, with its staple where there is one.
    stapled: Option<Arc<CertifiedKey>>,
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

/// How files are looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Looking {
    /// Read where they may have changed; what looks half-written may be.
    AsUsual,
    /// Read whatever they look like, and taken for whole: somebody says that they are.
    Now,
}

impl Slot {
    /// Reads the files for the first time: the slot serves them unless the step has an error.
    pub(super) fn start(
        files: KeyFiles,
        settings: &SlotSettings,
        now: Timestamp,
    ) -> (Self, ReloadStep) {
        let mut slot = Self {
            files,
            last_look: LastLook::default(),
            served: None,
            stapled: None,
            since: now,
            agreement: Agreement::default(),
            on_disk: None,
            #[cfg(feature = "ocsp")]
            staple: StapleState::default(),
        };
        let (step, _) = slot.read(settings, Looking::Now, now);
        (slot, step)
    }

    /// Looks at the files, where they may have changed.
    pub(super) fn look(
        &mut self,
        settings: &SlotSettings,
        looking: Looking,
        now: Timestamp,
    ) -> Look {
        // What is wrong with unchanged files may be over: a time that has come, for example.
        let holds_still = looking == Looking::AsUsual
            && self.agreement.failing.is_none()
            && !self.last_look.may_have_changed(&self.files, now);
        if holds_still {
            return Look {
                step: None,
                is_changed: self.refresh_staple(None, settings, now),
            };
        }
        let (step, is_changed) = self.read(settings, looking, now);
        Look {
            step: Some(step),
            is_changed,
        }
    }

    /// What came of it, and whether handshakes get something else from now on.
    fn read(
        &mut self,
        settings: &SlotSettings,
        looking: Looking,
        now: Timestamp,
    ) -> (ReloadStep, bool) {
        let settle_seconds = match looking {
            Looking::AsUsual => settings.settle_seconds,
            Looking::Now => 0,
        };
        let mut attempt = 1;
        loop {
            let reading = self.last_look.read(&self.files, &settings.loader, now);
            let verdict = self.judge(&reading.contents, settings, settle_seconds, now);
            if verdict.is_err() && !reading.still && attempt < ATTEMPTS {
                attempt += 1;
                continue;
            }
            let step = self.take(verdict, &reading.contents, settle_seconds, now);
            let is_swapped = matches!(step, ReloadStep::Swapped { .. });
            let is_stapled = self.refresh_staple(Some(&reading.contents), settings, now);
            return (step, is_swapped || is_stapled);
        }
    }

    /// A pair to serve, or `None` where the content is what is served.
    fn judge(
        &self,
        contents: &Contents,
        settings: &SlotSettings,
        settle_seconds: i64,
        now: Timestamp,
    ) -> Result<Option<Pair>, ReloadError> {
        let served = self.candidate();
        if served.is_some_and(|served| contents.digests() == served.digests) {
            return Ok(None);
        }
        let judge = CandidateJudge {
            rules: &settings.rules,
            algorithms: settings.provider.signature_verification_algorithms.all,
            served,
            settled: self.agreement.has_settled(settle_seconds, now),
            now,
        };
        Pair::examine(contents, &settings.provider, &judge).map(Some)
    }

    fn take(
        &mut self,
        verdict: Result<Option<Pair>, ReloadError>,
        contents: &Contents,
        settle_seconds: i64,
        now: Timestamp,
    ) -> ReloadStep {
        self.on_disk = leaf_on_disk(contents);
        match verdict {
            Ok(None) => self.agreement.unchanged(),
            Ok(Some(pair)) => {
                let remarks = pair.candidate.remarks.clone();
                self.stapled = Some(Arc::clone(&pair.key));
                self.served = Some(pair);
                self.since = now;
                self.agreement.swapped(remarks)
            }
            Err(error) => {
                let digests = contents.digests();
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
        let Some(served) = &self.served else {
            return false;
        };
        if self.files.staple.is_none() {
            return false;
        }
        let read = contents.and_then(|contents| contents.staple.as_ref());
        let chain = &served.candidate.chain;
        let bytes = self.staple.refresh(read, chain, &settings.staples, now);
        let before = self.stapled.as_ref().and_then(|key| key.ocsp.as_deref());
        if bytes.as_deref() == before {
            return false;
        }
        self.stapled = Some(Arc::new(CertifiedKey {
            ocsp: bytes.map(|bytes| bytes.to_vec()),
            ..CertifiedKey::clone(&served.key)
        }));
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
        let leaf = self.candidate()?.leaf()?;
        self.staple.standing(file, leaf, settle_seconds, now)
    }

    /// Where it lies.
    pub(super) const fn files(&self) -> &KeyFiles {
        &self.files
    }

    /// Whether a pair was good yet.
    pub(super) const fn is_serving(&self) -> bool {
        self.served.is_some()
    }

    /// What handshakes get; `None` where no pair was good yet.
    pub(super) fn row(&self) -> Option<Row<'_>> {
        Some(Row {
            key: self.stapled.as_ref()?,
            candidate: self.candidate()?,
        })
    }

    /// The chain that is served.
    fn candidate(&self) -> Option<&ChainCandidate> {
        self.served.as_ref().map(|served| &served.candidate)
    }

    /// As it is told of.
    pub(super) fn told(&self) -> ToldPair<'_> {
        ToldPair {
            file: &self.files.certificates,
            #[cfg(feature = "ocsp")]
            staple_file: self.files.staple.as_deref(),
            leaf: self.candidate().and_then(ChainCandidate::leaf),
            since: self.since,
            remarks: self.candidate().map(|served| &served.remarks),
        }
    }

    /// As it is shown.
    pub(super) fn shown(&self) -> ServedKey {
        let failing = self.agreement.failing.as_ref();
        ServedKey {
            certificate_file: self.files.certificates.clone(),
            key_file: self.files.key.clone(),
            certificates: self
                .candidate()
                .map(|served| served.chain.clone())
                .unwrap_or_default(),
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
