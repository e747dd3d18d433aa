use data_encoding::{Encoding, Specification};
use pki_types::pem::{PemObject as _, SectionKind};

use super::*;

/// A reader that gives a few bytes at a time.
struct Dribble<'b>(&'b [u8], usize);

impl Read for Dribble<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let length = buffer.len().min(self.1).min(self.0.len());
        let (now, later) = self.0.split_at(length);
        buffer[..length].copy_from_slice(now);
        self.0 = later;
        Ok(length)
    }
}

/// Number, line, offset, label, and body or what is wrong.
type Found = (usize, usize, usize, Vec<u8>, Result<Vec<u8>, String>);

fn scan(bytes: &[u8], chunk: usize) -> Vec<Found> {
    let mut blocks = Blocks::with_sizes(Dribble(bytes, chunk), chunk, MAX_BODY);
    let mut found = Vec::new();
    while let Some(block) = blocks.next().unwrap() {
        let body = block.body.map(|body| {
            // The line end after BEGIN belongs to whichever line the reader likes.
            let body = body.strip_prefix(b"\r").unwrap_or(body);
            body.strip_prefix(b"\n").unwrap_or(body).to_vec()
        });
        found.push((
            block.number,
            block.line,
            block.offset,
            block.label.to_vec(),
            body,
        ));
    }
    found
}

/// The same by lines, all in memory: slow, and plain to see.
fn by_lines(bytes: &[u8]) -> Vec<Found> {
    let mut found: Vec<Found> = Vec::new();
    let mut open: Option<(usize, usize, Vec<u8>, usize)> = None;
    let (mut at, mut line) = (0, 0);
    while at < bytes.len() {
        line += 1;
        let rest = &bytes[at..];
        let length = rest.iter().position(|b| matches!(b, b'\n' | b'\r'));
        let length = length.unwrap_or(rest.len());
        let text = &rest[..length];
        let ending = match &rest[length..] {
            [b'\r', b'\n', ..] => 2,
            [_, ..] => 1,
            [] => 0,
        };
        let mut emit = |line, offset, label: &[u8], body: Result<&[u8], String>| {
            let body = body.map(<[u8]>::to_vec);
            found.push((found.len() + 1, line, offset, label.to_vec(), body));
        };
        if text.starts_with(BEGIN) {
            match begin_label(text) {
                None => emit(
                    line,
                    at,
                    &[],
                    Err(format!("line {line} is a damaged BEGIN line")),
                ),
                Some(label) => {
                    if let Some((line_of, offset, label, _)) = open.take() {
                        let detail =
                            format!("it has no END line before line {line} begins another");
                        emit(line_of, offset, &label, Err(detail));
                    }
                    open = Some((line, at, label.to_vec(), at + length + ending));
                }
            }
        } else if let Some(rest) = text.strip_prefix(END) {
            match open.take() {
                Some((line_of, offset, label, start)) if is_end_of(&label, rest) => {
                    emit(line_of, offset, &label, Ok(&bytes[start..at]));
                }
                Some((line_of, offset, label, _)) => {
                    let detail = format!("its END line, line {line}, has another label");
                    emit(line_of, offset, &label, Err(detail));
                }
                None => emit(
                    line,
                    at,
                    &[],
                    Err(format!("line {line} is an END without a BEGIN")),
                ),
            }
        }
        at += length + ending;
    }
    if let Some((line, offset, label, _)) = open {
        let detail = "it has no END line: the file ends inside of it".to_owned();
        found.push((found.len() + 1, line, offset, label, Err(detail)));
    }
    found
}

/// A linear congruential generator: the same texts in every run.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % sides
    }
}

