//! Foreign text for people: what cannot be seen, or changes how the rest is seen, is escaped, so that
//! nobody's name writes lines of its own into a log or turns around what stands beside it.

use std::ops::RangeInclusive;

/// Characters that show nothing where they stand: Default_Ignorable_Code_Point (Unicode 16,
/// `DerivedCoreProperties.txt`, unassigned ones included), separators of lines and paragraphs, and
/// the marks of interlinear annotations.
const HIDDEN: [RangeInclusive<char>; 21] = [
    '\u{ad}'..='\u{ad}',       // soft hyphen
    '\u{34f}'..='\u{34f}',     // combining grapheme joiner
    '\u{61c}'..='\u{61c}',     // Arabic letter mark
    '\u{115f}'..='\u{1160}',   // Hangul fillers
    '\u{17b4}'..='\u{17b5}',   // Khmer inherent vowels
    '\u{180b}'..='\u{180f}',   // Mongolian variation selectors
    '\u{200b}'..='\u{200f}',   // zero-width, marks of direction
    '\u{2028}'..='\u{2029}',   // line and paragraph separators
    '\u{202a}'..='\u{202e}',   // embeddings and overrides of direction
    '\u{2060}'..='\u{206f}',   // word joiner, invisible operators, isolates of direction
    '\u{3164}'..='\u{3164}',   // Hangul filler
    '\u{fe00}'..='\u{fe0f}',   // variation selectors
    '\u{feff}'..='\u{feff}',   // zero-width no-break space
    '\u{ffa0}'..='\u{ffa0}',   // halfwidth Hangul filler
    '\u{fff0}'..='\u{fff8}',   // unassigned
    '\u{fff9}'..='\u{fffb}',   // interlinear annotations
    '\u{1bca0}'..='\u{1bca3}', // shorthand format controls
    '\u{1d173}'..='\u{1d17a}', // musical beams, ties, slurs, phrases
    '\u{e0000}'..='\u{e007f}', // tags
    '\u{e0080}'..='\u{e01ef}', // variation selectors supplement
    '\u{e01f0}'..='\u{e0fff}', // unassigned
];

/// Whether a character shows nothing itself, or changes how others are shown.
pub(crate) fn is_hidden(c: char) -> bool {
    // Nearly all text is ASCII.
    c.is_control() || (!c.is_ascii() && HIDDEN.iter().any(|range| range.contains(&c)))
}

/// Adds a character so that it can be seen: `\u{202e}` for one that could not.
pub(crate) fn push_visible(text: &mut String, c: char) {
    if is_hidden(c) {
        text.extend(c.escape_unicode());
    } else {
        text.push(c);
    }
}

/// The text with everything escaped that could not be seen.
pub(crate) fn visible(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for c in text.chars() {
        push_visible(&mut shown, c);
    }
    shown
}

/// JSON whose strings hide nothing: the same document, with everything escaped (RFC 8259, 7) that
/// could not be seen. In what `serde_json` writes, a line break of its own is the only such
/// character outside of strings, and none is left inside.
#[cfg(feature = "json")]
pub(crate) fn visible_json(json: &str) -> String {
    let mut shown = String::with_capacity(json.len());
    for c in json.chars() {
        if !is_hidden(c) || c == '\n' {
            shown.push(c);
            continue;
        }
        for unit in c.encode_utf16(&mut [0; 2]) {
            shown.push_str(&format!("\\u{unit:04x}"));
        }
    }
    shown
}

/// So many characters of a text that a message repeats between quotes: besides what could not be
/// seen, quotes, backslashes and whatever Rust's own `Debug` escapes.
pub(crate) fn quoted(text: &str, most: usize) -> String {
    let mut shown = String::new();
    for c in text.chars().take(most) {
        if is_hidden(c) && !c.is_control() {
            shown.extend(c.escape_unicode());
        } else {
            shown.extend(c.escape_debug());
        }
    }
    shown
}

/// Whether a character may stand in a URI as it is (RFC 3986, section 2).
pub(crate) fn is_of_uri(c: char) -> bool {
    c.is_ascii_alphanumeric() || "-._~:/?#[]@!$&'()*+,;=%".contains(c)
}

#[cfg(test)]
mod tests {
    use super::{HIDDEN, quoted, visible};

