//! What can happen: one table.

use std::fmt;

/// Makes the enum, its names and the list of all from one table.
macro_rules! event_codes {
    ($($(#[$doc:meta])+ $variant:ident = $name:literal,)+) => {
        /// What happened. [`EventCode::as_str`] is stable.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        pub enum EventCode {
            $($(#[$doc])+ $variant,)+
        }

        impl EventCode {
            /// Every code, for metrics that want to start at zero.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)+];

            /// The stable code, in snake case.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $name,)+
                }
            }
        }
    };
}

event_codes! {
    /// A certificate on the path of an accepted peer is due, a warning, or critical.
    PeerExpiring = "peer_expiring",
    /// The inner verifier refused a peer because a certificate has expired.
    PeerExpired = "peer_expired",
    /// The inner verifier refused a peer because a certificate is not valid yet.
    PeerNotYetValid = "peer_not_yet_valid",
    /// A peer's chain that was in a worse band is ok (again).
    PeerRecovered = "peer_recovered",
    /// Pins refused a peer that the inner verifier accepted.
    PinMismatch = "pin_mismatch",
    /// A server's stapled OCSP response is not good, or is missing where it must not be.
    StapleNotGood = "staple_not_good",
    /// A server's staple is good again.
    StapleRecovered = "staple_recovered",
    /// The inner verifier accepted a peer whose leaf our own walk cannot read.
    PeerUnreadable = "peer_unreadable",
    /// Something watched is due, a warning, or critical; the role says what.
    Expiring = "expiring",
    /// Something watched is over.
    Expired = "expired",
    /// Something watched is not valid yet.
    NotYetValid = "not_yet_valid",
    /// A watched chain does not verify though its dates are fine.
    Broken = "broken",
    /// Something watched that was in a worse band is ok (again), or is no longer there.
    Recovered = "recovered",
    /// A watched file, folder or endpoint cannot be read.
    SourceFailed = "source_failed",
    /// It can be read again.
    SourceRecovered = "source_recovered",
    /// The saved state of what was told cannot be read: everything is told as if new.
    SavedStateUnreadable = "saved_state_unreadable",
    /// A changed certificate and key were loaded and are served from now on.
    ReloadSucceeded = "reload_succeeded",
    /// A certificate and key on disk cannot be served; the ones from before still are.
    ReloadFailed = "reload_failed",
    /// What lies on disk is again what is served.
    ReloadRecovered = "reload_recovered",
    /// What is served, what lies on disk and what is due disagree.
    Skew = "skew",
    /// They agree again.
    SkewRecovered = "skew_recovered",
}

impl fmt::Display for EventCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}
