//! Where a pair comes from, and how it is got from there: an edge, for it reads files.

use std::path::Path;
use std::sync::Arc;

use rustls::sign::SigningKey;

use super::contents::Contents;
use super::error::ReloadError;
use super::files::LastLook;
use super::key_files::KeyFiles;
use super::key_material::KeyMaterial;
use super::key_source::{KeySource, NamedSource};
use super::served::Whence;
use crate::source::{FailureReason, Loader, SourceFailure, path_name};
use crate::time::Timestamp;

/// Where one pair comes from.
#[derive(Debug)]
pub(super) enum PairPlace {
    Files {
        files: KeyFiles,
        last_look: LastLook,
    },
    /// What the application pushes, or its own source gives.
    Given(GivenPair),
}

/// A pair that is given under a name.
#[derive(Debug)]
pub(super) struct GivenPair {
    name: String,
    /// `None` where it is pushed.
    source: Option<NamedSource>,
    /// What was given last, until it is served.
    latest: Option<Result<KeyMaterial, ReloadError>>,
}

/// What was got, and how.
pub(super) struct Reading {
    pub(super) contents: Contents,
    /// What signs, where the key stays elsewhere.
    pub(super) signer: Option<Arc<dyn SigningKey>>,
    /// Why the source gave nothing.
    pub(super) failure: Option<ReloadError>,
    /// Whether it held still meanwhile.
    pub(super) still: bool,
}

impl PairPlace {
    pub(super) fn from_files(files: KeyFiles) -> Self {
        Self::Files {
            files,
            last_look: LastLook::default(),
        }
    }

    pub(super) fn pushed(name: String, material: KeyMaterial) -> Self {
        Self::Given(GivenPair {
            name,
            source: None,
            latest: Some(Ok(material)),
        })
    }

    /// Asked by nobody yet.
    pub(super) fn from_source(source: Arc<dyn KeySource>) -> Self {
        let source = NamedSource::new(source);
        Self::Given(GivenPair {
            name: source.name.clone(),
            source: Some(source),
            latest: None,
        })
    }

    /// What it is called in messages: the certificates' file, or the source.
    pub(super) fn name(&self) -> String {
        match self {
            Self::Files { files, .. } => path_name(&files.certificates),
            Self::Given(given) => given.name.clone(),
        }
    }

    /// What the staple is called in messages; `None` where there is none for sure.
    #[cfg(feature = "ocsp")]
    pub(super) fn staple_name(&self) -> Option<String> {
        match self {
            Self::Files { files, .. } => files.staple.as_deref().map(path_name),
            Self::Given(given) => Some(given.name.clone()),
        }
    }

    /// The file of the key; of what has none, its name.
    pub(super) fn key_file(&self) -> &Path {
        match self {
            Self::Files { files, .. } => &files.key,
            Self::Given(given) => Path::new(&given.name),
        }
    }

    /// The certificates' file; of what has none, its name.
    pub(super) fn certificate_file(&self) -> &Path {
        match self {
            Self::Files { files, .. } => &files.certificates,
            Self::Given(given) => Path::new(&given.name),
        }
    }

    pub(super) fn whence(&self) -> Whence {
        match self {
            Self::Files { .. } => Whence::Disk,
            Self::Given(_) => Whence::Source,
        }
    }

    /// Whether messages of the two cannot be told apart, though both are not files.
    pub(super) fn shares_name_with(&self, other: &Self) -> bool {
        let are_files = self.whence() == Whence::Disk && other.whence() == Whence::Disk;
        !are_files && self.name() == other.name()
    }

    pub(super) fn is_of_files(&self, these: &KeyFiles) -> bool {
        matches!(self, Self::Files { files, .. } if files == these)
    }

    /// The source, where the caller has one of its own.
    pub(super) fn source(&self) -> Option<&NamedSource> {
        match self {
            Self::Given(given) => given.source.as_ref(),
            Self::Files { .. } => None,
        }
    }

    pub(super) fn is_pushed_as(&self, name: &str) -> bool {
        matches!(self, Self::Given(given) if given.source.is_none() && given.name == name)
    }

    /// Asks the caller's own source, if it is one, which may block.
    pub(super) fn ask(&mut self) {
        if let Self::Given(given) = self {
            if let Some(source) = &given.source {
                given.latest = Some(source.fetch());
            }
        }
    }

    /// That this was given; of files nothing is.
    pub(super) fn give(&mut self, latest: Result<KeyMaterial, ReloadError>) {
        if let Self::Given(given) = self {
            given.latest = Some(latest);
        }
    }

    /// Lets go of what was given last: it is what is served.
    pub(super) fn let_go(&mut self) {
        if let Self::Given(given) = self {
            given.latest = None;
        }
    }

    /// Whether there may be something new; what failed may be over: a time that has come, for example.
    pub(super) fn may_have_changed(&self, is_failing: bool, now: Timestamp) -> bool {
        match self {
            Self::Files { files, last_look } => {
                is_failing || last_look.may_have_changed(files, now)
            }
            Self::Given(given) => given.latest.is_some(),
        }
    }

    /// Whether there is something to read at all.
    pub(super) fn is_readable(&self) -> bool {
        match self {
            Self::Files { .. } => true,
            Self::Given(given) => given.latest.is_some(),
        }
    }

    /// For so long what is found here may be half-written: what is given is whole.
    pub(super) fn settle_seconds(&self, of_files: i64) -> i64 {
        match self {
            Self::Files { .. } => of_files,
            Self::Given(_) => 0,
        }
    }

    pub(super) fn read(&mut self, loader: &Loader, now: Timestamp) -> Reading {
        match self {
            Self::Files { files, last_look } => {
                let (contents, still) = last_look.read(files, loader, now);
                Reading {
                    contents,
                    signer: None,
                    failure: None,
                    still,
                }
            }
            Self::Given(given) => given.read(),
        }
    }
}

impl GivenPair {
    fn read(&self) -> Reading {
        let (material, failure) = match &self.latest {
            Some(Ok(material)) => (Some(material), None),
            Some(Err(error)) => (None, Some(error.clone())),
            None => (
                None,
                Some(ReloadError::SourceFailed {
                    name: self.name.clone(),
                    reason: "it was not asked yet".to_owned(),
                }),
            ),
        };
        let missing =
            || SourceFailure::whole(&self.name, FailureReason::NotFound, "nothing was given");
        Reading {
            contents: Contents {
                certificate_file: self.name.clone(),
                key_file: self.name.clone(),
                certificates: material.map(|m| m.chain.clone()).ok_or_else(missing),
                key: material.map(|m| m.key.clone()).ok_or_else(missing),
                #[cfg(feature = "ocsp")]
                staple: material.map(|m| m.staple.clone().ok_or_else(missing)),
            },
            signer: material.and_then(|material| material.signer.clone()),
            failure,
            still: true,
        }
    }
}