/// Texts of what PEM is made of, whole and broken.
fn text(dice: &mut Dice) -> Vec<u8> {
    const PARTS: [&str; 36] = [
        "-----BEGIN CERTIFICATE-----",
        "-----END CERTIFICATE-----",
        "-----BEGIN CERTIFICATE-----\n",
        "-----END CERTIFICATE-----\n",
        "-----BEGIN A-----\r\n",
        "-----END A-----\r\n",
        "\n",
        "\n",
        "\r\n",
        "\r",
        " ",
        "-",
        "-----",
        "--",
        "-----BEGIN ",
        "-----END ",
        "-----BEGIN RSA PRIVATE KEY-----\n",
        "-----END RSA PRIVATE KEY-----\n",
        "AAAA",
        "AB==",
        "ABC=",
        "AB",
        "A",
        "MIIB\nAAAA\n",
        "text",
        "=",
        "!",
        "-----BEGIN CERTIFICATE----\n",
        "-----BEGIN CERTIFICATE----- \n",
        "-----BEGIN CERTIFICATE-----\t\n",
        "\t\x0c",
        "-----BEGIN CERTIFICATE--- --\n",
        "-----BEGIN CERTIFICATE-----\nMIIB\nAAAA\n-----END CERTIFICATE-----\n",
        "-----BEGIN CERTIFICATE-----\r\nMIICAA==\r\n-----END CERTIFICATE-----\r\n",
        "\n-----BEGIN CERTIFICATE-----\nMIID\n-----END CERTIFICATE-----",
        "-----BEGIN X509 CRL-----\nMIIE\n-----END X509 CRL-----\n",
    ];
    let mut text = Vec::new();
    for _ in 0..dice.roll(14) {
        text.extend_from_slice(PARTS[dice.roll(PARTS.len())].as_bytes());
    }
    if !text.is_empty() && dice.roll(4) == 0 {
        let place = dice.roll(text.len());
        text[place] = b"-\n\rB\xff E"[dice.roll(7)];
    }
    text
}

#[test]
fn a_stream_is_read_as_lines_are_whatever_the_pieces() {
    let mut dice = Dice(1);
    let mut blocks = 0;
    for _ in 0..8_000 {
        let text = text(&mut dice);
        let expected = by_lines(&text);
        let shown = String::from_utf8_lossy(&text);
        for chunk in [1, 2, 3, 7, 64, CHUNK] {
            assert_eq!(scan(&text, chunk), expected, "{chunk} {shown:?}");
        }
        blocks += expected.len();
    }
    assert!(blocks > 10_000, "{blocks} blocks");
}

#[test]
fn what_rustls_finds_is_found_and_where_nothing_is_damaged_nothing_else() {
    let certificates = |text: &[u8]| -> (Vec<Vec<u8>>, bool, bool) {
        let (mut found, mut damaged, mut run_together) = (Vec::new(), false, false);
        let (mut blocks, mut der) = (Blocks::new(text), Vec::new());
        while let Some(block) = blocks.next().unwrap() {
            let detail = block.body.as_ref().err();
            run_together |= detail.is_some_and(|detail| detail.contains("begins another"));
            // rustls-pki-types decodes the other kinds that it knows, too.
            match block.body.ok().and_then(|body| decode(body, &mut der)) {
                Some(der) if block.label == b"CERTIFICATE" => found.push(der.to_vec()),
                Some(_) => {}
                None => damaged = true,
            }
        }
        (found, damaged, run_together)
    };
    let mut dice = Dice(2);
    let (mut agreed, mut more, mut apart) = (0, 0, 0);
    for _ in 0..40_000 {
        let text = text(&mut dice);
        let theirs = <(SectionKind, Vec<u8>)>::pem_slice_iter(&text).filter_map(Result::ok);
        let theirs = theirs.filter(|(kind, _)| *kind == SectionKind::Certificate);
        let theirs: Vec<_> = theirs.map(|(_, der)| der).collect();
        let (ours, damaged, run_together) = certificates(&text);
        let shown = String::from_utf8_lossy(&text);
        if run_together {
            // It makes one certificate of two bodies, which nobody can want.
            apart += 1;
        } else if damaged {
            let mut rest = ours.iter();
            let all = theirs.iter().all(|der| rest.any(|ours| ours == der));
            assert!(all, "{shown:?}: {theirs:?}, not {ours:?}");
            more += usize::from(ours.len() > theirs.len());
        } else {
            assert_eq!(ours, theirs, "{shown:?}");
            agreed += theirs.len();
        }
    }
    let counts = [agreed, more, apart];
    assert!(counts.iter().all(|count| *count > 100), "{counts:?}");
}

