#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]
#![deny(missing_docs)]
#![cfg_attr(docsrs, feature(doc_cfg))]

/// The code in `docs/` compiles.
#[cfg(doctest)]
#[doc = include_str!("../docs/PINNING.md")]
struct Documents;

mod anchor_store;
#[cfg(feature = "announcements")]
mod announcement;
#[cfg(feature = "announcements")]
mod announcement_files;
#[cfg(feature = "ari")]
mod ari;
mod cert;
#[cfg(feature = "monitor")]
mod clock;
mod connections;
mod delivery;
mod duration;
mod event;
mod key_pin;
mod loader;
#[cfg(feature = "monitor")]
mod monitor;
mod observer;
mod outlook;
mod pin;
#[cfg(feature = "announcements")]
mod pin_folder;
mod policy;
#[cfg(feature = "monitor")]
mod private_key;
#[cfg(feature = "announcements")]
mod regular_file;
#[cfg(feature = "reload")]
mod reload;
mod resumption;
mod revocation;
#[cfg(feature = "monitor")]
mod self_check;
mod skew;
mod source;
#[cfg(feature = "announcements")]
mod store;
mod transition;
mod verifier;

#[cfg(feature = "announcements")]
pub use announcement::{
    AnnouncedSet, Announcement, AnnouncementError, AnnouncementKey, Authority, Envelope,
    FloorError, PinFloor, PreviousAnnouncement, SuccessorRule,
};
#[cfg(feature = "announcements")]
pub use announcement_files::{AnnouncementFolder, FileOutcome};
#[cfg(feature = "ari")]
pub use ari::{RenewalInfo, RenewalInfoError};
pub use cert::{
    Certificate, CertificateBytes, CertificateFacts, CertificateParseError, DerProblem,
    Sha256Digest, Timestamp, TimestampParseError, Validity,
};
#[cfg(feature = "details")]
pub use cert::{CertificateDetails, DetailsError, KeyType, SubjectAltNames};
pub use connections::{OpenConnection, OpenConnections};
pub use delivery::QueuedObserver;
pub use event::{Event, EventCode, PeerReach, Role, Severity, Subject, SubjectKind};
pub use loader::Loader;
#[cfg(feature = "monitor")]
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
    AnchorError, ChainJudge, ChainOutlook, Interval, LimitingCause, LimitingCertificate, Outlook,
    PathAnchor, PeerOutlook, Position, Refusal, RelyingTimeline, Timeline, TrustAnchors,
    TrustAnchorsBuilder, Usage, VerifyingPath,
};
pub use pin::{
    Acceptance, ExpiryRule, FixedPins, NearMiss, Pin, PinError, PinForm, PinGeneration, PinLint,
    PinMode, PinParseError, PinPosition, PinScope, PinScopeError, PinSet, PinSetBuilder,
    PinSetEnds, PinSetError, PinSetStanding, PinSets, PinSourceError, PinState, PinWordError,
    PinsInForce, PresentedKey, SpkiPin,
};
#[cfg(feature = "announcements")]
pub use pin_folder::PinFolder;
pub use policy::{
    Band, PolicyError, Threshold, ThresholdPolicy, ThresholdPolicyBuilder, Thresholds,
};
#[cfg(feature = "reload")]
pub use reload::{
    AtStart, ChainCheck, KeyFiles, LostNames, OlderCertificate, ReloadBuildError, ReloadError,
    ReloadSummary, ReloadThread, ReloadingKey, ReloadingKeyBuilder, ServedKey, UnknownName,
};
pub use resumption::{PinnedClientConfigs, SessionGuard};
pub use revocation::{CrlDepth, CrlError, CrlExpiration, Crls, CrlsBuilder, UnknownRevocation};
#[cfg(feature = "ocsp")]
pub use revocation::{
    ResponderStatus, RevocationReason, SignatureProblem, StapleCache, StapleJudge, StapleOffer,
    StapleOutlook, StapleStatus, UnreadableStaple,
};
#[cfg(feature = "monitor")]
pub use self_check::{
    ChainReport, CorrelatedExpiry, ExpiringCertificate, FailedSelfCheck, Finding, FindingCode,
    FirstFailure, Grouping, LifetimeLimits, Report, ReportedCertificate, SelfCheck,
    SelfCheckBuilder, SelfCheckError, StapleReport,
};
pub use skew::{Skew, SkewKind};
pub use source::{
    CertificateScan, FailureReason, FoundCertificate, OtherBlock, Place, Scanned, SourceContents,
    SourceFailure,
};
#[cfg(feature = "announcements")]
pub use store::{
    Applied, Durability, PinStorage, PinStore, PinStoreBuilder, StateFile, StoreNotice,
};
#[cfg(feature = "json")]
pub use transition::SavedStateError;
pub use transition::{Condition, Matter, RepeatPolicy, Telling, Transitions};
pub use verifier::{
    NameCheck, PinOnlyVerifier, PinOnlyVerifierBuilder, PinnedGrace, PinnedGraceTooLong,
    PresentedBounds, PresentedError, VerdictCache, VerdictCacheBuilder, VerdictCacheError,
    VerifierBuildError, WatchingClientVerifier, WatchingServerVerifier, WatchingVerifierBuilder,
    pin_error, presented_error,
};
#[cfg(feature = "ocsp")]
pub use verifier::{StapleRule, StapleStrictness};
