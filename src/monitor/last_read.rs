//! What was read from a polled target: the latest that is good, and what is wrong now.

use std::collections::{HashMap, HashSet};
use std::ffi::OsStr;
use std::path::Path;
use std::sync::Arc;

use pki_types::CertificateDer;

use super::known::{Keyed, KnownInOrder};
use super::looked::{FreshRead, LookedFile};
use super::parts::SourceKey;
use super::settling::Settling;
use crate::self_check::Input;
use crate::source::{FailureReason, SourceContents, SourceFailure, path_name};
use crate::time::Timestamp;

/// What is judged of a polled target, and what could not be read at the latest poll.
#[derive(Debug, Default)]
pub(super) struct LastRead {
    /// In the order in which they were read.
    pub(super) sources: Vec<Arc<ReadSource>>,
    pub(super) failures: Vec<SourceFailure>,
    /// What seems damaged, or gone, and may be about to be written anew.
    held_back: Vec<HeldBack>,
    /// What each file was at the latest look.
    pub(super) files: Vec<LookedFile>,
    /// The target and the folders in it.
    folders: Vec<String>,
}

/// One file, or the endpoint, that could be read.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct ReadSource {
    pub(super) key: SourceKey,
    pub(super) name: Arc<str>,
    pub(super) input: Input,
    /// Each certificate is a matter of its own.
    pub(super) is_collection: bool,
    had_failures: bool,
}

/// A source that is not what it was, and is not told of yet.
#[derive(Debug, Clone, PartialEq, Eq)]
struct HeldBack {
    name: Arc<str>,
    since: Timestamp,
    /// How often it failed at the latest look, by reason.
    reasons: Vec<FailureReason>,
}

/// What another read brought.
#[derive(Debug)]
pub(super) struct NextRead {
    pub(super) last_read: LastRead,
    /// Files that are no longer there.
    pub(super) removed: Vec<Arc<str>>,
    /// When to look again at what is held back.
    pub(super) look_again: Option<Timestamp>,
}

impl LastRead {
    /// Whether a file, a folder or an endpoint of this name was there at the latest look.
    pub(super) fn names(&self) -> HashSet<String> {
        let files = self
            .files
            .iter()
            .map(|file| path_name(Path::new(&*file.key)));
        let sources = self.sources.iter().map(|read| read.name.to_string());
        files
            .chain(sources)
            .chain(self.folders.iter().cloned())
            .collect()
    }

    /// The reasons of everything that could not be read at the latest look, told or not.
    pub(super) fn reasons(&self) -> impl Iterator<Item = FailureReason> + '_ {
        let held_back = self
            .held_back
            .iter()
            .flat_map(|held| &held.reasons)
            .copied();
        self.failures
            .iter()
            .map(|failure| failure.reason)
            .chain(held_back)
    }

    /// Whether the same is said of what could not be read.
    pub(super) fn fails_as(&self, other: &Self) -> bool {
        self.failures == other.failures && self.failing_and_judged() == other.failing_and_judged()
    }

    fn failing_and_judged(&self) -> HashSet<&str> {
        let failing = failing(&self.failures);
        let sources = self.sources.iter().filter(|_| !failing.is_empty());
        let names = sources.map(|read| &*read.name);
        names.filter(|name| failing.contains(name)).collect()
    }

    /// Whether nothing is held back.
    pub(super) fn is_settled(&self) -> bool {
        self.held_back.is_empty()
    }

    /// What is known after an endpoint was asked once more.
    pub(super) fn after_connection(
        &self,
        endpoint: &str,
        fetched: Result<Vec<CertificateDer<'static>>, SourceFailure>,
    ) -> Self {
        let (sources, failures) = match fetched {
            Ok(chain) if chain.is_empty() => {
                let detail = "it presented no certificate";
                let reason = FailureReason::Connection;
                self.failed(SourceFailure::whole(endpoint, reason, detail))
            }
            Ok(chain) => {
                let read = ReadSource {
                    key: SourceKey::from(OsStr::new(endpoint)),
                    name: endpoint.into(),
                    input: Input::Chain(endpoint.to_owned(), chain),
                    is_collection: false,
                    had_failures: false,
                };
                let known = self.sources.iter().find(|known| ***known == read);
                let read = known.cloned().unwrap_or_else(|| Arc::new(read));
                (vec![read], Vec::new())
            }
            Err(failure) => self.failed(failure),
        };
        Self {
            sources,
            failures,
            folders: vec![endpoint.to_owned()],
            ..Self::default()
        }
    }

    fn failed(&self, failure: SourceFailure) -> (Vec<Arc<ReadSource>>, Vec<SourceFailure>) {
        (self.sources.clone(), vec![failure])
    }

    /// What is known after a file or folder was read once more.
    ///
    /// What could be read takes the place of what was; what could not, does not: a file that is
    /// removed, cut or half-written keeps being judged by what it last held. What may be about to
    /// be written anew is not told of before it has settled.
    pub(super) fn after_read(
        &self,
        path: &Path,
        fresh: FreshRead,
        settling: &Settling,
    ) -> NextRead {
        let target = path_name(path);
        let folders = fresh.folders.iter().map(|folder| path_name(folder));
        let mut reading = ReadComparison {
            last: self,
            settling,
            known: KnownInOrder::new(&self.sources),
            told: failing(&self.failures),
            held: self
                .held_back
                .iter()
                .map(|held| (&*held.name, held.since))
                .collect(),
            blind: HashSet::new(),
            removed: Vec::new(),
            next: Self {
                folders: folders.chain([target.clone()]).collect(),
                ..Self::default()
            },
        };
        for file in &fresh.files {
            reading.file(file);
        }
        reading.missing(&target, &fresh);
        let ReadComparison {
            mut next, removed, ..
        } = reading;
        next.files = fresh.files;
        let look_again = next
            .held_back
            .iter()
            .map(|held| settling.look_again(held.since));
        NextRead {
            look_again: look_again.min(),
            removed,
            last_read: next,
        }
    }
}

