//! The rules by which what lies on disk is served, or is not.

use std::sync::Arc;

use crate::outlook::{TrustAnchors, TrustInForce, Usage};

/// What clients get who ask for a name that no certificate covers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum UnknownName {
    /// The default certificate: the client will say what it thinks of that.
    #[default]
    ServeDefault,
    /// No handshake; rustls sends the alert `access_denied`.
    Refuse,
}

/// What becomes of a certificate that covers fewer names than the served one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum LostNames {
    /// It is refused while the served one is within its dates.
    #[default]
    Refuse,
    /// It is served; the event says which names were lost.
    Tell,
}

/// What becomes of a certificate that nobody issued (self-signed) where somebody issued the served
/// one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum SelfSigned {
    /// It is refused while the served one is within its dates.
    #[default]
    Refuse,
    /// It is served; the event says so.
    Tell,
}

/// What becomes of a chain that does not verify where the served one does: under the
/// [trust anchors](super::ReloadingKeyBuilder::with_trust_anchors), or where none were given, under the
/// roots that the served chain sends along.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum NoLongerVerifying {
    /// It is refused, while the served one verifies.
    #[default]
    Refuse,
    /// It is served; the event says so.
    Tell,
}

/// What becomes of a chain whose extended key usage (RFC 5280, 4.2.1.12) does not allow what the
/// key is for: the leaf's, or that of every presented issuer of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum WrongUsage {
    /// It is refused: peers that verify by RFC 5280, rustls's among them, refuse it too.
    #[default]
    Refuse,
    /// It is served; the event says so.
    Tell,
}

/// What becomes of a certificate that was issued (by notBefore) before the served one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum OlderCertificate {
    /// It is refused while the served one is within its dates.
    #[default]
    Refuse,
    /// It is served.
    Accept,
}

/// What becomes of a chain with a certificate that issued none of those before it, with a signature
/// that the presented issuer did not make, or without the leaf's issuer though the served chain sends
/// it along.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum ChainCheck {
    /// It is refused: peers may break on the first (RFC 5246, 7.4.2), and will on the others.
    #[default]
    Refuse,
    /// It is served; the event says so.
    Tell,
}

/// What a service may start with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum AtStart {
    /// Certificates within their dates alone.
    #[default]
    RequireValid,
    /// Expired ones and those that are not valid yet too, where being up matters more; every
    /// other check still holds.
    AcceptOutOfDate,
    /// Pairs that can be served, without those that cannot: these are told (`reload_failed`) and
    /// served once they are good. There must be one that can.
    SkipBroken,
}

/// The anchors of those who connect.
#[derive(Debug, Clone)]
pub(super) enum TrustedByPeers {
    ForGood(Arc<TrustAnchors>),
    InForce(Arc<dyn TrustInForce>),
}

impl TrustedByPeers {
    pub(super) fn now(&self) -> Arc<TrustAnchors> {
        match self {
            Self::ForGood(anchors) => Arc::clone(anchors),
            Self::InForce(trust) => Arc::clone(&trust.generation().anchors),
        }
    }
}

/// The rules by which a pair on disk is judged.
#[derive(Debug, Clone)]
pub(super) struct ReloadRules {
    pub(super) usage: Usage,
    pub(super) wrong_usage: WrongUsage,
    /// What clients trust, where that was said.
    pub(super) trusted: Option<TrustedByPeers>,
    pub(super) no_longer_verifying: NoLongerVerifying,
    pub(super) self_signed: SelfSigned,
    pub(super) lost_names: LostNames,
    pub(super) older: OlderCertificate,
    pub(super) chain: ChainCheck,
    pub(super) at_start: AtStart,
}

impl Default for ReloadRules {
    fn default() -> Self {
        Self {
            usage: Usage::ServerAuth,
            wrong_usage: WrongUsage::default(),
            trusted: None,
            no_longer_verifying: NoLongerVerifying::default(),
            self_signed: SelfSigned::default(),
            lost_names: LostNames::default(),
            older: OlderCertificate::default(),
            chain: ChainCheck::default(),
            at_start: AtStart::default(),
        }
    }
}
