//! Text that fits: how many columns it takes at the most, and how it is cut and wrapped to them.

/// What stands for what was cut off.
const CUT: &str = "..";

/// The most columns that a text takes. What a font makes of a character is not known here: one outside
/// of ASCII counts as two, which none exceeds in a terminal (UAX #11).
pub(in super::super) fn columns(text: &str) -> usize {
    text.chars().map(column).sum()
}

const fn column(c: char) -> usize {
    if c.is_ascii() { 1 } else { 2 }
}

/// The text, or its start where it is longer.
pub(in super::super) fn cut(text: &str, most: usize) -> String {
    if columns(text) <= most {
        return text.to_owned();
    }
    let kept = fitting(text.chars(), most.saturating_sub(CUT.len()));
    let end = fitting(CUT.chars(), most);
    kept.into_iter().chain(end).collect()
}

/// The text, or its start and its end where it is longer: of a path both tell something.
pub(in super::super) fn cut_middle(text: &str, most: usize) -> String {
    if columns(text) <= most {
        return text.to_owned();
    }
    let kept = most.saturating_sub(CUT.len());
    let start = fitting(text.chars(), kept / 2);
    let mut end = fitting(text.chars().rev(), kept - kept / 2);
    end.reverse();
    let middle = fitting(CUT.chars(), most);
    start.into_iter().chain(middle).chain(end).collect()
}

/// The first of these characters that fit.
fn fitting(text: impl Iterator<Item = char>, most: usize) -> Vec<char> {
    let mut left = most;
    let fits = |c: &char| match left.checked_sub(column(*c)) {
        Some(rest) => {
            left = rest;
            true
        }
        None => false,
    };
    text.take_while(fits).collect()
}

/// The text in lines of so many columns (two at least), broken at spaces where there are any.
pub(in super::super) fn wrap(text: &str, most: usize) -> Vec<String> {
    let most = most.max(2);
    let mut lines = Vec::new();
    let mut line = String::new();
    for word in text.split(' ') {
        let taken = columns(&line);
        let space = usize::from(taken > 0);
        if taken + space + columns(word) > most && taken > 0 {
            lines.push(std::mem::take(&mut line));
        } else if taken > 0 {
            line.push(' ');
        }
        for c in word.chars() {
            if columns(&line) + column(c) > most {
                lines.push(std::mem::take(&mut line));
            }
            line.push(c);
        }
    }
    if !line.is_empty() {
        lines.push(line);
    }
    lines
}

/// So many of these lines at the most; where there are more, the last ends with what says so.
pub(in super::super) fn wrap_within(text: &str, most: usize, lines: usize) -> Vec<String> {
    let mut wrapped = wrap(text, most);
    if wrapped.len() > lines {
        wrapped.truncate(lines);
        if let Some(last) = wrapped.last_mut() {
            *last = cut(&format!("{last} {CUT}"), most);
        }
    }
    wrapped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_longer_is_cut_at_its_end_or_in_its_middle() {
        let cases = [
            ("service.pem", 11, "service.pem", "service.pem"),
            ("service.pem", 10, "service...", "serv...pem"),
            ("service.pem", 5, "ser..", "s..em"),
            ("service.pem", 2, "..", ".."),
            ("service.pem", 1, ".", "."),
            ("service.pem", 0, "", ""),
            ("Zürich", 7, "Zürich", "Zürich"),
            ("Zürich", 6, "Zür..", "Z..ch"),
            ("東京", 4, "東京", "東京"),
            ("東京", 3, "..", ".."),
        ];
        for (text, most, at_end, in_middle) in cases {
            assert_eq!(cut(text, most), at_end, "{text} in {most}");
            assert_eq!(cut_middle(text, most), in_middle, "{text} in {most}");
            assert!(columns(at_end) <= most && columns(in_middle) <= most);
        }
    }

    #[test]
    fn lines_break_at_spaces_and_long_words_anywhere() {
        let cases: [(&str, usize, &[&str]); 6] = [
            ("", 10, &[]),
            ("renew it now", 20, &["renew it now"]),
            ("renew it now", 8, &["renew it", "now"]),
            ("renew it now", 4, &["rene", "w it", "now"]),
            ("a 東京 b", 4, &["a", "東京", "b"]),
            ("東京", 0, &["東", "京"]),
        ];
        for (text, most, expected) in cases {
            assert_eq!(wrap(text, most), expected, "{text} in {most}");
            assert_eq!(wrap_within(text, most, expected.len()), expected);
        }
        let few = [
            (3, &["renew", "it", "now"][..]),
            (2, &["renew", "it .."]),
            (1, &["ren.."]),
            (0, &[]),
        ];
        for (lines, expected) in few {
            assert_eq!(wrap_within("renew it now", 5, lines), expected);
        }
    }
}
