//! The epoch that a decision was made in: what was decided in another one is decided again.

/// The epochs of all that can change under a verifier while it runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Epoch {
    /// That of the pins; 0 without pins.
    pub(crate) pins: u64,
    /// That of the anchors and lists of the inner verifier; 0 where they do not change.
    pub(crate) trust: u64,
}

impl Epoch {
    /// How many bytes it is written in.
    pub(crate) const BYTES: usize = 16;

    pub(crate) fn to_be_bytes(self) -> [u8; Self::BYTES] {
        ((u128::from(self.pins) << 64) | u128::from(self.trust)).to_be_bytes()
    }
}
