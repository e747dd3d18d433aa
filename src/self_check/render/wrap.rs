//! Lines that fit a terminal.

/// The columns that every terminal has.
pub(super) const COLUMNS: usize = 80;

/// At the least so many columns are for words, whatever stands before them.
const LEAST: usize = 24;

/// `lead` and then `text`, in lines of at most so many columns where words allow it: further lines
/// begin below the first word, and a word is never broken, for it may be a path to copy.
pub(super) fn wrapped(lead: &str, text: &str, columns: usize) -> String {
    let begin = width(lead);
    let indent = begin.min(columns.saturating_sub(LEAST));
    let mut lines = lead.to_owned();
    let (mut column, mut is_first) = (begin, true);
    for word in text.split(' ') {
        let needed = width(word) + usize::from(!is_first);
        if !is_first && column + needed > columns {
            lines.push('\n');
            lines.push_str(&" ".repeat(indent));
            column = indent;
        } else if !is_first {
            lines.push(' ');
            column += 1;
        }
        lines.push_str(word);
        column += width(word);
        is_first = false;
    }
    let lines: Vec<_> = lines.lines().map(str::trim_end).collect();
    lines.join("\n") + "\n"
}

fn width(text: &str) -> usize {
    text.chars().count()
}

#[cfg(test)]
mod tests {
    use super::wrapped;

    #[test]
    fn lines_end_between_words_and_no_word_is_broken() {
        let cases = [
            ("", "", "\n"),
            ("", "a b", "a b\n"),
            (
                "  ",
                "one two three four five six seven",
                "  one two three four five six\n  seven\n",
            ),
            (
                "name: ",
                "one two three four five six",
                "name: one two three four five\n      six\n",
            ),
            (
                "",
                "/a/path/that/is/longer/than/a/line a b",
                "/a/path/that/is/longer/than/a/line\na b\n",
            ),
            (
                "a: ",
                "/a/path/that/is/longer/than/a/line",
                "a: /a/path/that/is/longer/than/a/line\n",
            ),
            // Thirty columns leave 24 for words, below a lead of any length.
            (
                "a lead of 26 columns, or so ",
                "one two three",
                "a lead of 26 columns, or so one\n      two three\n",
            ),
            (
                "",
                "äöü äöü äöü äöü äöü äöü äöü äöü",
                "äöü äöü äöü äöü äöü äöü äöü\näöü\n",
            ),
        ];
        for (lead, text, expected) in cases {
            assert_eq!(wrapped(lead, text, 30), expected, "{text}");
        }
    }
}