    #[test]
    fn what_cannot_be_seen_is_escaped_and_what_can_be_is_not() {
        let cases = [
            ("", ""),
            ("Zürich 東京 €", "Zürich 東京 €"),
            ("it's \"a\\b\"", "it's \"a\\b\""),
            ("Z\u{75}\u{308}rich", "Zu\u{308}rich"),
            ("a\nb\r\tc\0", "a\\u{a}b\\u{d}\\u{9}c\\u{0}"),
            ("\u{1b}[31m\u{7f}\u{9b}", "\\u{1b}[31m\\u{7f}\\u{9b}"),
            ("a\u{ad}b", "a\\u{ad}b"),
            ("a\u{34f}b", "a\\u{34f}b"),
            ("a\u{61c}b", "a\\u{61c}b"),
            ("a\u{115f}\u{1160}b", "a\\u{115f}\\u{1160}b"),
            ("a\u{180e}b", "a\\u{180e}b"),
            (
                "a\u{200b}\u{200d}\u{200f}b",
                "a\\u{200b}\\u{200d}\\u{200f}b",
            ),
            ("a\u{2028}b\u{2029}c", "a\\u{2028}b\\u{2029}c"),
            ("moc.\u{202e}evil", "moc.\\u{202e}evil"),
            ("a\u{202a}\u{202d}b", "a\\u{202a}\\u{202d}b"),
            ("a\u{2066}\u{2069}b", "a\\u{2066}\\u{2069}b"),
            ("a\u{2060}\u{2065}b", "a\\u{2060}\\u{2065}b"),
            ("a\u{3164}b", "a\\u{3164}b"),
            ("a\u{fe0f}b", "a\\u{fe0f}b"),
            ("\u{feff}b", "\\u{feff}b"),
            ("a\u{ffa0}\u{fffa}b", "a\\u{ffa0}\\u{fffa}b"),
            ("a\u{1d173}b", "a\\u{1d173}b"),
            (
                "\u{e0000}\u{e0001}\u{e0041}\u{e007f}",
                "\\u{e0000}\\u{e0001}\\u{e0041}\\u{e007f}",
            ),
            ("a\u{e0100}\u{e01ef}b", "a\\u{e0100}\\u{e01ef}b"),
            ("a\u{e0fff}\u{e1000}b", "a\\u{e0fff}\u{e1000}b"),
        ];
        for (text, expected) in cases {
            assert_eq!(visible(text), expected, "{text:?}");
            assert_eq!(visible(expected), expected);
        }
    }

    #[cfg(feature = "json")]
    #[test]
    fn json_stays_the_same_document_and_hides_nothing() {
        let text = "a\n\t\u{1b}\"\\\u{7f}\u{202e}\u{2066}\u{e0041}\u{feff}é\u{10ffff}";
        let value = serde_json::json!({ text: [text, 1] });
        for json in [
            value.to_string(),
            serde_json::to_string_pretty(&value).unwrap(),
        ] {
            let shown = super::visible_json(&json);
            assert_eq!(
                serde_json::from_str::<serde_json::Value>(&shown).unwrap(),
                value
            );
            assert!(
                !shown.chars().any(|c| super::is_hidden(c) && c != '\n'),
                "{shown}"
            );
            assert_eq!(shown.lines().count(), json.lines().count());
        }
    }

    #[test]
    fn what_is_quoted_cannot_end_its_quotes_and_is_short() {
        let cases = [
            ("it's \"a\\b\"", 64, "it\\'s \\\"a\\\\b\\\""),
            ("a\nb\0\u{1b}", 64, "a\\nb\\0\\u{1b}"),
            (
                "a\u{202e}b\u{fe0f}\u{e0041}",
                64,
                "a\\u{202e}b\\u{fe0f}\\u{e0041}",
            ),
            ("äöü", 2, "äö"),
        ];
        for (text, most, expected) in cases {
            assert_eq!(quoted(text, most), expected, "{text:?}");
        }
    }

    #[test]
    fn the_table_is_in_order() {
        let pairs = HIDDEN.iter().zip(HIDDEN.iter().skip(1));
        for (before, after) in pairs {
            assert!(before.start() <= before.end() && before.end() < after.start());
        }
    }
}
