//! The identity that this process shows to its peers, while it changes.

use std::fmt;

/// Where sessions find whether this process still shows the identity that they began with. It is
/// asked at the start of every connection and must not block, and never answers a lower epoch than before.
///
/// A [`ReloadingKey`](crate::reload::ReloadingKey) is one, with the feature `reload`. A resolver of the caller's own that changes its
/// certificate while it runs implements this, so that no session of an identity is resumed once
/// another one is shown. It must show the identity of the epoch that it tells, or of a later one.
///
/// # How does my own resolver say that its certificate changed?
/// ```
/// use std::sync::atomic::{AtomicU64, Ordering};
/// use notafter::renewal::IdentityInForce;
/// #[derive(Debug)]
/// struct Own(AtomicU64);
/// impl IdentityInForce for Own {
///     fn epoch(&self) -> u64 {
///         self.0.load(Ordering::Acquire) // counted up after each swap
///     }
/// }
/// ```
pub trait IdentityInForce: fmt::Debug + Send + Sync {
    /// Tells the epoch of the identity that is shown now: another number than that of any before.
    fn epoch(&self) -> u64;
}
