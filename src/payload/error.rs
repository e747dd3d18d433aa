//! Why a payload cannot be made as it was asked for.

use thiserror::Error;

/// Why a payload cannot be made as it was asked for.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum PayloadError {
    /// Not the name of a label, as Prometheus has them.
    #[error(
        "\"{name}\" is no name of a label: use ASCII letters, digits and _, and no digit at the beginning"
    )]
    LabelName {
        /// What was given, shortened and escaped.
        name: String,
    },
    /// A label that every alert has from its matter.
    #[error("the label {name} is the matter's: call yours otherwise")]
    ReservedLabel {
        /// Its name.
        name: String,
    },
    /// Not a URI reference, which the source of a CloudEvent is.
    #[error(
        "\"{source_uri}\" is no URI reference (RFC 3986): name the service by one, such as /services/billing"
    )]
    EventSource {
        /// What was given, shortened and escaped.
        source_uri: String,
    },
    /// Not a name that types of CloudEvents can begin with.
    #[error(
        "\"{prefix}\" is no reverse DNS name: use lower-case letters, digits, dots and dashes, such as com.example"
    )]
    TypePrefix {
        /// What was given, shortened and escaped.
        prefix: String,
    },
}
