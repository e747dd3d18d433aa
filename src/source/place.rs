//! Where in a source something stands.

use std::fmt;
use std::sync::Arc;

use crate::text::visible;

/// Where something stands; printed as `tls.crt, block 2, line 31`.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Place {
    /// The file's path, or the name that the caller gave.
    pub source: Arc<str>,
    /// Which PEM block, counted from 1; `None` for DER and for whole files.
    pub block: Option<usize>,
    /// Which line, counted from 1; `None` for DER and for whole files.
    pub line: Option<usize>,
    /// Which byte, counted from 0.
    pub offset: usize,
}

impl Place {
    pub(crate) fn whole(source: &str) -> Self {
        Self {
            source: source.into(),
            block: None,
            line: None,
            offset: 0,
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&visible(&self.source))?;
        if let Some(block) = self.block {
            write!(f, ", block {block}")?;
        }
        if let Some(line) = self.line {
            write!(f, ", line {line}")?;
        }
        Ok(())
    }
}
