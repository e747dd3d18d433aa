//! One pair: what is served, what was found where it comes from, and since when they disagree. An
//! edge, for it reads files and holds rustls's keys.

use std::sync::Arc;

use rustls::crypto::CryptoProvider;
use rustls::sign::{CertifiedKey, SigningKey};

use super::candidate::{CandidateJudge, ChainCandidate, leaf_on_disk};
use super::contents::Contents;
use super::error::ReloadError;
use super::key_material::KeyMaterial;
use super::key_source::contained;
use super::pair::Pair;
use super::place::{PairPlace, Reading};
use super::rules::ReloadRules;
use super::served::{ServedKey, Whence};
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
    place: PairPlace,
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
    /// `None` where nothing may have changed.
    pub(super) step: Option<ReloadStep>,
    /// Whether handshakes get something else from now on.
    pub(super) is_changed: bool,
}

/// How a pair is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Looking {
    /// Read where they may have changed; what looks half-written may be.
    AsUsual,
    /// Read whatever they look like, and taken for whole: somebody says that they are.
    Now,
}

impl Slot {
    /// Reads the pair for the first time: the slot serves it unless the step has an error.
    pub(super) fn start(
        place: PairPlace,
        settings: &SlotSettings,
        now: Timestamp,
    ) -> (Self, ReloadStep) {
        let mut slot = Self {
            place,
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

    /// Looks at where it comes from, where that may have changed.
    pub(super) fn look(
        &mut self,
        settings: &SlotSettings,
        looking: Looking,
        now: Timestamp,
    ) -> Look {
        let is_failing = self.agreement.failing.is_some();
        let is_read = match looking {
            Looking::AsUsual => self.place.may_have_changed(is_failing, now),
            Looking::Now => self.place.is_readable(),
        };
        if !is_read {
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
            Looking::AsUsual => self.place.settle_seconds(settings.settle_seconds),
            Looking::Now => 0,
        };
        let mut attempt = 1;
        loop {
            let reading = self.place.read(&settings.loader, now);
            let verdict = self.judge(&reading, settings, settle_seconds, now);
            if verdict.is_err() && !reading.still && attempt < ATTEMPTS {
                attempt += 1;
                continue;
            }
            let is_other = matches!(verdict, Ok(Some(_)));
            let step = self.take(verdict, &reading.contents, settle_seconds, now);
            if step.error().is_none() {
                self.place.let_go();
            }
            let offered = match (self.place.whence(), step.error()) {
                // What is given comes with its pair. A file of its own may be good beside a bad one.
                (Whence::Source, Some(_)) => None,
                _ => Some(&reading.contents),
            };
            let is_stapled = self.refresh_staple(offered, settings, now);
            return (step, is_other || is_stapled);
        }
    }

    /// A pair to serve, or `None` where what was read is what is served.
    fn judge(
        &self,
        reading: &Reading,
        settings: &SlotSettings,
        settle_seconds: i64,
        now: Timestamp,
    ) -> Result<Option<Pair>, ReloadError> {
        if let Some(failure) = &reading.failure {
            return Err(failure.clone());
        }
        let Reading {
            contents, signer, ..
        } = reading;
        let served = self.candidate();
        let is_same = served.is_some_and(|served| contents.digests() == served.digests);
        if is_same && signer.as_ref().is_none_or(|signer| self.signs_by(signer)) {
            return Ok(None);
        }
        let judge = CandidateJudge {
            rules: &settings.rules,
            algorithms: settings.provider.signature_verification_algorithms.all,
            served,
            settled: self.agreement.has_settled(settle_seconds, now),
            now,
        };
        // A signer is the caller's code, and so is who is asked for a passphrase.
        contained(&contents.certificate_file, || {
            Pair::examine(contents, signer.as_ref(), &settings.provider, &judge).map(Some)
        })
    }

    /// Whether this very signer signs at the moment.
    fn signs_by(&self, signer: &Arc<dyn SigningKey>) -> bool {
        let served = self.served.as_ref();
        served.is_some_and(|served| Arc::ptr_eq(&served.key.key, signer))
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
            // Another signer for the same key: a connection to a token that was made anew.
            Ok(Some(pair)) if self.shows_the_same_as(&pair) => {
                self.stapled = Some(Arc::clone(&pair.key));
                self.served = Some(pair);
                self.agreement.unchanged()
            }
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

    fn shows_the_same_as(&self, pair: &Pair) -> bool {
        let served = self.candidate();
        served.is_some_and(|served| served.digests == pair.candidate.digests)
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
        if self.place.staple_name().is_none() {
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
        let name = self.place.staple_name()?;
        let leaf = self.candidate()?.leaf()?;
        let settle_seconds = self.place.settle_seconds(settle_seconds);
        self.staple.standing(&name, leaf, settle_seconds, now)
    }

    /// Where it comes from.
    pub(super) const fn place(&self) -> &PairPlace {
        &self.place
    }

    /// That this was given, to be looked at.
    pub(super) fn give(&mut self, given: Result<KeyMaterial, ReloadError>) {
        self.place.give(given);
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
            name: self.place.name(),
            #[cfg(feature = "ocsp")]
            staple_name: self.place.staple_name(),
            leaf: self.candidate().and_then(ChainCandidate::leaf),
            since: self.since,
            remarks: self.candidate().map(|served| &served.remarks),
        }
    }

    /// As it is shown.
    pub(super) fn shown(&self, settle_seconds: i64) -> ServedKey {
        let failing = self.agreement.failing.as_ref();
        ServedKey {
            certificate_file: self.place.certificate_file().to_owned(),
            key_file: self.place.key_file().to_owned(),
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
            whence: self.place.whence(),
            settle_seconds: self.place.settle_seconds(settle_seconds),
        }
    }
}
