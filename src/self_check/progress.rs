//! How far a check is.

use std::fmt;

use crate::text::visible;

/// How far a check is, for whoever waits for it; printed as `12 of 340 done, now tls.crt`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Progress<'p> {
    /// The file, folder or endpoint that is looked at now, or that was last.
    pub source: &'p str,
    /// How many sources are done with.
    pub done: usize,
    /// How many are known of: the files of a folder are once it was read.
    pub known: usize,
}

impl fmt::Display for Progress<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (done, known, source) = (self.done, self.known, visible(self.source));
        write!(f, "{done} of {known} done, now {source}")
    }
}
