//! Where people find what to do about an event.

use std::borrow::Cow;

use thiserror::Error;

use super::EventCode;
use crate::text::{is_of_uri, quoted};

/// The page that `runbook_url` leads to unless another is given.
const OF_THIS_CRATE: &str = "https://docs.rs/notafter/latest/notafter/guide/runbook/index.html";

/// How much of a URL that is refused its error repeats.
const SHOWN: usize = 128;

/// The page with an entry for each event: by default the runbook of this crate's guide.
///
/// # How do my pages link to my own runbook?
/// ```
/// use notafter::EventCode;
/// use notafter::event::Runbook;
/// let runbook = Runbook::new("https://wiki.example/tls")?;
/// assert_eq!(runbook.url(EventCode::Expired), "https://wiki.example/tls#event-expired");
/// # Ok::<(), notafter::event::RunbookError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Runbook {
    page: Cow<'static, str>,
}

impl Default for Runbook {
    fn default() -> Self {
        Self {
            page: Cow::Borrowed(OF_THIS_CRATE),
        }
    }
}

impl Runbook {
    /// A page of one's own, with an entry for each code: a heading `Event expired`, say, whose
    /// anchor is `event-expired`.
    ///
    /// # Errors
    /// [`RunbookError`] where that is no URL of a page.
    pub fn new(page: impl Into<String>) -> Result<Self, RunbookError> {
        let page = page.into();
        if !page.starts_with("https://") && !page.starts_with("http://") {
            let page = quoted(&page, SHOWN);
            return Err(RunbookError::Scheme { page });
        }
        if let Some(character) = page.chars().find(|c| !is_of_uri(*c) || *c == '#') {
            return Err(RunbookError::Character { character });
        }
        Ok(Self { page: page.into() })
    }

    /// Where the entry of this code is.
    pub fn url(&self, code: EventCode) -> String {
        format!("{}#event-{code}", self.page)
    }
}

/// Why something is no page of a runbook.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum RunbookError {
    /// It is no URL that a browser opens.
    #[error("the runbook \"{page}\" is no URL: begin it with https:// or http://")]
    Scheme {
        /// What was given, shortened and escaped.
        page: String,
    },
    /// A character that cannot stand there.
    #[error(
        "{character:?} cannot stand in the URL of a runbook: percent-encode it, and leave the fragment out, for it is added"
    )]
    Character {
        /// The first one.
        character: char,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_runbook_is_the_url_of_a_page_and_links_to_each_code() {
        let scheme = |page: &str| {
            Err(RunbookError::Scheme {
                page: page.to_owned(),
            })
        };
        let character = |character| Err(RunbookError::Character { character });
        let url = |url: &str| Ok(url.to_owned());
        let cases = [
            (
                "https://w.example/tls",
                url("https://w.example/tls#event-skew"),
            ),
            ("http://w/a?b=(c)", url("http://w/a?b=(c)#event-skew")),
            ("w.example/tls", scheme("w.example/tls")),
            (
                "javascript:alert(1)//\n",
                scheme("javascript:alert(1)//\\n"),
            ),
            ("https://w/#top", character('#')),
            ("https://w/a b", character(' ')),
            ("https://w/a|b", character('|')),
            ("https://w/>", character('>')),
            ("https://w/ä", character('ä')),
            ("https://w/\n", character('\n')),
        ];
        for (page, expected) in cases {
            let linked = Runbook::new(page).map(|runbook| runbook.url(EventCode::Skew));
            assert_eq!(linked, expected, "{page}");
        }
        assert_eq!(
            Runbook::default().url(EventCode::PeerExpired),
            "https://docs.rs/notafter/latest/notafter/guide/runbook/index.html#event-peer_expired"
        );
    }
}
