//! Dialogs that were recorded with real servers, and others that go wrong.

use std::io::{self, Cursor, Read, Write};

use super::*;

/// A server that says its parts in turn, each once the client has said its own.
struct Scripted {
    script: std::slice::Iter<'static, (&'static [u8], &'static [u8])>,
    saying: Cursor<&'static [u8]>,
    heard: Vec<u8>,
    expected: &'static [u8],
}

impl Scripted {
    /// Pairs of what the server says, and what the client says then.
    fn new(script: Script) -> Self {
        Self {
            script: script.iter(),
            saying: Cursor::new(b""),
            heard: Vec::new(),
            expected: b"",
        }
    }
}

impl Read for Scripted {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        assert_eq!(buffer.len(), 1, "more than a byte is asked for");
        loop {
            let read = self.saying.read(buffer)?;
            if read > 0 {
                return Ok(read);
            }
            assert_eq!(self.heard, self.expected);
            self.heard.clear();
            let Some(&(said, answer)) = self.script.next() else {
                return Ok(0);
            };
            self.expected = answer;
            if said.is_empty() {
                return Ok(0);
            }
            self.saying = Cursor::new(said);
        }
    }
}

impl Write for Scripted {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.heard.extend(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

type Script = &'static [(&'static [u8], &'static [u8])];

const EHLO: &[u8] = b"EHLO [127.0.0.1]\r\n";
const SMTP: &[u8] = b"STARTTLS\r\n";
const IMAP: &[u8] = b"a1 STARTTLS\r\n";
const POSTGRES: &[u8] = b"\x00\x00\x00\x08\x04\xd2\x16/";
const LDAP: &[u8] = b"0\x1d\x02\x01\x01w\x18\x80\x161.3.6.1.4.1.1466.20037";
const MYSQL: &[u8] =
    b" \0\0\x01\0\x8a\0\0\0\0\0\x01!\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0";

fn outcome(protocol: StartTls, script: Script) -> Result<(), StartTlsProblem> {
    let mut server = Scripted::new(script);
    // What a client says first is heard before the server says anything.
    if let StartTls::Postgres | StartTls::Ldap = protocol {
        let &(_, first) = server.script.next().unwrap();
        server.expected = first;
    }
    let outcome = go_over(&mut server, protocol, "[127.0.0.1]");
    assert_eq!(server.heard, server.expected, "{protocol}");
    let left = server.saying.get_ref().len() as u64 - server.saying.position();
    assert!(outcome.is_err() || left == 0, "{protocol}");
    outcome.map_err(|error| match error {
        DialogError::Problem(problem) => problem,
        DialogError::Io(error) => panic!("{error}"),
    })
}

#[test]
fn real_servers_go_over_to_tls_or_say_that_they_do_not() {
    let cases: [(StartTls, Script, Result<(), StartTlsProblem>); 10] = [
        // Postfix 3.7, with TLS and without.
        (
            StartTls::Smtp,
            &[
                (b"220 vm ESMTP Postfix (Debian/GNU)\r\n", EHLO),
                (
                    b"250-vm\r\n250-PIPELINING\r\n250-SIZE 10240000\r\n250-VRFY\r\n250-ETRN\r\n250-STARTTLS\r\n\
                      250-ENHANCEDSTATUSCODES\r\n250-8BITMIME\r\n250-DSN\r\n250-SMTPUTF8\r\n250 CHUNKING\r\n",
                    SMTP,
                ),
                (b"220 2.0.0 Ready to start TLS\r\n", b""),
            ],
            Ok(()),
        ),
        (
            StartTls::Smtp,
            &[
                (b"220 vm ESMTP Postfix (Debian/GNU)\r\n", EHLO),
                (
                    b"250-vm\r\n250-PIPELINING\r\n250-SIZE 10240000\r\n250-VRFY\r\n250-ETRN\r\n\
                      250-ENHANCEDSTATUSCODES\r\n250-8BITMIME\r\n250-DSN\r\n250-SMTPUTF8\r\n250 CHUNKING\r\n",
                    b"",
                ),
            ],
            Err(StartTlsProblem::NotOffered),
        ),
        // Dovecot 2.3, with TLS and without.
        (
            StartTls::Imap,
            &[
                (
                    b"* OK [CAPABILITY IMAP4rev1 SASL-IR LOGIN-REFERRALS ID ENABLE IDLE LITERAL+ STARTTLS \
                      AUTH=PLAIN] Dovecot (Debian) ready.\r\n",
                    IMAP,
                ),
                (b"a1 OK Begin TLS negotiation now.\r\n", b""),
            ],
            Ok(()),
        ),
        (
            StartTls::Imap,
            &[
                (
                    b"* OK [CAPABILITY IMAP4rev1 SASL-IR LOGIN-REFERRALS ID ENABLE IDLE LITERAL+ AUTH=PLAIN] \
                      Dovecot (Debian) ready.\r\n",
                    IMAP,
                ),
                (b"a1 BAD TLS support isn't enabled.\r\n", b""),
            ],
            Err(StartTlsProblem::NotOffered),
        ),
        // PostgreSQL 15, with TLS and without.
        (StartTls::Postgres, &[(b"", POSTGRES), (b"S", b"")], Ok(())),
        (
            StartTls::Postgres,
            &[(b"", POSTGRES), (b"N", b"")],
            Err(StartTlsProblem::NotOffered),
        ),
        // OpenLDAP 2.5, with TLS and without.
        (
            StartTls::Ldap,
            &[
                (b"", LDAP),
                (b"0\x0c\x02\x01\x01x\x07\n\x01\0\x04\0\x04\0", b""),
            ],
            Ok(()),
        ),
        (
            StartTls::Ldap,
            &[
                (b"", LDAP),
                (
                    b"0*\x02\x01\x01x%\n\x01\x02\x04\0\x04\x1eunsupported extended operation",
                    b"",
                ),
            ],
            Err(StartTlsProblem::NotOffered),
        ),
        // MariaDB 10.11, with TLS and without.
        (
            StartTls::MySql,
            &[
                (
                    b"d\0\0\0\n5.5.5-10.11.19-MariaDB-0+deb12u1\0\x07\0\0\0F>D|bVj1\0\xfe\xff\x08\x02\0\xff\x81\x15\
                      \0\0\0\0\0\0\x1d\0\0\0S04T*p{:NWJO\0mysql_native_password\0",
                    MYSQL,
                ),
            ],
            Ok(()),
        ),
        (
            StartTls::MySql,
            &[(
                b"d\0\0\0\n5.5.5-10.11.19-MariaDB-0+deb12u1\0\x03\0\0\0hiX^PU:a\0\xfe\xf7\x08\x02\0\xff\x81\x15\
                  \0\0\0\0\0\0\x1d\0\0\0[$=J:%Fs18dq\0mysql_native_password\0",
                b"",
            )],
            Err(StartTlsProblem::NotOffered),
        ),
    ];
    for (protocol, script, expected) in cases {
        assert_eq!(outcome(protocol, script), expected, "{protocol}");
    }
}

#[test]
fn whatever_else_is_said_is_no_handshake() {
    let refused = |said: &str| {
        Err(StartTlsProblem::Refused {
            said: said.to_owned(),
        })
    };
    let other = |said: &str| {
        Err(StartTlsProblem::OtherProtocol {
            said: said.to_owned(),
        })
    };
    let cases: [(StartTls, Script, Result<(), StartTlsProblem>); 21] = [
        (
            StartTls::Smtp,
            &[
                (b"220-two lines\r\n220 of it\r\n", EHLO),
                (b"250-a\r\n250 starttls\r\n", SMTP),
                (b"454 4.7.0 TLS not available\r\n", b""),
            ],
            refused("454 4.7.0 TLS not available"),
        ),
        (
            StartTls::Smtp,
            &[(b"554 5.7.1 not you\r\n", b"")],
            refused("554 5.7.1 not you"),
        ),
        (
            StartTls::Smtp,
            &[(b"220 a\r\n", EHLO), (b"502 what?\r\n", b"")],
            refused("502 what?"),
        ),
        (
            StartTls::Smtp,
            &[(b"* OK ready\r\n", b"")],
            other("* OK ready"),
        ),
        (StartTls::Smtp, &[(b"", b"")], Err(StartTlsProblem::Ended)),
        (
            StartTls::Smtp,
            &[(b"220 a\r\n", EHLO), (b"", b"")],
            Err(StartTlsProblem::Ended),
        ),
        (
            StartTls::Smtp,
            &[(b"\x15\x03\x01\0\x02\x02\x46", b"")],
            other("\\u{15}"),
        ),
        (StartTls::Smtp, &[(b"no line", b"")], other("no line")),
        (
            StartTls::Imap,
            &[(b"* PREAUTH you are in\r\n", b"")],
            refused("* PREAUTH you are in"),
        ),
        (
            StartTls::Imap,
            &[(b"* BYE full\r\n", b"")],
            refused("* BYE full"),
        ),
        (
            StartTls::Imap,
            &[
                (b"* ok\r\n", IMAP),
                (b"* 1 EXISTS\r\na1 NO later\x1b\r\n", b""),
            ],
            other("a1 NO later\\u{1b}"),
        ),
        (
            StartTls::Imap,
            &[(b"* OK\r\n", IMAP), (b"a1 NO later\r\n", b"")],
            refused("a1 NO later"),
        ),
        (StartTls::Imap, &[(b"220 smtp\r\n", b"")], other("220 smtp")),
        (
            StartTls::Postgres,
            &[(b"", POSTGRES), (b"E\0\0\0\x0fSFATAL\0M\0", b"")],
            refused("SFATAL\\0M\\0"),
        ),
        (
            StartTls::Postgres,
            &[(b"", POSTGRES), (b"HTTP/1.1 400 Bad Request\r\n", b"")],
            other("HTTP/1.1 400 Bad Request\\r"),
        ),
        (
            StartTls::Postgres,
            &[(b"", POSTGRES), (b"", b"")],
            Err(StartTlsProblem::Ended),
        ),
        // As Active Directory writes lengths; and a refusal with its text.
        (
            StartTls::Ldap,
            &[
                (b"", LDAP),
                (
                    b"0\x84\0\0\0\x10\x02\x01\x01x\x84\0\0\0\x07\n\x01\0\x04\0\x04\0",
                    b"",
                ),
            ],
            Ok(()),
        ),
        (
            StartTls::Ldap,
            &[
                (b"", LDAP),
                (b"0\x10\x02\x01\x01x\x0b\n\x01\x01\x04\0\x04\x04busy", b""),
            ],
            refused("busy"),
        ),
        (
            StartTls::Ldap,
            &[(b"", LDAP), (b"0\x03\x02\x01\x01", b"")],
            other("\\u{2}\\u{1}\\u{1}"),
        ),
        (
            StartTls::MySql,
            &[(b"\x17\0\0\0\xffj\x04Host is blocked here", b"")],
            refused("Host is blocked here"),
        ),
        (
            StartTls::MySql,
            &[(b"220 smtp\r\n", b"")],
            other("220 smtp\\r"),
        ),
    ];
    for (protocol, script, expected) in cases {
        assert_eq!(outcome(protocol, script), expected, "{protocol} {script:?}");
    }
}

/// A server that says these bytes, whatever it hears.
struct Deaf<'b>(Cursor<&'b [u8]>);

impl Read for Deaf<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.0.read(buffer)
    }
}

