//! Finding PEM blocks (RFC 7468) as rustls-pki-types finds them, but with the place of each,
//! without letting a damaged block hide the next, and without holding more than one block.

use std::io::{self, Read};

use memchr::memmem::Finder;
use memchr::{memchr, memchr_iter, memchr2};

use super::foreign_format::BYTE_ORDER_MARK;

/// So many bytes are asked for at a time.
const CHUNK: usize = 64 * 1024;
/// The longest body that is held, and the longest BEGIN line.
const MAX_BODY: usize = 16 * 1024 * 1024;
const MAX_LINE: usize = 64 * 1024;

const BEGIN: &[u8] = b"-----BEGIN ";
const END: &[u8] = b"-----END ";
const DASHES: &[u8] = b"-----";

/// One PEM block, or the damage of one.
pub(super) struct Block<'s> {
    /// Counted from 1.
    pub(super) number: usize,
    /// The BEGIN line, counted from 1.
    pub(super) line: usize,
    /// The byte at which the BEGIN line begins.
    pub(super) offset: usize,
    pub(super) label: &'s [u8],
    /// Whether a byte order mark stands before its BEGIN line, so that rustls-pki-types does not see
    /// it.
    pub(super) is_marked: bool,
    /// What stands between BEGIN and END, or what is wrong with the block.
    pub(super) body: Result<&'s [u8], String>,
}

/// A block whose END line has not come yet.
#[derive(Debug, Clone, Copy)]
struct Open {
    line: usize,
    offset: usize,
    /// Where its body begins, counted from the start of the stream; `None` where it has grown too
    /// long to be held.
    body: Option<usize>,
    is_marked: bool,
}

/// A block that is over.
struct Over {
    block: Open,
    /// Damaged lines have no label.
    labelled: bool,
    /// Where its body ends, counted from the start of the stream.
    body: Result<usize, String>,
}

/// The blocks of a stream, in order.
///
/// Only lines that begin with five dashes count, so everything else is passed over with `memmem`.
pub(super) struct Blocks<R> {
    reader: R,
    chunk: usize,
    max_body: usize,
    dashes: Finder<'static>,
    /// A part of the stream, with the byte before `at` if there is one.
    window: Vec<u8>,
    /// Where in the stream the window begins.
    base: usize,
    /// Up to here all has been looked at; everything up to `counted` has had its lines counted.
    /// Both are counted from the start of the stream.
    at: usize,
    counted: usize,
    lines: usize,
    after_cr: bool,
    /// Whether the rest of the current line does not matter.
    skipping: bool,
    ended: bool,
    number: usize,
    open: Option<Open>,
    label: Vec<u8>,
    /// The first bytes of the stream, as many as a byte order mark has.
    start: Vec<u8>,
}

impl<R: Read> Blocks<R> {
    pub(super) fn new(reader: R) -> Self {
        Self::with_sizes(reader, CHUNK, MAX_BODY)
    }

    fn with_sizes(reader: R, chunk: usize, max_body: usize) -> Self {
        Self {
            reader,
            chunk,
            max_body,
            dashes: Finder::new(DASHES),
            window: Vec::new(),
            base: 0,
            at: 0,
            counted: 0,
            lines: 0,
            after_cr: false,
            skipping: false,
            ended: false,
            number: 0,
            open: None,
            label: Vec::new(),
            start: Vec::new(),
        }
    }

