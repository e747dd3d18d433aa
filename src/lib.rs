#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]
#![deny(missing_docs)]
#![cfg_attr(docsrs, feature(doc_cfg))]

/// The code in `docs/` compiles.
#[cfg(doctest)]
#[doc = include_str!("../docs/PINNING.md")]
struct Documents;

mod anchor_store;
mod cert;
mod clock;
mod delivery;
mod duration;
mod event;
mod key_pin;
mod loader;
mod observer;
mod outlook;
mod pin;
mod policy;
mod resumption;
mod revocation;
mod self_check;
mod source;
mod transition;
mod verifier;

pub use cert::{
    Certificate, CertificateBytes, CertificateFacts, CertificateParseError, DerProblem,
    Sha256Digest, Timestamp, TimestampParseError, Validity,
};
#[cfg(feature = "details")]
pub use cert::{CertificateDetails, DetailsError, KeyType, SubjectAltNames};
pub use delivery::QueuedObserver;
pub use event::{Event, EventCode, PeerReach, Role, Severity, Subject, SubjectKind};
pub use loader::Loader;
pub use observer::Observer;
pub use outlook::{
    AnchorError, ChainJudge, ChainOutlook, Interval, LimitingCertificate, Outlook, PathAnchor,
    PeerOutlook, Position, Refusal, RelyingTimeline, Timeline, TrustAnchors, TrustAnchorsBuilder,
    Usage, VerifyingPath,
};
pub use pin::{
    Acceptance, ExpiryRule, FixedPins, NearMiss, Pin, PinError, PinForm, PinGeneration, PinLint,
    PinMode, PinParseError, PinPosition, PinScope, PinScopeError, PinSet, PinSetBuilder,
    PinSetEnds, PinSetError, PinSetStanding, PinSets, PinSourceError, PinState, PinWordError,
    PinsInForce, PresentedKey, SpkiPin,
};
pub use policy::{
    Band, PolicyError, Threshold, ThresholdPolicy, ThresholdPolicyBuilder, Thresholds,
};
pub use resumption::{PinnedClientConfigs, SessionGuard};
pub use revocation::{CrlDepth, CrlError, CrlExpiration, Crls, CrlsBuilder, UnknownRevocation};
#[cfg(feature = "ocsp")]
pub use revocation::{
    ResponderStatus, RevocationReason, SignatureProblem, StapleCache, StapleJudge, StapleOffer,
    StapleOutlook, StapleStatus, UnreadableStaple,
};
pub use self_check::{
    ChainReport, CorrelatedExpiry, ExpiringCertificate, FailedSelfCheck, Finding, FindingCode,
    FirstFailure, Grouping, LifetimeLimits, Report, ReportedCertificate, SelfCheck,
    SelfCheckBuilder, SelfCheckError, StapleReport,
};
pub use source::{
    CertificateScan, FailureReason, FoundCertificate, OtherBlock, Place, Scanned, SourceContents,
    SourceFailure,
};
pub use verifier::{
    NameCheck, PinOnlyVerifier, PinOnlyVerifierBuilder, PinnedGrace, PinnedGraceTooLong,
    PresentedBounds, PresentedError, VerdictCache, VerdictCacheBuilder, VerdictCacheError,
    VerifierBuildError, WatchingClientVerifier, WatchingServerVerifier, WatchingVerifierBuilder,
    pin_error, presented_error,
};
#[cfg(feature = "ocsp")]
pub use verifier::{StapleRule, StapleStrictness};
