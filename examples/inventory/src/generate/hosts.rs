//! Who shows a certificate.

use rand_chacha::ChaCha8Rng;

use super::below;

/// A host and a port.
pub(super) struct Host {
    pub(super) name: String,
    pub(super) port: u16,
}

const TEAMS: [&str; 8] = ["shop", "mail", "pay", "iam", "edge", "data", "build", "lab"];
const PORTS: [u16; 5] = [443, 443, 443, 8443, 636];

impl Host {
    /// One of half as many hosts as there are rows, so that a host has two certificates on average.
    pub(super) fn next(rows: u64, rng: &mut ChaCha8Rng) -> Self {
        let hosts = usize::try_from(rows / 2).unwrap_or(usize::MAX).max(1);
        let number = below(rng, hosts);
        let team = TEAMS[number % TEAMS.len()];
        Self {
            name: format!("host-{number:07}.{team}.example.org"),
            port: PORTS[below(rng, PORTS.len())],
        }
    }
}
