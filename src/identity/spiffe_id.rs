//! SPIFFE IDs and their trust domains.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use super::text_error::SpiffeIdError;
use crate::text::quoted;

/// The most bytes of a SPIFFE ID (SPIFFE-ID, 2.3).
pub(super) const MAX_ID: usize = 2048;
/// The most bytes of a trust domain's name (SPIFFE-ID, 2.3).
const MAX_DOMAIN: usize = 255;
/// What a SPIFFE ID begins with.
const SCHEME: &str = "spiffe://";

/// The name of a SPIFFE trust domain: lower-case letters, digits, dots, dashes and underscores, at most
/// 255 bytes (SPIFFE-ID, 2.1 and 2.3).
///
/// It is read from its name alone and from its own SPIFFE ID: `prod.example` and
/// `spiffe://prod.example` are the same.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TrustDomain(Arc<str>);

impl TrustDomain {
    /// Returns the name, without a scheme.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    fn new(name: &str) -> Result<Self, SpiffeIdError> {
        if name.is_empty() {
            return Err(SpiffeIdError::NoTrustDomain);
        }
        if name.len() > MAX_DOMAIN {
            let bytes = name.len();
            return Err(SpiffeIdError::TrustDomainTooLong { bytes });
        }
        let is_allowed = |c: &char| c.is_ascii_lowercase() || is_digit_or_mark(*c);
        match name.chars().find(|c| !is_allowed(c)) {
            Some(found) => Err(SpiffeIdError::TrustDomainCharacter {
                text: quoted(name, 80),
                found,
            }),
            None => Ok(Self(name.into())),
        }
    }
}

impl FromStr for TrustDomain {
    type Err = SpiffeIdError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::new(text.strip_prefix(SCHEME).unwrap_or(text))
    }
}

impl fmt::Display for TrustDomain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// A SPIFFE ID: `spiffe://`, a trust domain, and a path, which a workload always has (SPIFFE-ID, 2;
/// X509-SVID, 3.1).
///
/// Segments of a path have letters, digits, dots, dashes and underscores; none is empty, `.` or `..`. So
/// two IDs are the same where their bytes are. At most 2,048 bytes.
///
/// # Is this workload in my trust domain?
/// ```
/// use notafter::identity::{SpiffeId, TrustDomain};
/// let id: SpiffeId = "spiffe://prod.example/ns/payments/db".parse()?;
/// let domain: TrustDomain = "prod.example".parse()?;
/// assert_eq!(id.trust_domain(), &domain);
/// assert_eq!(id.path(), "/ns/payments/db");
/// assert!(id.is_at_or_below(&"spiffe://prod.example/ns/payments".parse()?));
/// assert!("spiffe://Prod.example/db".parse::<SpiffeId>().is_err());
/// # Ok::<(), notafter::identity::SpiffeIdError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SpiffeId {
    trust_domain: TrustDomain,
    /// Empty, or with a slash before each segment.
    path: Arc<str>,
}

impl SpiffeId {
    /// Returns the trust domain.
    pub const fn trust_domain(&self) -> &TrustDomain {
        &self.trust_domain
    }

    /// Returns the path with the slash before it; empty where there is none.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// Says whether it is `above`, or `above` and further segments of the path. An ID without a
    /// path stands above all of its trust domain.
    pub fn is_at_or_below(&self, above: &Self) -> bool {
        self.trust_domain == above.trust_domain
            && self
                .path
                .strip_prefix(above.path())
                .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    }
}

impl From<&TrustDomain> for SpiffeId {
    /// The ID of the trust domain itself, without a path.
    fn from(trust_domain: &TrustDomain) -> Self {
        Self {
            trust_domain: trust_domain.clone(),
            path: "".into(),
        }
    }
}

impl FromStr for SpiffeId {
    type Err = SpiffeIdError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text.len() > MAX_ID {
            return Err(SpiffeIdError::TooLong { bytes: text.len() });
        }
        let rest = text
            .strip_prefix(SCHEME)
            .ok_or_else(|| SpiffeIdError::NoScheme {
                text: quoted(text, 80),
            })?;
        let (domain, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
        let trust_domain = TrustDomain::new(domain)?;
        for segment in path.split('/').skip(1) {
            check_segment(segment, path)?;
        }
        Ok(Self {
            trust_domain,
            path: path.into(),
        })
    }
}

fn check_segment(segment: &str, path: &str) -> Result<(), SpiffeIdError> {
    let path = || quoted(path, 80);
    match segment {
        "" => return Err(SpiffeIdError::EmptySegment { path: path() }),
        "." | ".." => return Err(SpiffeIdError::RelativeSegment { path: path() }),
        _ => {}
    }
    let is_allowed = |c: &char| c.is_ascii_alphabetic() || is_digit_or_mark(*c);
    match segment.chars().find(|c| !is_allowed(c)) {
        Some(found) => Err(SpiffeIdError::PathCharacter {
            path: path(),
            found,
        }),
        None => Ok(()),
    }
}

const fn is_digit_or_mark(c: char) -> bool {
    matches!(c, '0'..='9' | '.' | '-' | '_')
}

impl fmt::Display for SpiffeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{SCHEME}{}{}", self.trust_domain, self.path)
    }
}
