//! What a path is called in messages, reports and metrics.

use std::path::Path;

/// The path for people; bytes that are not UTF-8 are replaced.
pub(crate) fn path_name(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}
