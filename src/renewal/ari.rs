//! ACME Renewal Information (RFC 9773): when the CA wants a certificate renewed.

use std::time::Duration;

use serde::Deserialize;
use thiserror::Error;

use crate::text::quoted;
use crate::time::span::whole_seconds;
use crate::time::{Timestamp, TimestampParseError};

/// More bytes than that are no renewal information.
const MAX_BYTES: usize = 64 * 1024;

/// The longest explanation URL that is passed on.
const MAX_URL_CHARS: usize = 2_048;

/// The window in which a CA suggests to renew one certificate.
///
/// Fetching is the caller's: `GET` the directory's `renewalInfo` URL, a slash and
/// [`Certificate::ari_cert_id`](crate::Certificate::ari_cert_id).
///
/// # When does my CA want this certificate renewed?
/// ```
/// use notafter::renewal::RenewalInfo;
/// use notafter::Timestamp;
/// let body = br#"{
///   "suggestedWindow": { "start": "2025-01-02T04:00:00Z", "end": "2025-01-03T04:00:00Z" },
///   "explanationURL": "https://acme.example.com/docs/ari"
/// }"#;
/// let info = RenewalInfo::from_json(body)?;
/// let now: Timestamp = "2025-01-01T00:00:00Z".parse()?;
/// // A number drawn once per certificate and kept, so that every run finds the same instant.
/// let due = info.renew_at(0x8000_0000_0000_0000, now);
/// assert_eq!(due.to_string(), "2025-01-02T16:00:00Z");
/// // "Retry-After: 21600" says when to ask again.
/// assert_eq!(RenewalInfo::ask_again_at(Some("21600"), now), now.saturating_add(21_600));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct RenewalInfo {
    /// The first second of the window.
    pub start: Timestamp,
    /// The last second of the window, after `start`.
    pub end: Timestamp,
    /// Where the CA explains why, an `http` or `https` URL; one that is longer than 2,048
    /// characters, not printable ASCII, or of another scheme is left out.
    pub explanation_url: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RenewalDocument {
    suggested_window: Window,
    #[serde(rename = "explanationURL")]
    explanation_url: Option<String>,
}

#[derive(Deserialize)]
struct Window {
    start: String,
    end: String,
}

impl RenewalInfo {
    /// The bounds that RFC 9773, 4.3.2 suggests for what a server's Retry-After may ask for: a
    /// minute and a day.
    pub const RETRY_BOUNDS: (Duration, Duration) =
        (Duration::from_secs(60), Duration::from_secs(86_400));

    /// How long to wait where a server states no Retry-After that can be read: 6 hours, as after
    /// errors that last (RFC 9773, 4.3.3).
    pub const RETRY_WITHOUT_WORD: Duration = Duration::from_secs(6 * 3_600);

    /// Reads the body of a renewalInfo response (RFC 9773, 4.2). Fields that are not known are
    /// passed over.
    ///
    /// # Errors
    /// [`RenewalInfoError`]; then act as if there had been no answer, and renew by the thresholds.
    pub fn from_json(body: &[u8]) -> Result<Self, RenewalInfoError> {
        if body.len() > MAX_BYTES {
            return Err(RenewalInfoError::TooLarge { bytes: body.len() });
        }
        let document: RenewalDocument = serde_json::from_slice(body).map_err(|error| {
            let (line, column) = (error.line(), error.column());
            RenewalInfoError::Json {
                line,
                column,
                reason: reason(&error),
            }
        })?;
        let start = instant("start", &document.suggested_window.start)?;
        let end = instant("end", &document.suggested_window.end)?;
        if end <= start {
            return Err(RenewalInfoError::EmptyWindow { start, end });
        }
        Ok(Self {
            start,
            end,
            explanation_url: document.explanation_url.filter(|url| is_presentable(url)),
        })
    }

    /// The instant of renewal: one in the window, chosen evenly by `number`, or `now` where that
    /// is past (RFC 9773, 4.2).
    ///
    /// Draw `number` at random once per certificate and keep it: 0 is the window's start,
    /// `u64::MAX` its end.
    pub fn renew_at(&self, number: u64, now: Timestamp) -> Timestamp {
        self.chosen(number).max(now)
    }