    /// The next block, damaged ones included.
    ///
    /// # Errors
    /// What the reader says.
    pub(super) fn next(&mut self) -> io::Result<Option<Block<'_>>> {
        let Some(over) = self.advance()? else {
            return Ok(None);
        };
        self.number += 1;
        let body = match (over.body, over.block.body) {
            (Err(detail), _) => Err(detail),
            (Ok(_), None) => Err(format!("it is longer than {} bytes", self.max_body)),
            (Ok(end), Some(start)) => Ok(self.part(start, end)),
        };
        Ok(Some(Block {
            number: self.number,
            line: over.block.line,
            offset: over.block.offset,
            is_marked: over.block.is_marked,
            label: if over.labelled { &self.label } else { &[] },
            body,
        }))
    }

    fn advance(&mut self) -> io::Result<Option<Over>> {
        while self.find_dashes()? {
            let rest = self.rest();
            if rest.starts_with(BEGIN) {
                let end = memchr2(b'\n', b'\r', rest);
                if end.is_none() && rest.len() < MAX_LINE && self.read_more()? {
                    continue;
                }
                if let Some(over) = self.begin(end) {
                    return Ok(Some(over));
                }
            } else if rest.starts_with(END) {
                let wanted = END.len() + self.label.len() + DASHES.len();
                let is_cut = rest.len() < wanted && memchr2(b'\n', b'\r', rest).is_none();
                if is_cut && self.read_more()? {
                    continue;
                }
                return Ok(Some(self.end()));
            } else if rest.len() >= BEGIN.len() || !self.read_more()? {
                self.skipping = true;
            }
        }
        let cut = self.open.take().map(|block| Over {
            block,
            labelled: true,
            body: Err("it has no END line: the file ends inside of it".to_owned()),
        });
        Ok(cut)
    }

    /// Goes to the next line that begins with dashes; `false` at the end of the stream.
    fn find_dashes(&mut self) -> io::Result<bool> {
        loop {
            let rest = self.rest();
            if self.skipping {
                match memchr2(b'\n', b'\r', rest) {
                    Some(end) => {
                        self.at += end + 1;
                        self.skipping = false;
                    }
                    None => {
                        self.at += rest.len();
                        if !self.read_more()? {
                            return Ok(false);
                        }
                    }
                }
                continue;
            }
            let Some(found) = self.dashes.find(rest) else {
                // Four dashes may be the beginning of five.
                self.at += rest.len().saturating_sub(DASHES.len() - 1);
                if !self.read_more()? {
                    return Ok(false);
                }
                continue;
            };
            self.at += found;
            let before = self.at.checked_sub(1);
            if before.is_none_or(|before| matches!(self.part(before, self.at), b"\n" | b"\r"))
                || self.is_behind_mark()
            {
                return Ok(true);
            }
            self.skipping = true;
        }
    }

    /// At a BEGIN line, whose text ends so many bytes on, or with the stream.
    fn begin(&mut self, end: Option<usize>) -> Option<Over> {
        let line = self.line();
        let from = self.at.saturating_sub(self.base);
        let rest = self.window.get(from..).unwrap_or_default();
        let length = end.unwrap_or(rest.len());
        let text = rest.get(..length).unwrap_or_default();
        let block = Open {
            line,
            offset: self.at,
            body: Some(self.at + length),
            is_marked: self.is_behind_mark(),
        };
        let Some(label) = begin_label(text) else {
            self.at += length;
            self.skipping = true;
            return Some(Over {
                block,
                labelled: false,
                body: Err(format!("line {line} is a damaged BEGIN line")),
            });
        };
        if let Some(cut) = self.open.take() {
            // rustls-pki-types would run both blocks together and lose the second as well. This
            // line's turn comes again.
            return Some(Over {
                block: cut,
                labelled: true,
                body: Err(format!(
                    "it has no END line before line {line} begins another"
                )),
            });
        }
        self.label.clear();
        self.label.extend_from_slice(label);
        self.open = Some(block);
        self.at += length;
        self.skipping = true;
        None
    }

    /// At an END line.
    fn end(&mut self) -> Over {
        let line = self.line();
        let text = self.rest().get(END.len()..).unwrap_or_default();
        let is_of_label = is_end_of(&self.label, text);
        let here = Open {
            line,
            offset: self.at,
            body: None,
            is_marked: false,
        };
        let over = match self.open.take() {
            Some(block) if is_of_label => Over {
                block,
                labelled: true,
                body: Ok(self.at),
            },
            Some(block) => Over {
                block,
                labelled: true,
                body: Err(format!("its END line, line {line}, has another label")),
            },
            None => Over {
                block: here,
                labelled: false,
                body: Err(format!("line {line} is an END without a BEGIN")),
            },
        };
        self.at += END.len();
        self.skipping = true;
        over
    }

    /// Whether nothing but a byte order mark stands before.
    fn is_behind_mark(&self) -> bool {
        self.at == BYTE_ORDER_MARK.len() && self.start == BYTE_ORDER_MARK
    }

    /// What of the window has not been looked at.
    fn rest(&self) -> &[u8] {
        let from = self.at.saturating_sub(self.base);
        self.window.get(from..).unwrap_or_default()
    }

    /// A part of the stream that is in the window.
    fn part(&self, start: usize, end: usize) -> &[u8] {
        let range = start.saturating_sub(self.base)..end.saturating_sub(self.base);
        self.window.get(range).unwrap_or_default()
    }

    /// Which line begins at `at`, counted from 1. A line ends with LF, CR, or CR LF.
    fn line(&mut self) -> usize {
        let passed = self.part(self.counted, self.at);
        let (mut lines, mut last) = (memchr_iter(b'\n', passed).count(), None);
        if self.after_cr && passed.first() == Some(&b'\n') {
            lines -= 1;
        }
        for cr in memchr_iter(b'\r', passed) {
            lines += usize::from(passed.get(cr + 1) != Some(&b'\n'));
            last = Some(cr + 1);
        }
        if !passed.is_empty() {
            self.after_cr = last == Some(passed.len());
        }
        self.lines += lines;
        self.counted = self.at;
        self.lines + 1
    }

    /// Reads on, and drops what is no longer needed; `false` at the end of the stream.
    fn read_more(&mut self) -> io::Result<bool> {
        if self.ended {
            return Ok(false);
        }
        self.line();
        if let Some(open) = &mut self.open {
            let held = open.body.map(|body| self.at.saturating_sub(body));
            open.body = open.body.filter(|_| held <= Some(self.max_body));
        }
        let body = self.open.and_then(|open| open.body);
        let keep = body.unwrap_or(self.at.saturating_sub(1));
        self.window.drain(..keep.saturating_sub(self.base));
        self.base = self.base.max(keep);
        let wanted = u64::try_from(self.chunk).unwrap_or(u64::MAX);
        self.window.reserve(self.chunk);
        let mut limited = self.reader.by_ref().take(wanted);
        let held = self.window.len();
        let read = limited.read_to_end(&mut self.window)?;
        let fresh = self.window.get(held..).unwrap_or_default().iter();
        let missing = BYTE_ORDER_MARK.len().saturating_sub(self.start.len());
        self.start.extend(fresh.take(missing));
        self.ended = read < self.chunk;
        Ok(read > 0)
    }
}

