//! What is said before a handshake, in the protocols that begin without TLS. Everything is read
//! byte by byte, so that nothing of the handshake is taken for a part of it (RFC 3207, 6).

use std::fmt;
use std::io::{self, Read, Write};

use super::starttls::StartTls;
use crate::text::quoted;

/// The most bytes that are read of one endpoint before its handshake.
const MAX_PLAIN_BYTES: usize = 64 * 1024;

/// So much of what an endpoint said is repeated.
const MAX_REPEATED: usize = 80;

/// Why an endpoint does not go over to TLS.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum StartTlsProblem {
    /// It speaks the protocol, and does not offer TLS.
    NotOffered,
    /// It speaks the protocol, and refused.
    Refused {
        /// What it said, escaped and at most 80 characters of it.
        said: String,
    },
    /// It does not speak the protocol.
    OtherProtocol {
        /// How it began, escaped and at most 80 characters of it.
        said: String,
    },
    /// It ended the connection before it said anything about TLS.
    Ended,
}

impl fmt::Display for StartTlsProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotOffered => f.write_str("it offers no TLS"),
            Self::Refused { said } => write!(f, "it refused to go over to TLS: '{said}'"),
            Self::OtherProtocol { said } => write!(f, "it says '{said}'"),
            Self::Ended => f.write_str("it ended the connection before it spoke of TLS"),
        }
    }
}

/// Why there is no handshake to be made.
#[derive(Debug)]
pub(super) enum DialogError {
    Problem(StartTlsProblem),
    Io(io::Error),
}

impl From<io::Error> for DialogError {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::UnexpectedEof => Self::Problem(StartTlsProblem::Ended),
            _ => Self::Io(error),
        }
    }
}

impl From<StartTlsProblem> for DialogError {
    fn from(problem: StartTlsProblem) -> Self {
        Self::Problem(problem)
    }
}

/// Asks the other side to go over to TLS: the next byte is the handshake's. `me` is what this side
/// calls itself.
pub(super) fn go_over(
    stream: impl Read + Write,
    protocol: StartTls,
    me: &str,
) -> Result<(), DialogError> {
    let mut dialog = Dialog {
        stream,
        left: MAX_PLAIN_BYTES,
    };
    match protocol {
        StartTls::Smtp => dialog.smtp(me),
        StartTls::Imap => dialog.imap(),
        StartTls::Postgres => dialog.postgres(),
        StartTls::Ldap => dialog.ldap(),
        StartTls::MySql => dialog.mysql(),
    }
}

struct Dialog<S> {
    stream: S,
    left: usize,
}

impl<S: Read + Write> Dialog<S> {
    /// RFC 3207, 4; replies of several lines by RFC 5321, 4.2.1.
    fn smtp(&mut self, me: &str) -> Result<(), DialogError> {
        let greeting = self.smtp_reply()?;
        if !greeting.starts_with(b"220") {
            return Err(match greeting.first() {
                Some(b'4' | b'5') => refused(&greeting),
                _ => other(&greeting),
            });
        }
        self.say(format!("EHLO {me}\r\n").as_bytes())?;
        let mut offered = false;
        loop {
            let line = self.line()?;
            if !line.starts_with(b"250") {
                return Err(refused(&line));
            }
            let keyword = line.get(4..).unwrap_or_default();
            offered |= keyword.eq_ignore_ascii_case(b"STARTTLS");
            if line.get(3) != Some(&b'-') {
                break;
            }
        }
        if !offered {
            return Err(StartTlsProblem::NotOffered.into());
        }
        self.say(b"STARTTLS\r\n")?;
        let reply = self.smtp_reply()?;
        match reply.starts_with(b"220") {
            true => Ok(()),
            false => Err(refused(&reply)),
        }
    }

    /// The last line of a reply.
    fn smtp_reply(&mut self) -> Result<Vec<u8>, DialogError> {
        loop {
            let line = self.line()?;
            let is_numbered = line.len() >= 3 && line.iter().take(3).all(u8::is_ascii_digit);
            if !is_numbered || line.get(3) != Some(&b'-') {
                return Ok(line);
            }
        }
    }

