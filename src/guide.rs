//! The long form: a page for each task, and what the crate is held to.
//!
//! | task | page |
//! | --- | --- |
//! | know what was loaded, and until when it works | [`self_check`] |
//! | be told while the service runs: observers, metrics, readiness | [`monitoring`] |
//! | know what to do when it tells something | [`on_call`], and [`runbook`] with what to type |
//! | see what peers show, and hold hostile ones off | [`peers`] |
//! | pin without locking anybody out | [`pinning`] |
//! | take pins from Android, TrustKit, OkHttp, headers or TLSA records, and give them | [`pin_forms`] |
//! | rotate a pinned key, day by day | [`rotating_keys`] |
//! | get out of a lock-out by wrong pins | [`wrong_pin`] |
//! | know peers by SPIFFE IDs rather than by names | [`spiffe`] |
//! | rotate pins without shipping a binary | [`announcements`] |
//! | serve a renewed certificate without a restart | [`reload`] |
//! | run mutual TLS whose client certificates are renewed | [`mtls`] |
//! | replace one root by another | [`root_rotation`] |
//! | live with certificates of 47 days, or of six | [`short_lived`] |
//! | cope with clocks that are wrong | [`clocks`] |
//! | deploy it on Kubernetes, or under systemd | [`deploying`] |
//! | keep resumed sessions from outliving a decision | [`sessions`] |
//! | judge stapled OCSP responses and revocation lists | [`revocation`] |
//! | know whether browsers take the SCTs of a leaf | [`transparency`] |
//! | put it into reqwest, axum, tonic and others | [`stacks`] |
//! | run on ring or aws-lc-rs alone, or in FIPS mode | [`providers`] |
//!
//! | what it is held to | page |
//! | --- | --- |
//! | who attacks, what stops them, which test shows it | [`security_model`] |
//! | the bound of every input | [`bounds`] |
//! | the judges that its answers are compared with | [`held_against`] |
//! | which known outages it would have told of, and when | [`outages`] |
//! | what was fuzzed, and found | [`fuzzing`] |
//! | what it costs | [`performance`] |
//! | what it does not do, and where to go instead | [`limits`] |
//! | what else there is, and does better | [`compare`] |
//! | what may change in which version, and which Rust it needs | [`versions`] |
//! | what rustls 0.24 will change, for whoever maintains it | [`rustls_0_24`] |
//!
//! The pages are the files of `docs/` in the repository. There is no code in here.

// Without the features that a page shows, its code is not tried; the page is there all the same.

/// What a service loaded, until when it works, and for whom.
#[cfg_attr(
    any(
        not(doctest),
        all(feature = "json", feature = "monitor", feature = "os-anchors")
    ),
    doc = include_str!("../docs/SELF-CHECK.md")
)]
#[doc = "\n<figure>"]
#[doc = include_str!("../docs/self-check.svg")]
#[doc = "\n</figure>"]
pub mod self_check {}

/// Being told while the service runs.
#[cfg_attr(
    any(
        not(doctest),
        all(feature = "json", feature = "monitor", feature = "os-anchors")
    ),
    doc = include_str!("../docs/MONITORING.md")
)]
pub mod monitoring {}

/// What to do about each event and each finding.
#[doc = include_str!("../docs/ON-CALL.md")]
pub mod on_call {}

/// What to look at, to do and to type, by the code of each event and each finding.
#[doc = include_str!("../docs/ops/RUNBOOK.md")]
pub mod runbook {}

/// Signed certificate timestamps: what browsers want of them, by a list of logs.
#[cfg_attr(
    any(
        not(doctest),
        all(feature = "json", feature = "monitor", feature = "os-anchors")
    ),
    doc = include_str!("../docs/TRANSPARENCY.md")
)]
pub mod transparency {}

/// What peers show, and how much they may show.
#[cfg_attr(
    any(not(doctest), all(feature = "json", feature = "mozilla-anchors")),
    doc = include_str!("../docs/PEERS.md")
)]
pub mod peers {}

/// Pins that lock nobody out.
#[doc = include_str!("../docs/PINNING.md")]
pub mod pinning {}

/// Pins in the forms of others.
#[cfg_attr(any(not(doctest), feature = "pin-forms"), doc = include_str!("../docs/PIN-FORMS.md"))]
pub mod pin_forms {}

