//! What must hold with every line of rustls: these files are compiled here with the one that the crate is for, and
//! in `.ci/rustls-0.24` with the next. They know nothing of rustls but what `support::line` has of it.

mod judged_clients;
mod judged_servers;
mod kept_sessions;

use std::sync::Arc;

use notafter::SpkiPin;
use notafter::testing::TestClock;

use crate::support::pki::{Leaf, NOW};

const NAME: &str = "service.example";

/// A clock that stands at the instant of the tests.
fn clock() -> Arc<TestClock> {
    Arc::new(TestClock::at(NOW))
}

fn pin_of(leaf: &Leaf) -> SpkiPin {
    SpkiPin::from_certificate(&leaf.certificate())
}
