//! The forms in which others keep pins: read into [`PinSets`](super::PinSets), and written from them.
//!
//! | form | module | a pin is compared with | after its date |
//! | --- | --- | --- | --- |
//! | Android's Network Security Configuration | [`android`] | any key of the path | not pinned |
//! | the headers of RFC 7469 | [`hpkp`] | any key of the path | not pinned |
//! | TLSA records (RFC 6698, RFC 7671) | [`tlsa`] | the leaf's (3), a CA's (2) | has none |
//! | TrustKit's property list | [`trustkit`] | any key of the path | not pinned |
//! | OkHttp's `CertificatePinner`, as source text | [`okhttp`] | any key of the path | has none |
//! | `ssl_config.json` of react-native-ssl-manager | [`ssl_manager`] | any key of the path | not pinned |
//! | options of react-native-ssl-public-key-pinning | [`public_key_pinning`] | any key of the path | not pinned |
//! | fingerprints of Wultra's SSL pinning | [`wultra`] | the leaf's | refused |
//!
//! What is read means what its form means: a set whose form stops pinning after its date has
//! [`ExpiryRule::FailOpenLoudly`](super::ExpiryRule::FailOpenLoudly), and where a pin counts at any key of
//! the path, it is a [`PinPosition::Any`](super::PinPosition::Any), for which a verifier needs trust anchors.
//! Every pin is read as one of the key in use: no form but ours tells it from a backup. What cannot be said
//! is refused, naming it: of a form by a [`FormReadError`] with its place, of a set by a [`FormWriteError`].
//! Nothing is dropped, but addresses for reports and settings that are of no pin.
//!
//! Every text has at most 1 MiB, 1,000 names of hosts and 10,000 pins.
//!
//! # How do I go by the pins of my Android application?
//! ```
//! use notafter::pin::forms::{android, okhttp};
//! let xml = r#"<network-security-config>
//!   <domain-config>
//!     <domain includeSubdomains="true">example.com</domain>
//!     <pin-set>
//!       <pin digest="SHA-256">C5+lpZ7tcVwmwQIMcRtPbsQtWLABXhQzejna0wHFr8M=</pin>
//!       <pin digest="SHA-256">5kJvNEMw0KjrCAu7eXY5HZdvyCS13BbA0VJG1RSP91w=</pin>
//!     </pin-set>
//!   </domain-config>
//! </network-security-config>"#;
//! let pins = android::read(xml)?;
//! assert!(pins.for_server(&"www.example.com".try_into()?).is_some());
//! assert!(okhttp::write(&pins)?.starts_with(".add(\"**.example.com\", \"sha256/C5+lp"));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

pub mod android;
pub mod hpkp;
pub mod okhttp;
pub mod public_key_pinning;
pub mod ssl_manager;
pub mod tlsa;
pub mod trustkit;
pub mod wultra;

mod date;
mod draft;
mod error;
mod header_grammar;
mod json;
mod no_pin_record;
mod source_text;
mod tlsa_record;
mod unsayable;
mod writer;
mod xml;
mod zone;

pub use error::{FormPlace, FormProblem, FormReadError};
pub use unsayable::{FormWriteError, Unsayable};