#[test]
fn base64_is_read_leniently_as_rustls_does() {
    let mut spec = Specification::new();
    spec.symbols
        .push_str("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/");
    spec.check_trailing_bits = false;
    let lenient: Encoding = spec.encoding().unwrap();
    let mut dice = Dice(3);
    let (mut read, mut refused) = (0, 0);
    for round in 0..40_000 {
        let length = dice.roll(if round % 10 == 0 { 400 } else { 12 });
        let mut body: Vec<u8> = (0..length).map(|_| b"AZaz09+/bQ"[dice.roll(10)]).collect();
        for _ in 0..dice.roll(4) {
            let place = dice.roll(body.len() + 1);
            body.insert(place, b"\n\r \t\x0c=\n\n-!\x0b\xe9"[dice.roll(12)]);
        }
        body.extend(std::iter::repeat_n(b'=', dice.roll(4)));
        if dice.roll(2) == 0 {
            body.push(b'\n');
        }
        let mut text: Vec<u8> = body
            .iter()
            .copied()
            .filter(|b| !b.is_ascii_whitespace() && *b != 0x0b)
            .collect();
        if text.len() % 4 == 0 {
            for _ in 0..2 {
                if text.last() == Some(&b'=') {
                    text.pop();
                }
            }
        }
        let expected = lenient.decode(&text).ok();
        let mut der = Vec::new();
        let ours = decode(&body, &mut der).map(<[u8]>::to_vec);
        assert_eq!(ours, expected, "{:?}", String::from_utf8_lossy(&body));
        *(if ours.is_some() {
            &mut read
        } else {
            &mut refused
        }) += 1;
    }
    assert!(read > 5_000 && refused > 5_000, "{read} {refused}");
}

#[test]
fn a_block_without_an_end_takes_no_more_memory_than_the_limit() {
    let mut text = b"-----BEGIN CERTIFICATE-----\n".to_vec();
    text.extend(std::iter::repeat_n(b'A', 100_000));
    text.extend(b"\n-----END CERTIFICATE-----\n-----BEGIN A-----\nAAAA\n-----END A-----\n");
    let mut blocks = Blocks::with_sizes(text.as_slice(), 1_000, 10_000);
    let first = blocks.next().unwrap().unwrap();
    assert_eq!(
        (first.number, first.line, first.label),
        (1, 1, &b"CERTIFICATE"[..])
    );
    assert_eq!(first.body.unwrap_err(), "it is longer than 10000 bytes");
    let second = blocks.next().unwrap().unwrap();
    assert_eq!(
        (second.number, second.line, second.label),
        (2, 4, &b"A"[..])
    );
    assert_eq!(second.body.unwrap(), b"\nAAAA\n");
    assert!(blocks.next().unwrap().is_none());
    assert!(
        blocks.window.capacity() < 30_000,
        "{}",
        blocks.window.capacity()
    );
}

#[test]
fn an_error_of_the_reader_comes_through() {
    struct Broken;
    impl Read for Broken {
        fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
            Err(io::Error::other("the cable is cut"))
        }
    }
    let begun = &b"-----BEGIN A-----\nAAAA\n-----END A-----\n"[..];
    let mut blocks = Blocks::with_sizes(begun.chain(Broken), 39, MAX_BODY);
    assert_eq!(blocks.next().unwrap().unwrap().label, b"A");
    assert!(blocks.next().is_err());
}
