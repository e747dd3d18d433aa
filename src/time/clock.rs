//! The one place that reads the clock.

use pki_types::UnixTime;

use crate::time::Timestamp;

#[allow(clippy::disallowed_methods)] // The one place.
pub(crate) fn now() -> Timestamp {
    UnixTime::now().into()
}
