//! What a path is called in messages, reports and metrics.

use std::path::Path;

/// The path, where bytes that are not UTF-8 are replaced. What hides in it is escaped where it is
/// shown.
pub(crate) fn path_name(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}