impl Write for Deaf<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn whatever_bytes_come_they_are_an_answer_or_none() {
    // What every dialog begins with, cut and with one byte changed at each place.
    let begun: [&[u8]; 5] = [
        b"220-a\r\n220 b\r\n250-c\r\n250 STARTTLS\r\n220 go\r\n",
        b"* OK [A] b\r\na1 OK go\r\n",
        b"E\0\0\0\x0fSFATAL\0",
        b"0\x84\0\0\0\x10\x02\x01\x01x\x84\0\0\0\x07\n\x01\0\x04\0\x04\0",
        b"\x17\0\0\0\n5\0\x07\0\0\0F>D|bVj1\0\xfe\xff\x08\x02\0\xff\x81\x15",
    ];
    let mut tried = 0;
    for bytes in begun {
        for place in 0..bytes.len() {
            for change in [0, 1, 0x20, 0x7f, 0x80, 0xff] {
                let mut changed = bytes.to_vec();
                if let Some(byte) = changed.get_mut(place) {
                    *byte ^= change;
                }
                let cut = changed.get(..place).unwrap();
                for said in [changed.as_slice(), cut] {
                    for protocol in StartTls::ALL {
                        let _ = go_over(Deaf(Cursor::new(said)), protocol, "me");
                        tried += 1;
                    }
                }
            }
        }
    }
    assert!(tried > 5_000, "{tried}");
}