    /// The same instant though it may be past: since when the certificate has been due.
    pub fn chosen(&self, number: u64) -> Timestamp {
        let seconds = i128::from(self.end.seconds_since(self.start)) + 1;
        let offset = (seconds * i128::from(number)) >> 64;
        self.start
            .saturating_add(i64::try_from(offset).unwrap_or(i64::MAX))
            .min(self.end)
    }

    /// When to ask the server again, given its Retry-After header (seconds or an HTTP date, RFC
    /// 9110, 10.2.3): within [`RenewalInfo::RETRY_BOUNDS`], and after
    /// [`RenewalInfo::RETRY_WITHOUT_WORD`] where there is none that can be read.
    pub fn ask_again_at(retry_after: Option<&str>, now: Timestamp) -> Timestamp {
        let seconds = retry_after.and_then(|value| retry_seconds(value.trim(), now));
        let (least, most) = Self::RETRY_BOUNDS;
        now.saturating_add(match seconds {
            Some(seconds) => seconds.clamp(whole_seconds(least), whole_seconds(most)),
            None => whole_seconds(Self::RETRY_WITHOUT_WORD),
        })
    }
}

fn retry_seconds(value: &str, now: Timestamp) -> Option<i64> {
    if !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit()) {
        return Some(value.parse().unwrap_or(i64::MAX));
    }
    let date = httpdate::parse_http_date(value).ok()?;
    Some(Timestamp::from(date).seconds_since(now))
}

fn instant(field: &'static str, text: &str) -> Result<Timestamp, RenewalInfoError> {
    let error = || RenewalInfoError::Instant {
        field,
        text: quoted(text, 64),
    };
    // RFC 3339 alone: a number in a string, which is an instant elsewhere, is none to this RFC.
    if text.as_bytes().get(4) != Some(&b'-') {
        return Err(error());
    }
    text.parse().map_err(|_: TimestampParseError| error())
}

fn is_presentable(url: &str) -> bool {
    let scheme = url.split_once("://").map(|(scheme, _)| scheme);
    let known = scheme.is_some_and(|scheme| {
        scheme.eq_ignore_ascii_case("https") || scheme.eq_ignore_ascii_case("http")
    });
    known && url.len() <= MAX_URL_CHARS && url.bytes().all(|byte| byte.is_ascii_graphic())
}

/// What is wrong without the position, which the error states itself.
fn reason(error: &serde_json::Error) -> String {
    let text = error.to_string();
    let text = text
        .split_once(" at line ")
        .map_or(text.as_str(), |(reason, _)| reason);
    quoted(text, 200)
}

/// A renewalInfo response that says nothing.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum RenewalInfoError {
    /// More than 64 KiB.
    #[error(
        "the renewalInfo response has {bytes} bytes, more than 65536: check the URL; meanwhile renew by the thresholds"
    )]
    TooLarge {
        /// Its size.
        bytes: usize,
    },
    /// Not the JSON that RFC 9773, 4.2 asks for.
    #[error(
        "the renewalInfo response is not renewal information (line {line}, column {column}: {reason}): \
         check the URL; meanwhile renew by the thresholds"
    )]
    Json {
        /// The line, counted from 1; 0 where there is none to name.
        line: usize,
        /// The column, counted from 1; 0 where there is none to name.
        column: usize,
        /// What is wrong.
        reason: String,
    },
    /// An end of the window that is not an RFC 3339 instant.
    #[error(
        "the {field} of the suggested window, '{text}', is not an RFC 3339 instant: \
         tell the CA; meanwhile renew by the thresholds"
    )]
    Instant {
        /// `start` or `end`.
        field: &'static str,
        /// What was read (its first 64 characters), control characters escaped.
        text: String,
    },
    /// A window that ends where or before it starts is invalid (RFC 9773, 4.2).
    #[error(
        "the suggested window ends at {end}, not after its start at {start}: \
         tell the CA; meanwhile renew by the thresholds"
    )]
    EmptyWindow {
        /// Its start.
        start: Timestamp,
        /// Its end.
        end: Timestamp,
    },
}

#[cfg(test)]
#[path = "ari_tests.rs"]
mod tests;
