//! Finding PEM blocks (RFC 7468) as rustls-pki-types finds them, but with the place of each and
//! without letting a damaged block hide the next.

use std::sync::LazyLock;

use data_encoding::{Encoding, Specification};

/// One PEM block, or the damage of one.
pub(super) struct Block<'a> {
    /// Counted from 1.
    pub(super) number: usize,
    /// The BEGIN line, counted from 1.
    pub(super) line: usize,
    /// The byte at which the BEGIN line begins.
    pub(super) offset: usize,
    pub(super) label: &'a [u8],
    /// What stands between BEGIN and END, or what is wrong with the block.
    pub(super) body: Result<&'a [u8], String>,
}

/// A block whose END line has not come yet.
struct Open<'a> {
    line: usize,
    offset: usize,
    label: &'a [u8],
    body_start: usize,
}

/// Calls `found` for each block, in order.
pub(super) fn scan<'a>(bytes: &'a [u8], mut found: impl FnMut(Block<'a>)) {
    let mut number = 0;
    let mut emit = |open: Open<'a>, body| {
        number += 1;
        found(Block {
            number,
            line: open.line,
            offset: open.offset,
            label: open.label,
            body,
        });
    };
    let mut open: Option<Open<'a>> = None;
    for line in Lines::new(bytes) {
        if line.text.starts_with(BEGIN) {
            let Some(label) = begin_label(line.text) else {
                let damaged = line.open(&[]);
                emit(
                    damaged,
                    Err(format!("line {} is a damaged BEGIN line", line.number)),
                );
                continue;
            };
            if let Some(cut) = open.take() {
                // rustls-pki-types would run both blocks together and lose the second as well.
                let detail = format!(
                    "it has no END line before line {} begins another",
                    line.number
                );
                emit(cut, Err(detail));
            }
            open = Some(line.open(label));
        } else if let Some(rest) = line.text.strip_prefix(END) {
            match open.take() {
                Some(block) if is_end_of(block.label, rest) => {
                    let body = bytes.get(block.body_start..line.offset);
                    emit(block, Ok(body.unwrap_or_default()));
                }
                Some(block) => {
                    let detail = format!("its END line, line {}, has another label", line.number);
                    emit(block, Err(detail));
                }
                None => {
                    let stray = line.open(&[]);
                    emit(
                        stray,
                        Err(format!("line {} is an END without a BEGIN", line.number)),
                    );
                }
            }
        }
    }
    if let Some(cut) = open {
        emit(
            cut,
            Err("it has no END line: the file ends inside of it".to_owned()),
        );
    }
}

/// Decodes as rustls-pki-types does: white space anywhere, padding optional, the unused bits of
/// the last character ignored.
pub(super) fn decode(body: &[u8]) -> Option<Vec<u8>> {
    let mut text: Vec<u8> = body
        .iter()
        .copied()
        .filter(|b| !b.is_ascii_whitespace())
        .collect();
    if text.len() % 4 == 0 {
        for _ in 0..2 {
            if text.last() == Some(&b'=') {
                text.pop();
            }
        }
    }
    LENIENT_BASE64.as_ref()?.decode(&text).ok()
}

static LENIENT_BASE64: LazyLock<Option<Encoding>> = LazyLock::new(|| {
    let mut spec = Specification::new();
    spec.symbols
        .push_str("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/");
    spec.check_trailing_bits = false;
    spec.encoding().ok()
});

const BEGIN: &[u8] = b"-----BEGIN ";
const END: &[u8] = b"-----END ";
const DASHES: &[u8] = b"-----";

/// The label of `-----BEGIN label-----`; white space may follow.
fn begin_label(line: &[u8]) -> Option<&[u8]> {
    let label = line
        .trim_ascii_end()
        .strip_prefix(BEGIN)?
        .strip_suffix(DASHES)?;
    (label.last() != Some(&b'-')).then_some(label)
}

fn is_end_of(label: &[u8], rest: &[u8]) -> bool {
    let after = rest.strip_prefix(label);
    after.is_some_and(|after| after.starts_with(DASHES))
}

struct Line<'a> {
    number: usize,
    offset: usize,
    text: &'a [u8],
    /// Where the next line begins.
    next: usize,
}

impl<'a> Line<'a> {
    fn open(&self, label: &'a [u8]) -> Open<'a> {
        Open {
            line: self.number,
            offset: self.offset,
            label,
            body_start: self.next,
        }
    }
}

/// Lines that end with LF, CR, or CR LF.
struct Lines<'a> {
    bytes: &'a [u8],
    next: usize,
    number: usize,
}

impl<'a> Lines<'a> {
    fn new(bytes: &'a [u8]) -> Self {
        Self {
            bytes,
            next: 0,
            number: 0,
        }
    }
}

impl<'a> Iterator for Lines<'a> {
    type Item = Line<'a>;

    fn next(&mut self) -> Option<Line<'a>> {
        let offset = self.next;
        let rest = self.bytes.get(offset..).filter(|rest| !rest.is_empty())?;
        let length = rest.iter().position(|byte| matches!(byte, b'\n' | b'\r'));
        let length = length.unwrap_or(rest.len());
        let (text, end) = rest.split_at_checked(length)?;
        let line_end = match end {
            [b'\r', b'\n', ..] => 2,
            [_, ..] => 1,
            [] => 0,
        };
        self.next = offset + length + line_end;
        self.number += 1;
        Some(Line {
            number: self.number,
            offset,
            text,
            next: self.next,
        })
    }
}
