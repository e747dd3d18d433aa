//! By what SCTs are judged.

use std::sync::Arc;

use crate::transparency::{LogList, SctPolicy};

/// By what SCTs are judged: nothing is said of them without a list.
#[derive(Debug, Clone, Default)]
pub(crate) struct SctSettings {
    pub(crate) log_list: Option<Arc<LogList>>,
    pub(crate) policy: SctPolicy,
}