/// A pinned key that is rotated, day by day.
#[cfg_attr(
    any(not(doctest), feature = "testing"),
    doc = include_str!("../docs/ROTATING-KEYS.md")
)]
pub mod rotating_keys {}

/// Pins that are wrong, and clients that are locked out.
#[cfg_attr(
    any(not(doctest), feature = "testing"),
    doc = include_str!("../docs/WRONG-PIN.md")
)]
pub mod wrong_pin {}

/// Peers that are known by what their leaf says, rather than by a host name.
#[doc = include_str!("../docs/SPIFFE.md")]
pub mod spiffe {}

/// Pins that rotate by signed announcements.
#[cfg_attr(
    any(not(doctest), feature = "announcements"),
    doc = include_str!("../docs/ANNOUNCEMENTS.md")
)]
pub mod announcements {}

/// Certificates that are renewed while they are served.
#[cfg_attr(
    any(not(doctest), all(feature = "ari", feature = "reload")),
    doc = include_str!("../docs/RELOAD.md")
)]
pub mod reload {}

/// Mutual TLS, and client certificates that are renewed.
#[cfg_attr(
    any(not(doctest), all(feature = "reload", feature = "testing")),
    doc = include_str!("../docs/MTLS.md")
)]
pub mod mtls {}

/// One root that takes the place of another.
#[cfg_attr(
    any(not(doctest), all(feature = "reload", feature = "testing")),
    doc = include_str!("../docs/ROOT-ROTATION.md")
)]
pub mod root_rotation {}

/// Certificates of 47 days, and of six.
#[cfg_attr(
    any(not(doctest), all(feature = "ari", feature = "reload", feature = "testing")),
    doc = include_str!("../docs/SHORT-LIVED.md")
)]
pub mod short_lived {}

/// Clocks that are wrong, here or there.
#[cfg_attr(
    any(not(doctest), all(feature = "monitor", feature = "testing")),
    doc = include_str!("../docs/CLOCKS.md")
)]
pub mod clocks {}

/// Kubernetes and systemd.
#[doc = include_str!("../docs/DEPLOYING.md")]
pub mod deploying {}

/// Sessions and connections that outlive no decision.
#[doc = include_str!("../docs/SESSIONS.md")]
pub mod sessions {}

/// Revocation lists and stapled OCSP responses.
#[cfg_attr(
    any(not(doctest), feature = "ocsp"),
    doc = include_str!("../docs/REVOCATION.md")
)]
pub mod revocation {}

/// Where it goes in clients and servers of other crates.
#[cfg_attr(
    any(not(doctest), feature = "reload"),
    doc = include_str!("../docs/STACKS.md")
)]
pub mod stacks {}

/// Which crypto provider does the work, and which work is done beside it.
#[cfg_attr(
    any(not(doctest), feature = "mozilla-anchors"),
    doc = include_str!("../docs/PROVIDERS.md")
)]
pub mod providers {}

/// Who attacks, what stops them, and which test shows it.
#[doc = include_str!("../docs/SECURITY-MODEL.md")]
pub mod security_model {}

/// How much every input may take.
#[doc = include_str!("../docs/BOUNDS.md")]
pub mod bounds {}

/// The judges that the answers are compared with.
#[doc = include_str!("../docs/HELD_AGAINST.md")]
pub mod held_against {}

/// Known outages, and which event would have come how many days ahead.
#[doc = include_str!("../docs/OUTAGES.md")]
pub mod outages {}

/// What was fuzzed, and what was found.
#[doc = include_str!("../docs/FUZZING.md")]
pub mod fuzzing {}

/// What it costs, in time, memory and bytes.
#[doc = include_str!("../docs/PERFORMANCE.md")]
pub mod performance {}

/// What it does not do, and where to go instead.
#[doc = include_str!("../docs/LIMITS.md")]
pub mod limits {}

/// What else there is, fair and dated.
#[doc = include_str!("../docs/COMPARE.md")]
pub mod compare {}

/// What may change in which version, and what counts as breaking.
#[doc = include_str!("../docs/VERSIONS.md")]
pub mod versions {}

/// What rustls 0.24 changes, file by file, as far as its development line shows it.
#[doc = include_str!("../docs/RUSTLS-0.24.md")]
pub mod rustls_0_24 {}
