//! What is said where sessions are not guarded.

/// What becomes of a wrapper with pins whose sessions nobody guards.
///
/// rustls resumes sessions without asking a verifier. So the connections of a configuration without a
/// [`SessionGuard`](crate::SessionGuard) go on for as long as their sessions live, whatever happens to the
/// pins and to the peer's certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum UnguardedSessions {
    /// One event `sessions_unguarded` says so, with the first peer that is accepted.
    #[default]
    Tell,
    /// Nothing is said: the configuration resumes nothing, or connections are asked about by `recheck`.
    Accept,
}
