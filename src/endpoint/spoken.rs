//! What an endpoint speaks that does not answer in TLS.

use std::borrow::Cow;

use super::starttls::StartTls;

/// What an endpoint speaks instead of TLS, by its first bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum SpokenProtocol {
    /// A protocol that goes over to TLS when asked.
    StartTls(StartTls),
    /// POP3.
    Pop3,
    /// FTP.
    Ftp,
    /// HTTP without TLS.
    Http,
    /// SSH.
    Ssh,
    /// Something that is not known here.
    Unknown,
}

impl SpokenProtocol {
    /// By how it begins; `None` where that is TLS, or nothing at all.
    pub(super) fn of(start: &[u8]) -> Option<Self> {
        const MYSQL_10: u8 = 10;
        let text = |word: &[u8]| start.starts_with(word);
        Some(match start {
            // Types of TLS records (RFC 8446, 5.1), whose version begins with 3.
            [] | [20..=24, 3, ..] => return None,
            [20..=24] => return None,
            [_, _, 0, 0, MYSQL_10 | 0xff, ..] => Self::StartTls(StartTls::MySql),
            _ if text(b"220") || text(b"554") || text(b"421") => {
                let says = |word: &[u8]| start.windows(word.len()).any(|part| part == word);
                match says(b"FTP") && !says(b"SMTP") {
                    true => Self::Ftp,
                    false => Self::StartTls(StartTls::Smtp),
                }
            }
            _ if text(b"* ") => Self::StartTls(StartTls::Imap),
            _ if text(b"+OK") || text(b"-ERR") => Self::Pop3,
            _ if text(b"HTTP/") => Self::Http,
            _ if text(b"SSH-") => Self::Ssh,
            _ => Self::Unknown,
        })
    }

    /// What it does.
    pub(super) fn detail(self) -> Cow<'static, str> {
        match self {
            Self::StartTls(protocol) => {
                format!("speaks {}, which begins without TLS", protocol.protocol()).into()
            }
            Self::Pop3 => "speaks POP3, which begins without TLS".into(),
            Self::Ftp => "speaks FTP, which begins without TLS".into(),
            Self::Http => "speaks HTTP without TLS".into(),
            Self::Ssh => "speaks SSH, which has no certificates of TLS".into(),
            Self::Unknown => "answers in something else than TLS".into(),
        }
    }

    /// What to do about it.
    pub(super) fn advice(self) -> Cow<'static, str> {
        match self {
            Self::StartTls(protocol) => format!("say `--starttls {protocol}`").into(),
            Self::Pop3 => "ask its port for TLS from the first byte, often 995".into(),
            Self::Ftp => "ask its port for TLS from the first byte, often 990".into(),
            Self::Http => "ask the port on which it speaks HTTPS, often 443".into(),
            Self::Ssh | Self::Unknown => "check the port".into(),
        }
    }
}
