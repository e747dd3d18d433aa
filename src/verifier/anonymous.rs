//! What becomes of clients without a certificate.

/// Whether clients without a certificate are let in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum AnonymousClients {
    Refuse,
    Accept,
}
