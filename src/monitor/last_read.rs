//! What was read from a polled target: the latest that is good, and what is wrong now.

use std::path::Path;

use pki_types::CertificateDer;

use crate::self_check::Input;
use crate::source::{FailureReason, SourceContents, SourceFailure, path_name};

/// What is judged of a polled target, and what could not be read at the latest poll.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct LastRead {
    pub(super) sources: Vec<ReadSource>,
    pub(super) failures: Vec<SourceFailure>,
}

/// One file, or the endpoint, that could be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ReadSource {
    pub(super) name: String,
    pub(super) input: Input,
    /// Each certificate is a matter of its own.
    pub(super) is_collection: bool,
    had_failures: bool,
}

impl LastRead {
    /// What is known after an endpoint was asked once more.
    pub(super) fn after_connection(
        &self,
        endpoint: &str,
        fetched: Result<Vec<CertificateDer<'static>>, SourceFailure>,
    ) -> Self {
        match fetched {
            Ok(chain) if chain.is_empty() => {
                let detail = "it presented no certificate";
                self.failed(SourceFailure::whole(
                    endpoint,
                    FailureReason::Connection,
                    detail,
                ))
            }
            Ok(chain) => Self {
                sources: vec![ReadSource {
                    name: endpoint.to_owned(),
                    input: Input::Chain(endpoint.to_owned(), chain),
                    is_collection: false,
                    had_failures: false,
                }],
                failures: Vec::new(),
            },
            Err(failure) => self.failed(failure),
        }
    }

    fn failed(&self, failure: SourceFailure) -> Self {
        Self {
            sources: self.sources.clone(),
            failures: vec![failure],
        }
    }

    /// What is known after a file or folder was read once more.
    ///
    /// What could be read takes the place of what was; what could not, does not: a file that is
    /// removed, cut or half-written keeps being judged by what it last held.
    pub(super) fn after_read(&self, path: &Path, fresh: Vec<SourceContents>) -> Self {
        let (mut sources, mut failures) = (Vec::new(), Vec::new());
        let mut blind = Vec::new();
        let mut seen = Vec::new();
        for mut contents in fresh {
            let source = contents.source.to_string();
            let is_collection =
                (contents.certificates.first()).is_none_or(|first| first.certificate.is_ca());
            let had_failures = !contents.failures.is_empty();
            failures.append(&mut contents.failures);
            let known = self.sources.iter().find(|last| last.name == source);
            let is_torn = !is_collection && had_failures;
            match known {
                Some(known) if contents.certificates.is_empty() => sources.push(known.clone()),
                Some(known) if is_torn && !known.had_failures => sources.push(known.clone()),
                _ if contents.certificates.is_empty() => blind.push(source.clone()),
                _ => sources.push(ReadSource {
                    name: source.clone(),
                    input: Input::Contents(contents),
                    is_collection,
                    had_failures,
                }),
            }
            seen.push(source);
        }
        for last in &self.sources {
            if seen.contains(&last.name) {
                continue;
            }
            let is_below = |blind: &String| Path::new(&last.name).starts_with(blind);
            let is_target = last.name == path_name(path);
            if is_target && !blind.iter().any(is_below) {
                let detail = "a folder is there in place of the file";
                let reason = FailureReason::NotAFile;
                failures.push(SourceFailure::whole(&last.name, reason, detail));
            }
            // What was deleted from a folder is gone; what nobody could look for is not.
            if is_target || blind.iter().any(is_below) {
                sources.push(last.clone());
            }
        }
        Self { sources, failures }
    }
}