/// Decodes into `der` as rustls-pki-types does: white space anywhere, padding optional, the unused
/// bits of the last character ignored (as the "forgiving decode" of WHATWG's Infra, 7).
pub(super) fn decode<'d>(body: &[u8], der: &'d mut Vec<u8>) -> Option<&'d [u8]> {
    der.clear();
    der.reserve(body.len());
    // Nearly all lines are as long as RFC 7468, 2 wants them.
    const LINE: usize = 64;
    let mut rest = body;
    while !rest.is_empty() {
        let length = match rest.get(LINE) {
            Some(b'\n' | b'\r') => LINE,
            _ => memchr(b'\n', rest).unwrap_or(rest.len()),
        };
        let (line, after) = rest.split_at_checked(length)?;
        der.extend_from_slice(line);
        rest = after.get(1..).unwrap_or_default();
    }
    // White space for rustls-pki-types, not for WHATWG.
    const VERTICAL_TAB: u8 = 0x0b;
    let decoded = base64_simd::forgiving_decode_inplace(der).map(|der| der.len());
    if let Ok(length) = decoded {
        return der.get(..length);
    }
    memchr(VERTICAL_TAB, body)?;
    der.clear();
    der.extend(body.iter().filter(|byte| **byte != VERTICAL_TAB));
    base64_simd::forgiving_decode_inplace(der)
        .ok()
        .map(|der| &*der)
}

/// The label of `-----BEGIN label-----`, where spaces may stand after and between the last five
/// dashes.
fn begin_label(line: &[u8]) -> Option<&[u8]> {
    let (mut dashes, mut end) = (0, line.len());
    for (place, byte) in line.iter().enumerate().rev() {
        match byte {
            b'-' => {
                dashes += 1;
                end = place;
            }
            b' ' => {}
            _ => break,
        }
    }
    let label = line.get(BEGIN.len()..end);
    label.filter(|_| dashes == DASHES.len())
}

fn is_end_of(label: &[u8], rest: &[u8]) -> bool {
    let after = rest.strip_prefix(label);
    after.is_some_and(|after| after.starts_with(DASHES))
}

#[cfg(test)]
#[path = "pem_tests.rs"]
mod tests;
