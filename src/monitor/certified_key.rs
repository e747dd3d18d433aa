//! What rustls serves, as something to watch: an edge, for it knows rustls's keys.

use rustls::sign::CertifiedKey;

use super::target::Target;

impl Target {
    /// The chain, and the staple where there is one, of a key as rustls holds it.
    pub fn from_certified_key(key: &CertifiedKey) -> Self {
        let target = Self::from_chain(key.cert.iter().cloned());
        match &key.ocsp {
            Some(staple) => target.with_staple(staple.clone()),
            None => target,
        }
    }
}
