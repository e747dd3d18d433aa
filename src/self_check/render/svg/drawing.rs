//! Writing SVG: elements, attributes, and text that cannot be anything but text.

use std::fmt::{self, Display, Write as _};

use crate::text::push_visible;

/// Names and values; the values are escaped.
pub(super) type Attributes<'a> = &'a [(&'static str, &'a dyn Display)];

/// Elements one below the other, a line each.
#[derive(Debug, Default)]
pub(super) struct Drawing {
    text: String,
    open: Vec<&'static str>,
}

impl Drawing {
    /// Everything until the matching [`Drawing::end`] is inside of this element.
    pub(super) fn begin(&mut self, name: &'static str, attributes: Attributes<'_>) {
        self.tag(name, attributes);
        self.text.push_str(">\n");
        self.open.push(name);
    }

    pub(super) fn end(&mut self) {
        if let Some(name) = self.open.pop() {
            // Writing into a String cannot fail.
            let _ = writeln!(self.text, "</{name}>");
        }
    }

    pub(super) fn empty(&mut self, name: &'static str, attributes: Attributes<'_>) {
        self.tag(name, attributes);
        self.text.push_str("/>\n");
    }

    /// An element around text.
    pub(super) fn text(&mut self, name: &'static str, attributes: Attributes<'_>, content: &str) {
        self.tag(name, attributes);
        self.text.push('>');
        escape(&mut self.text, content);
        let _ = writeln!(self.text, "</{name}>");
    }

    /// Puts another drawing in here.
    pub(super) fn append(&mut self, other: Self) {
        self.text.push_str(&other.finish());
    }

    /// The text, every element ended.
    pub(super) fn finish(mut self) -> String {
        while !self.open.is_empty() {
            self.end();
        }
        self.text
    }

    fn tag(&mut self, name: &'static str, attributes: Attributes<'_>) {
        self.text.push('<');
        self.text.push_str(name);
        for (name, value) in attributes {
            let _ = write!(self.text, " {name}=\"");
            escape(&mut self.text, &value.to_string());
            self.text.push('"');
        }
    }
}

/// The one place where text becomes XML (1.0, sections 2.2 and 2.4).
fn escape(out: &mut String, text: &str) {
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            // XML has no way to write these; nor control characters, which cannot be seen either.
            '\u{fffe}' | '\u{ffff}' => out.extend(c.escape_unicode()),
            c => push_visible(out, c),
        }
    }
}

/// A length in tenths of a pixel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Tenths(pub(super) i64);

impl Display for Tenths {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (pixels, tenths) = (self.0.div_euclid(10), self.0.rem_euclid(10));
        match tenths {
            0 => write!(f, "{pixels}"),
            tenths => write!(f, "{pixels}.{tenths}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_text_whatever_it_is() {
        let cases = [
            ("a.example", "a.example"),
            ("</text><script>", "&lt;/text&gt;&lt;script&gt;"),
            ("\" onload='x' &amp;", "&quot; onload=&#39;x&#39; &amp;amp;"),
            ("]]>", "]]&gt;"),
            ("a\n\0\u{1b}b", "a\\u{a}\\u{0}\\u{1b}b"),
            ("moc.\u{202e}evil", "moc.\\u{202e}evil"),
            ("\u{fffe}\u{ffff}\u{fffd}", "\\u{fffe}\\u{ffff}\u{fffd}"),
            ("Zürich 東京", "Zürich 東京"),
        ];
        for (content, expected) in cases {
            let mut drawing = Drawing::default();
            drawing.text("text", &[("id", &content)], content);
            let written = format!("<text id=\"{expected}\">{expected}</text>\n");
            assert_eq!(drawing.finish(), written);
        }
    }

    #[test]
    fn every_element_is_ended() {
        let mut drawing = Drawing::default();
        drawing.begin("g", &[("x", &Tenths(-5)), ("y", &Tenths(1_204))]);
        drawing.begin("g", &[]);
        drawing.empty("rect", &[("x", &Tenths(40))]);
        let expected = "<g x=\"-1.5\" y=\"120.4\">\n<g>\n<rect x=\"4\"/>\n</g>\n</g>\n";
        assert_eq!(drawing.finish(), expected);
    }
}
