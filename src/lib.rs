#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]
#![deny(missing_docs)]
#![cfg_attr(docsrs, feature(doc_cfg))]

mod anchor_store;
#[cfg(feature = "ari")]
mod ari;
mod cert;
mod clock;
mod connections;
mod delivery;
mod duration;
mod event;
mod key_pin;
mod loader;
mod monitor;
mod observer;
mod outlook;
mod pin;
mod policy;
mod private_key;
#[cfg(feature = "reload")]
mod reload;
mod revocation;
mod self_check;
mod skew;
mod source;
mod transition;
mod verifier;

#[cfg(feature = "ari")]
pub use ari::{RenewalInfo, RenewalInfoError};
pub use cert::{
    Certificate, CertificateBytes, CertificateDetails, CertificateFacts, CertificateParseError,
    DerProblem, DetailsError, KeyType, Sha256Digest, SubjectAltNames, Timestamp,
    TimestampParseError, Validity,
};
pub use connections::{OpenConnection, OpenConnections};
pub use delivery::QueuedObserver;
pub use event::{Event, EventCode, PeerReach, Role, Severity, Subject, SubjectKind};
pub use loader::Loader;
pub use monitor::{
    Connector, Evaluation, Gauge, Health, HealthReason, Monitor, MonitorBuilder, MonitorHandle,
    Target, Watched,
};
#[cfg(feature = "metrics")]
pub use observer::MetricsObserver;
#[cfg(feature = "tracing")]
pub use observer::TracingObserver;
pub use observer::{ChannelObserver, FilteredObserver, InlineObserver, Observer};
pub use outlook::{
    AnchorError, ChainJudge, ChainOutlook, Interval, LimitingCertificate, Outlook, PathAnchor,
    PeerOutlook, Position, Refusal, RelyingTimeline, Timeline, TrustAnchors, TrustAnchorsBuilder,
    Usage, VerifyingPath,
};
pub use pin::{PinError, PinForm, PinParseError, PinSourceError, SpkiPin};
pub use policy::{
    Band, PolicyError, Threshold, ThresholdPolicy, ThresholdPolicyBuilder, Thresholds,
};
#[cfg(feature = "reload")]
pub use reload::{
    AtStart, ChainCheck, KeyFiles, LostNames, OlderCertificate, ReloadBuildError, ReloadError,
    ReloadSummary, ReloadThread, ReloadingKey, ReloadingKeyBuilder, ServedKey, UnknownName,
};
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
pub use skew::{Skew, SkewKind};
pub use source::{
    FailureReason, FoundCertificate, OtherBlock, Place, SourceContents, SourceFailure,
};
#[cfg(feature = "json")]
pub use transition::SavedStateError;
pub use transition::{Condition, Matter, RepeatPolicy, Telling, Transitions};
#[cfg(feature = "ocsp")]
pub use verifier::{StapleRule, StapleStrictness};
pub use verifier::{
    VerifierBuildError, WatchingClientVerifier, WatchingServerVerifier, WatchingVerifierBuilder,
    pin_error,
};