    fn imap(&mut self) -> Result<(), DialogError> {
        const TAG: &[u8] = b"a1 ";
        let greeting = self.line()?;
        if !greeting.starts_with(b"* ") {
            return Err(other(&greeting));
        }
        let status = greeting.get(2..).unwrap_or_default();
        if !starts_with(status, b"OK") {
            // PREAUTH: too late for TLS; BYE.
            return Err(refused(&greeting));
        }
        self.say(b"a1 STARTTLS\r\n")?;
        loop {
            let line = self.line()?;
            let Some(status) = line.strip_prefix(TAG) else {
                continue;
            };
            return match () {
                () if starts_with(status, b"OK") => Ok(()),
                () if starts_with(status, b"BAD") => Err(StartTlsProblem::NotOffered.into()),
                () => Err(refused(&line)),
            };
        }
    }

    fn postgres(&mut self) -> Result<(), DialogError> {
        // The length of the message, itself included, and the code 80877103.
        self.say(&[0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x2f])?;
        match self.byte()? {
            b'S' => Ok(()),
            b'N' => Err(StartTlsProblem::NotOffered.into()),
            first => {
                let mut said = vec![first];
                self.rest_of(&mut said, MAX_REPEATED);
                Err(match first {
                    // ErrorResponse: a length, and then fields, the text of each behind its letter.
                    b'E' => refused(said.get(5..).unwrap_or_default()),
                    _ => other(&said),
                })
            }
        }
    }

    fn ldap(&mut self) -> Result<(), DialogError> {
        const REQUEST: &[u8] = b"\x30\x1d\x02\x01\x01\x77\x18\x80\x161.3.6.1.4.1.1466.20037";
        const EXTENDED_RESPONSE: u8 = 0x78;
        // LDAPMessage 1 with an ExtendedRequest, whose requestName is that of StartTLS.
        self.say(REQUEST)?;
        let message = self.ber_element()?;
        let response = ber(&message).and_then(|(_, _, rest)| ber(rest));
        let Some((EXTENDED_RESPONSE, response, _)) = response else {
            return Err(other(&message));
        };
        let Some((_, code, rest)) = ber(response) else {
            return Err(other(&message));
        };
        match code {
            [0] => Ok(()),
            // protocolError, unavailable: it has no TLS (RFC 4511, 4.14.2 and A.2).
            [2 | 52] => Err(StartTlsProblem::NotOffered.into()),
            _ => {
                let text = ber(rest).and_then(|(_, _, rest)| ber(rest));
                Err(refused(text.map_or(&[][..], |(_, text, _)| text)))
            }
        }
    }

    /// The content of a SEQUENCE, whose length need not be in its shortest form: some servers
    /// write all of them in four octets.
    fn ber_element(&mut self) -> Result<Vec<u8>, DialogError> {
        let mut said = vec![self.byte()?, self.byte()?];
        let [0x30, first] = *said.as_slice() else {
            self.rest_of(&mut said, MAX_REPEATED);
            return Err(other(&said));
        };
        let length = match first {
            short @ ..=0x7f => usize::from(short),
            0x81..=0x84 => {
                let mut length = 0;
                for _ in 0x80..first {
                    length = length << 8 | usize::from(self.byte()?);
                }
                length
            }
            _ => return Err(other(&said)),
        };
        self.bytes(length)
    }

