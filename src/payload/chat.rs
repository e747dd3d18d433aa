//! Events as messages of chats.

use crate::event::{Event, Runbook};
use crate::text::visible;

/// So many characters of an event's message are shown.
const MAX_SHOWN: usize = 2_000;

/// What means something in Markdown, besides what is an entity; braces call functions of cards.
const MARKDOWN: &str = r"\`*_[](){}~#|!";

/// Breaks what a chat would take for a mention; it shows nothing.
const ZERO_WIDTH_SPACE: char = '\u{200b}';

/// Makes messages for a chat, in its markup: the severity, the code, the event's message, and a
/// link to the runbook.
///
/// What an event repeats of foreign names is shown as it is and does nothing: no markup, no link
/// behind another text, no line of its own, and no mention (`<!channel>`, `@everyone`): after each
/// `@` stands a zero-width space. In Slack, which escapes neither, it may be bold or italic. A
/// message is cut after 2,000 characters.
///
/// # How do I tell a channel?
/// ```
/// use notafter::event::Role;
/// use notafter::payload::Chat;
/// use notafter::{Event, EventCode, Severity, Timestamp};
/// let at: Timestamp = "2026-01-01T00:00:00Z".parse()?;
/// let message = "<!channel> ends in 9 d";
/// let event = Event::new(at, EventCode::PeerExpiring, Severity::Warning, Role::PeerServer, message);
/// let slack = serde_json::json!({ "text": Chat::slack().text(&event) });
/// assert!(slack["text"].as_str().unwrap().starts_with(
///     "*warning* `peer_expiring`: &lt;!channel&gt; ends in 9 d\n_peer_server, 2026-01-01T00:00:00Z_"
/// ));
/// // Teams takes an Adaptive Card, whose text blocks are Markdown:
/// let block = serde_json::json!({ "type": "TextBlock", "wrap": true, "text": Chat::teams().text(&event) });
/// # let _ = block;
/// # Ok::<(), notafter::time::TimestampParseError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chat {
    markup: ChatMarkup,
    runbook: Runbook,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum ChatMarkup {
    /// mrkdwn: `&`, `<` and `>` are entities, links are `<url|text>`. Nothing escapes `*`, `_`, `~`
    /// and backticks, which change how text looks and no more.
    Mrkdwn,
    /// The Markdown of Teams and of Adaptive Cards: a backslash escapes, and entities are known.
    Markdown,
}

impl Chat {
    /// Slack, and those that take its messages, as Mattermost does.
    pub fn slack() -> Self {
        Self {
            markup: ChatMarkup::Mrkdwn,
            runbook: Runbook::default(),
        }
    }

    /// Microsoft Teams: the text of a text block in an Adaptive Card.
    pub fn teams() -> Self {
        Self {
            markup: ChatMarkup::Markdown,
            ..Self::slack()
        }
    }

    /// Links to another runbook.
    #[must_use]
    pub fn with_runbook(mut self, runbook: Runbook) -> Self {
        self.runbook = runbook;
        self
    }

    /// The message.
    pub fn text(&self, event: &Event) -> String {
        let (severity, code, at) = (event.severity, event.code, event.at);
        let role = self.escaped(event.role.as_str());
        let message = self.escaped(&event.message);
        let runbook = self.runbook.url(code);
        match self.markup {
            ChatMarkup::Mrkdwn => format!(
                "*{severity}* `{code}`: {message}\n_{role}, {at}_ <{}|runbook>",
                runbook.replace('&', "&amp;")
            ),
            ChatMarkup::Markdown => format!(
                "**{severity}** `{code}`: {message}\n\n{role}, {at} [runbook]({})",
                // A parenthesis would end the link.
                runbook.replace('(', "%28").replace(')', "%29")
            ),
        }
    }

    /// A text that shows what it says and does nothing else.
    fn escaped(&self, text: &str) -> String {
        let text = visible(text);
        let mut shown = String::with_capacity(text.len());
        for c in text.chars().take(MAX_SHOWN) {
            match (c, self.markup) {
                ('&', _) => shown.push_str("&amp;"),
                ('<', _) => shown.push_str("&lt;"),
                ('>', _) => shown.push_str("&gt;"),
                ('@', _) => shown.extend([c, ZERO_WIDTH_SPACE]),
                (_, ChatMarkup::Markdown) if MARKDOWN.contains(c) => shown.extend(['\\', c]),
                _ => shown.push(c),
            }
        }
        if text.chars().nth(MAX_SHOWN).is_some() {
            shown.push('…');
        }
        shown
    }
}
