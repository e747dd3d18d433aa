//! What was read from a polled target: the latest that is good, and what is wrong now.

use std::path::Path;

use super::Connector;
use super::target::{Kind, Target};
use crate::self_check::Input;
use crate::source::{FailureReason, SourceContents, SourceFailure};
use crate::source::{Loader, loader};

/// What is judged of a polled target, and what could not be read at the latest poll.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Held {
    pub(super) parts: Vec<Part>,
    pub(super) failures: Vec<SourceFailure>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Part {
    pub(super) source: String,
    pub(super) input: Input,
    /// Each certificate is a matter of its own.
    pub(super) is_collection: bool,
    had_failures: bool,
}

impl Held {
    /// What is held after another poll.
    pub(super) fn poll(
        &self,
        target: &Target,
        loader: &Loader,
        connector: Option<&dyn Connector>,
    ) -> Self {
        match &target.kind {
            Kind::Path(path) => self.after(path, loader.load(path)),
            Kind::Endpoint(endpoint) => self.after_connection(endpoint, connector),
            _ => self.clone(),
        }
    }

    fn after_connection(&self, endpoint: &str, connector: Option<&dyn Connector>) -> Self {
        let fetched = match connector {
            Some(connector) => connector
                .certificates(endpoint)
                .map_err(|error| error.to_string()),
            None => Err(
                "the monitor has no connector: give it one with MonitorBuilder::with_connector"
                    .to_owned(),
            ),
        };
        match fetched {
            Ok(chain) if chain.is_empty() => self.failed(endpoint, "it presented no certificate"),
            Ok(chain) => Self {
                parts: vec![Part {
                    source: endpoint.to_owned(),
                    input: Input::Chain(endpoint.to_owned(), chain),
                    is_collection: false,
                    had_failures: false,
                }],
                failures: Vec::new(),
            },
            Err(error) => self.failed(endpoint, &error),
        }
    }

    fn failed(&self, endpoint: &str, detail: &str) -> Self {
        let failure = SourceFailure::whole(endpoint, FailureReason::Connection, detail);
        Self {
            parts: self.parts.clone(),
            failures: vec![failure],
        }
    }

    /// What could be read takes the place of what was; what could not, does not: a file that is
    /// removed, cut or half-written keeps being judged by what it last held.
    fn after(&self, path: &Path, fresh: Vec<SourceContents>) -> Self {
        let (mut parts, mut failures) = (Vec::new(), Vec::new());
        let mut blind = Vec::new();
        let mut seen = Vec::new();
        for mut contents in fresh {
            let source = contents.source.to_string();
            let is_collection =
                (contents.certificates.first()).is_none_or(|first| first.certificate.is_ca());
            let had_failures = !contents.failures.is_empty();
            failures.append(&mut contents.failures);
            let known = self.parts.iter().find(|part| part.source == source);
            let is_torn = !is_collection && had_failures;
            match known {
                Some(known) if contents.certificates.is_empty() => parts.push(known.clone()),
                Some(known) if is_torn && !known.had_failures => parts.push(known.clone()),
                _ if contents.certificates.is_empty() => blind.push(source.clone()),
                _ => parts.push(Part {
                    source: source.clone(),
                    input: Input::Contents(contents),
                    is_collection,
                    had_failures,
                }),
            }
            seen.push(source);
        }
        for part in &self.parts {
            if seen.contains(&part.source) {
                continue;
            }
            let is_below = |blind: &String| Path::new(&part.source).starts_with(blind);
            let is_target = part.source == loader::name(path);
            if is_target && !blind.iter().any(is_below) {
                let detail = "a folder is there in place of the file";
                let reason = FailureReason::NotAFile;
                failures.push(SourceFailure::whole(&part.source, reason, detail));
            }
            // What was deleted from a folder is gone; what nobody could look for is not.
            if is_target || blind.iter().any(is_below) {
                parts.push(part.clone());
            }
        }
        Self { parts, failures }
    }
}