/// One read being compared with the one before.
struct ReadComparison<'r> {
    last: &'r LastRead,
    settling: &'r Settling,
    known: KnownInOrder<'r, Arc<ReadSource>>,
    /// The sources whose failures are told of already.
    told: HashSet<&'r str>,
    held: HashMap<&'r str, Timestamp>,
    /// Files and folders in which nothing can be seen.
    blind: HashSet<String>,
    removed: Vec<Arc<str>>,
    next: LastRead,
}

impl ReadComparison<'_> {
    fn file(&mut self, file: &LookedFile) {
        let Some(contents) = &file.contents else {
            return;
        };
        let name = &contents.source;
        let known = self.known.find(&file.key);
        let is_blind = contents.certificates.is_empty();
        if is_blind && known.is_none() {
            self.blind.insert(name.to_string());
        }
        let failed = !contents.failures.is_empty();
        // Cut where one certificate ends, it is a whole file that holds less.
        let is_news = match failed {
            true => !self.told.contains(&**name),
            false => known.is_some_and(|known| known.holds_more_than(contents)),
        };
        if is_news && !self.is_believed(name, file.age_seconds) {
            let reasons = contents.failures.iter().map(|failure| failure.reason);
            self.hold_back(name, reasons.collect());
            self.next.sources.extend(known.map(Arc::clone));
            return;
        }
        self.next.failures.extend(contents.failures.iter().cloned());
        let is_collection =
            (contents.certificates.first()).is_none_or(|first| first.certificate.is_ca());
        let is_torn = !is_collection && failed;
        match known {
            Some(known)
                if is_blind || (is_torn && !known.had_failures) || known.holds(contents) =>
            {
                self.next.sources.push(Arc::clone(known));
            }
            _ if is_blind => {}
            _ => self.next.sources.push(Arc::new(ReadSource {
                key: Arc::clone(&file.key),
                name: Arc::clone(name),
                input: Input::Contents(Arc::clone(contents)),
                is_collection,
                had_failures: failed,
            })),
        }
    }

    /// What was known, or told of, and was not found this time.
    fn missing(&mut self, target: &str, fresh: &FreshRead) {
        let last = self.last;
        let missing: Vec<_> = self.known.rest().collect();
        let mut staying = HashSet::new();
        for read in missing {
            if *read.name == *target && !self.is_below_blind(target) {
                let detail = "a folder is there in place of the file";
                let failure = SourceFailure::whole(target, FailureReason::NotAFile, detail);
                self.next.failures.push(failure);
            } else if !self.stays(&read.name) {
                self.removed.push(Arc::clone(&read.name));
                continue;
            } else {
                staying.insert(&*read.name);
            }
            self.next.sources.push(Arc::clone(read));
        }
        if self.told.is_empty() {
            return;
        }
        let known: HashSet<&str> = last.sources.iter().map(|read| &*read.name).collect();
        let there: HashSet<String> = fresh.names().collect();
        let unknown = self.told.iter().copied();
        let gone = unknown
            .filter(|name| *name != target && !known.contains(name) && !there.contains(*name));
        for name in gone.collect::<Vec<_>>() {
            match self.stays(&name.into()) {
                true => drop(staying.insert(name)),
                false => self.removed.push(name.into()),
            }
        }
        let failures = last.failures.iter();
        let staying = failures.filter(|failure| staying.contains(&*failure.place.source));
        self.next.failures.extend(staying.cloned());
    }

    /// Whether what was not found counts as there: where nobody could look for it, and while it
    /// may be about to come back.
    fn stays(&mut self, name: &Arc<str>) -> bool {
        if self.is_below_blind(name) {
            return true;
        }
        let is_gone = self.is_believed(name, None);
        if !is_gone {
            self.hold_back(name, Vec::new());
        }
        !is_gone
    }

    /// Whether it is more than the moment in which a file is written anew.
    fn is_believed(&self, name: &str, age_seconds: Option<i64>) -> bool {
        let since = self.held.get(name).copied();
        self.settling.is_believed(since, age_seconds)
    }

    fn hold_back(&mut self, name: &Arc<str>, reasons: Vec<FailureReason>) {
        let since = self.held.get(&**name).copied();
        self.next.held_back.push(HeldBack {
            name: Arc::clone(name),
            since: self.settling.since(since),
            reasons,
        });
    }

    /// Whether it lies in something that cannot be looked into, or is that.
    fn is_below_blind(&self, name: &str) -> bool {
        let mut outer = Path::new(name).ancestors();
        !self.blind.is_empty() && outer.any(|path| self.blind.contains(&*path.to_string_lossy()))
    }
}

impl Keyed for Arc<ReadSource> {
    fn key(&self) -> &OsStr {
        &self.key
    }
}

impl ReadSource {
    fn holds_more_than(&self, contents: &SourceContents) -> bool {
        match &self.input {
            Input::Contents(held) => held.certificates.len() > contents.certificates.len(),
            Input::Chain(..) => false,
        }
    }

    fn holds(&self, contents: &Arc<SourceContents>) -> bool {
        match &self.input {
            Input::Contents(held) => Arc::ptr_eq(held, contents) || held == contents,
            Input::Chain(..) => false,
        }
    }
}

/// The sources that these speak of.
fn failing(failures: &[SourceFailure]) -> HashSet<&str> {
    failures
        .iter()
        .map(|failure| &*failure.place.source)
        .collect()
}