    fn mysql(&mut self) -> Result<(), DialogError> {
        const PROTOCOL: u8 = 10;
        const ERROR: u8 = 0xff;
        const CLIENT_SSL: u8 = 0x08;
        let header = self.bytes(4)?;
        let [a, b, c, 0] = *header.as_slice() else {
            let mut said = header;
            self.rest_of(&mut said, MAX_REPEATED);
            return Err(other(&said));
        };
        let length = usize::from(a) | usize::from(b) << 8 | usize::from(c) << 16;
        if length > MAX_PLAIN_BYTES {
            return Err(other(&header));
        }
        let greeting = self.bytes(length)?;
        match greeting.first() {
            Some(&PROTOCOL) => {}
            // A number of the error before its text.
            Some(&ERROR) => return Err(refused(greeting.get(3..).unwrap_or_default())),
            _ => return Err(other(&greeting)),
        }
        // The version of the server ends with a zero; its thread, 8 bytes of a challenge and a zero
        // stand before the lower half of its capabilities.
        let version = greeting.iter().position(|byte| *byte == 0);
        let capabilities = version.and_then(|end| greeting.get(end + 1 + 4 + 8 + 1 + 1));
        if capabilities.is_none_or(|bits| bits & CLIENT_SSL == 0) {
            return Err(StartTlsProblem::NotOffered.into());
        }
        // SSLRequest: CLIENT_PROTOCOL_41, CLIENT_SSL and CLIENT_SECURE_CONNECTION; packets of
        // 16 MiB; utf8; 23 zeros.
        let mut request = [0; 36];
        let (header, _) = request.split_at_mut(13);
        header.copy_from_slice(&[32, 0, 0, 1, 0x00, 0x8a, 0, 0, 0, 0, 0, 1, 33]);
        self.say(&request)?;
        Ok(())
    }

    fn say(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.stream.write_all(bytes)?;
        self.stream.flush()
    }

    fn byte(&mut self) -> io::Result<u8> {
        self.left = match self.left.checked_sub(1) {
            Some(left) => left,
            None => return Err(io::Error::new(io::ErrorKind::InvalidData, "it never ends")),
        };
        let mut byte = [0];
        self.stream.read_exact(&mut byte)?;
        let [byte] = byte;
        Ok(byte)
    }

    fn bytes(&mut self, count: usize) -> Result<Vec<u8>, DialogError> {
        let mut bytes = Vec::new();
        for _ in 0..count {
            bytes.push(self.byte()?);
        }
        Ok(bytes)
    }

    /// A line without its end.
    fn line(&mut self) -> Result<Vec<u8>, DialogError> {
        let mut line = Vec::new();
        loop {
            match self.byte() {
                Ok(b'\n') => break,
                Ok(byte @ (b'\t' | b'\r' | b' '..)) => line.push(byte),
                // Of a handshake or a picture no end of a line is waited for.
                Ok(byte) => {
                    line.push(byte);
                    return Err(other(&line));
                }
                Err(error) if error.kind() == io::ErrorKind::UnexpectedEof && !line.is_empty() => {
                    return Err(other(&line));
                }
                Err(error) => return Err(error.into()),
            }
        }
        if line.last() == Some(&b'\r') {
            line.pop();
        }
        Ok(line)
    }

    /// What else it says, to the end of a line, to be repeated.
    fn rest_of(&mut self, said: &mut Vec<u8>, most: usize) {
        while said.len() < most {
            match self.byte() {
                Ok(b'\n') | Err(_) => break,
                Ok(byte) => said.push(byte),
            }
        }
    }
}

fn starts_with(text: &[u8], word: &[u8]) -> bool {
    let start = text.get(..word.len());
    start.is_some_and(|start| start.eq_ignore_ascii_case(word))
}

/// Tag, content and what follows of a BER element of definite length.
fn ber(bytes: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (tag, rest) = bytes.split_first()?;
    let (first, rest) = rest.split_first()?;
    let (length, rest) = match *first {
        short @ ..=0x7f => (usize::from(short), rest),
        long => {
            let (octets, rest) = rest.split_at_checked(usize::from(long - 0x80))?;
            let octets = (octets.len() <= 4).then_some(octets)?.iter();
            (
                octets.fold(0, |length, octet| length << 8 | usize::from(*octet)),
                rest,
            )
        }
    };
    let (content, rest) = rest.split_at_checked(length)?;
    Some((*tag, content, rest))
}

fn refused(said: &[u8]) -> DialogError {
    let said = repeated(said);
    StartTlsProblem::Refused { said }.into()
}

fn other(said: &[u8]) -> DialogError {
    let said = repeated(said);
    StartTlsProblem::OtherProtocol { said }.into()
}

fn repeated(said: &[u8]) -> String {
    quoted(&String::from_utf8_lossy(said), MAX_REPEATED)
}

#[cfg(test)]
#[path = "dialog_tests.rs"]
mod tests;
