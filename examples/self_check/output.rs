//! Writing to standard output and standard error.

use std::ffi::OsString;
use std::io::{self, IsTerminal as _, Write as _};

/// Writes to standard output. A reader that has gone away (`| head`) is no reason to fail.
pub fn write(text: &str) -> io::Result<()> {
    match write_to_reader(text) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        written => written,
    }
}

/// Writes to standard output, for somebody who goes on reading.
pub fn write_to_reader(text: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    out.write_all(text.as_bytes()).and_then(|()| out.flush())
}

/// The text with everything escaped that could not be seen, or would write lines of its own.
pub fn visible(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\'' | '"' | '\\' => shown.push(c),
            c => shown.extend(c.escape_debug()),
        }
    }
    shown
}

/// Writes a line to standard error. There is nobody to tell where that fails.
pub fn complain(line: &str) {
    let _ = writeln!(io::stderr().lock(), "{line}");
}

/// The text with its severities in colour, where standard output is a terminal that has some and
/// nobody objects (<https://no-color.org>).
pub fn coloured(text: &str) -> String {
    if is_dumb() || variable("NO_COLOR").is_some() || !io::stdout().is_terminal() {
        return text.to_owned();
    }
    let mut painted = String::new();
    let mut is_head = true;
    for line in text.split_inclusive('\n') {
        match (is_head, line.split_once("worst: ")) {
            (true, Some((before, worst))) => {
                let (word, end) = worst.split_at(worst.trim_end().len());
                painted += &format!("{before}worst: {}{end}", paint(word));
            }
            _ => painted += &finding(line),
        }
        is_head = false;
    }
    painted
}

/// Whether the terminal knows nothing but lines.
pub fn is_dumb() -> bool {
    variable("TERM").is_none_or(|term| term == "dumb")
}

fn variable(name: &str) -> Option<OsString> {
    std::env::var_os(name).filter(|value| !value.is_empty())
}

/// A line of the findings begins with its severity.
fn finding(line: &str) -> String {
    for severity in ["critical", "warning"] {
        let rest = line
            .strip_prefix("  ")
            .and_then(|line| line.strip_prefix(severity));
        if let Some(rest) = rest.filter(|rest| rest.starts_with("  ")) {
            return format!("  {}{rest}", paint(severity));
        }
    }
    line.to_owned()
}

fn paint(word: &str) -> String {
    let colour = match word {
        "ok" | "due" => 32,
        word if word.contains("warning") => 33,
        _ => 31,
    };
    format!("\u{1b}[{colour}m{word}\u{1b}[0m")
}
