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
    /// Pins would have refused a peer, if they were enforced.
    PinReportOnly = "pin_report_only",
    /// A peer showed a key that is known to be in wrong hands.
    PinRejected = "pin_rejected",
    /// A peer showed an announced key before it is accepted, and was refused.
    PinAnnouncedEarly = "pin_announced_early",
    /// A peer matched nothing but a backup pin.
    PinBackupMatched = "pin_backup_matched",
    /// A peer showed its successor key, and was accepted.
    PinSuccessorSeen = "pin_successor_seen",
    /// A successor was announced and is held down.
    PinSuccessorPending = "pin_successor_pending",
    /// A successor counts once it is listed again after its hold-down.
    PinSuccessorAwaitsListing = "pin_successor_awaits_listing",
    /// A pinned root names its next key by a hash that is a pin only once that key is seen.
    PinSuccessorAwaitsKey = "pin_successor_awaits_key",
    /// A successor's hold-down is over: it is accepted from now on.
    PinSuccessorDue = "pin_successor_due",
    /// A successor became the current key.
    PinSuccessorPromoted = "pin_successor_promoted",
    /// A successor was withdrawn before it was accepted.
    PinSuccessorWithdrawn = "pin_successor_withdrawn",
    /// Of several pinned keys only one is usable any more.
    PinOnlyOneUsable = "pin_only_one_usable",
    /// A pin set ends before the certificate that it pins.
    PinSetEndsFirst = "pin_set_ends_first",
    /// A pin set is past its date; its rule says what that means.
    PinSetExpired = "pin_set_expired",
    /// A pinned certificate is near its end and no successor key is announced.
    PinNoSuccessor = "pin_no_successor",
    /// A successor cannot be accepted before another announcement lists it.
    PinSuccessorOutlasts = "pin_successor_outlasts",
    /// A signed announcement of pins is in force.
    AnnouncementApplied = "announcement_applied",
    /// An announcement that the emergency threshold signed as one is in force.
    AnnouncementEmergency = "announcement_emergency",
    /// Announcements before the one that is in force now never arrived.
    AnnouncementMissed = "announcement_missed",
    /// The announcement in force could be applied for the last time, and none has come since.
    AnnouncementStale = "announcement_stale",
    /// The announcement in force does not follow the one before.
    AnnouncementForked = "announcement_forked",
    /// A signed announcement of pins was refused.
    AnnouncementRefused = "announcement_refused",
    /// Pins that another process applied to the same folder are in force.
    AnnouncementTakenOver = "announcement_taken_over",
    /// Other keys will announce pins.
    AuthorityPending = "authority_pending",
    /// Other keys announce pins from now on.
    AuthorityChanged = "authority_changed",
    /// The keys that were to announce pins were withdrawn.
    AuthorityWithdrawn = "authority_withdrawn",
    /// What was remembered of announced pins is lost: the compiled-in ones hold.
    StateLost = "state_lost",
    /// What was remembered of announced pins gave way to newer compiled-in ones.
    StateDiscarded = "state_discarded",
    /// What was remembered above the version of newer compiled-in pins was applied again to them.
    StateRebased = "state_rebased",
    /// Announcements that were kept do not hold with this floor or configuration; they stay kept.
    StateDoesNotHold = "state_does_not_hold",
    /// Somebody changed the pin state under a running store; it was not taken over.
    StateAltered = "state_altered",
    /// The pin state was seen later than now: a clock is wrong, or somebody wrote the state.
    StateAhead = "state_ahead",
    /// Others can write the folder of the pin state.
    StateExposed = "state_exposed",
    /// One of the two copies of the pin state could not be used.
    StateCopyDamaged = "state_copy_damaged",
    /// The pins in force are not kept in both copies.
    StateNotSaved = "state_not_saved",
    /// Announced pins are not kept over a restart.
    HoldDownCannotEnd = "hold_down_cannot_end",
    /// A peer was accepted only because of the grace for a pinned leaf.
    PinGraceUsed = "pin_grace_used",
    /// A server's stapled OCSP response is not good, or is missing where it must not be.
    StapleNotGood = "staple_not_good",
    /// A server's staple is good again.
    StapleRecovered = "staple_recovered",
    /// The inner verifier accepted a peer whose leaf our own walk cannot read.
    PeerUnreadable = "peer_unreadable",
    /// Peers presented certificates that would be accepted, and did not prove that they have the
    /// key.
    PeerUnproven = "peer_unproven",
    /// The inner verifier accepted a peer whose leaf does not say who it is, where peers are known by
    /// identities, and it was refused.
    PeerUnidentified = "peer_unidentified",
    /// The inner verifier accepts peers by other anchors than those that the wrapper was given.
    AnchorsDoNotLead = "anchors_do_not_lead",
    /// A wrapper has pins, and nobody guards its sessions.
    SessionsUnguarded = "sessions_unguarded",
    /// A peer presented more certificates than the bounds allow, and was refused unseen.
    PeerPresentedTooMuch = "peer_presented_too_much",
    /// Something watched is due, a warning, or critical; the role says what.
    Expiring = "expiring",
    /// Something watched is over.
    Expired = "expired",
    /// Something watched is not valid yet.
    NotYetValid = "not_yet_valid",
    /// A watched chain does not verify though its dates are fine.
    Broken = "broken",
    /// There is no trust anchor to judge watched chains by.
    NoTrustAnchors = "no_trust_anchors",
    /// The list that the trust anchors come from is old.
    AnchorListOld = "anchor_list_old",
    /// Something watched that was in a worse band is ok (again), or is no longer there.
    Recovered = "recovered",
    /// A watched file, folder or endpoint cannot be read.
    SourceFailed = "source_failed",
    /// A watched file, folder or endpoint can be read again.
    SourceRecovered = "source_recovered",
    /// A file of a watched folder is no longer there, or what could not be read no longer watched.
    SourceRemoved = "source_removed",
    /// Something watched has been due for minutes, and was not evaluated.
    EvaluationOverdue = "evaluation_overdue",
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
    /// What is served, what lies on disk and what is due agree again.
    SkewRecovered = "skew_recovered",
}

impl fmt::Display for EventCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}
