//! The one place that reads the clock.

use pki_types::UnixTime;

use crate::cert::Timestamp;

pub(crate) fn now() -> Timestamp {
    UnixTime::now().into()
}
