//! An explanation as a sentence for somebody at 3 a.m.

use std::fmt;

use super::explanation::{ClockDoubt, Detail, Explanation, Whose};
use crate::text::{quoted, visible};
use crate::time::span::readable;
use crate::verifier::RefusalReason;

/// So many names are listed, each with so many characters: their writers are not ours.
const NAMES: usize = 8;
const MAX_NAME: usize = 128;

impl fmt::Display for Explanation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.clock, self.sentence) {
            (Some(ClockDoubt::Own(suspicion)), _) => {
                write!(f, "{suspicion}; by it, ")?;
                self.write_dates(f)
            }
            (Some(ClockDoubt::Peer { at }), _) => write!(
                f,
                "the peer refused our own certificate for its dates, and by this machine's clock, {at}, all \
                 that we show is within them: have the peer's clock set, and see that no other instance \
                 shows an older certificate"
            ),
            (None, Some(sentence)) => match self.detail {
                Detail::Alert(_) => f.write_str(sentence),
                _ => {
                    f.write_str("the peer refused our own certificate: ")?;
                    self.write_dates(f)?;
                    f.write_str(match self.reason {
                        Some(RefusalReason::NotYetValid) => {
                            ": show the one before it until then, and check this clock"
                        }
                        _ => ": renew it, and reload",
                    })
                }
            },
            (None, None) => match self.reason {
                Some(reason) => self.write_refusal(f, reason),
                None => f.write_str(&self.without_certificate()),
            },
        }
    }
}

impl Explanation {
    /// Which certificate it is, as far as that is known.
    fn certificate(&self) -> String {
        let whose = match self.whose {
            Whose::Own => "our",
            _ => "the peer's",
        };
        match (self.position, &self.subject) {
            (Some(position), Some(subject)) => {
                // What people call a certificate is short and escaped already.
                format!("{whose} {position} '{}'", visible(subject))
            }
            (Some(position), None) => format!("{whose} {position}"),
            (None, _) => format!("a certificate in {whose} chain"),
        }
    }

    /// Since when, or until when, and by whose clock.
    fn write_dates(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let certificate = self.certificate();
        match (&self.detail, self.reason) {
            (Detail::Expired { not_after, at }, _) => {
                let ago = readable(at.seconds_since(*not_after));
                write!(
                    f,
                    "{certificate} expired at {not_after}, {ago} ago by this machine's clock ({at})"
                )
            }
            (Detail::NotYetValid { not_before, at }, _) => {
                let left = readable(not_before.seconds_since(*at));
                write!(
                    f,
                    "{certificate} is not valid before {not_before}, in {left} by this machine's clock ({at})"
                )
            }
            (_, Some(RefusalReason::NotYetValid)) => {
                write!(f, "{certificate} is not valid yet by this machine's clock")
            }
            _ => write!(f, "{certificate} has expired by this machine's clock"),
        }
    }

    /// The peer was refused here.
    fn write_refusal(&self, f: &mut fmt::Formatter<'_>, reason: RefusalReason) -> fmt::Result {
        match (&self.detail, reason) {
            (_, RefusalReason::Expired) => {
                self.write_dates(f)?;
                f.write_str(": the peer's operator must renew it")
            }
            (_, RefusalReason::NotYetValid) => {
                self.write_dates(f)?;
                f.write_str(
                    ": check this clock first, then ask the peer's operator what was deployed too early",
                )
            }
            (Detail::Pin(refusal), _) => write!(f, "{refusal}"),
            (Detail::Presented(refusal), _) => write!(f, "{refusal}"),
            (
                Detail::Names {
                    expected,
                    presented,
                },
                _,
            ) => write!(
                f,
                "the peer's leaf is not for '{}', but for {}: check the name that is connected to, else its \
                 operator must serve one with that name",
                quoted(expected, MAX_NAME),
                list(presented)
            ),
            (
                Detail::Usages {
                    required,
                    presented,
                },
                _,
            ) => write!(
                f,
                "the peer's certificate is not for this use, {}, but for {}: its operator must order another",
                quoted(required, MAX_NAME),
                list(presented)
            ),
            (Detail::CrlExpired { next_update, at }, _) => {
                let ago = readable(at.seconds_since(*next_update));
                write!(
                    f,
                    "a revocation list that the peer is looked up in was to be replaced before \
                     {next_update}, {ago} ago by this machine's clock ({at}): fetch the next one from its CA"
                )
            }
            (
                Detail::Words(words),
                RefusalReason::Unidentified
                | RefusalReason::NotAccepted
                | RefusalReason::UnknownIssuer,
            ) => write!(f, "the peer is refused: {}", quoted(words, 4 * MAX_NAME)),
            (
                Detail::Words(words),
                RefusalReason::DoesNotVerify | RefusalReason::UnsupportedAlgorithm,
            ) => write!(
                f,
                "the peer's chain does not verify: {}",
                quoted(words, 4 * MAX_NAME)
            ),
            (_, reason) => f.write_str(in_words(reason)),
        }
    }

    /// No certificate was refused.
    fn without_certificate(&self) -> String {
        let words = match &self.detail {
            Detail::Words(words) => quoted(words, 4 * MAX_NAME),
            _ => String::new(),
        };
        match self.code() {
            "peer_no_certificate" => {
                "the peer was asked for a certificate and showed none: its operator \
                                      must configure one, or let it in without"
                    .to_owned()
            }
            "clock_unreadable" => {
                "this machine's clock cannot be read, so no date can be judged: look at it first"
                    .to_owned()
            }
            "own_key_mismatch" => format!(
                "our own certificate and private key do not belong together: deploy those of one order ({words})"
            ),
            "not_tls" => format!(
                "what the peer sent is not TLS: see that the port speaks TLS from the first byte, and whether \
                 it wants STARTTLS ({words})"
            ),
            "crl_unusable" => {
                format!(
                    "a revocation list of ours cannot be used: fetch it again from its CA ({words})"
                )
            }
            "unsupported_name" => format!(
                "certificates are not for this kind of name: connect to a DNS name or an IP address ({words})"
            ),
            _ => format!(
                "TLS failed, and no certificate is at fault: compare the versions and settings of both sides \
                 ({words})"
            ),
        }
    }
}

/// What to do about a refusal of which no more is known than its reason.
const fn in_words(reason: RefusalReason) -> &'static str {
    match reason {
        RefusalReason::UnknownIssuer => {
            "the peer's chain leads to no CA that is trusted here: its operator must serve the intermediates \
             too, or its CA is missing from the trust anchors; if it verified before, somebody may be in \
             between"
        }
        RefusalReason::NameNotCovered => {
            "the peer's leaf does not cover the name that is connected to: check that name, else its operator \
             must serve one with it"
        }
        RefusalReason::WrongUsage => {
            "the peer's certificate is not for this use (servers, or clients): its operator must order another"
        }
        RefusalReason::BadSignature => {
            "a signature of the peer does not fit its key: its operator must serve the intermediates, and use \
             the private key, that belong to its leaf; or what is trusted here is another CA of the same name"
        }
        RefusalReason::UnsupportedAlgorithm => {
            "the peer uses a key or a signature algorithm that the crypto provider here does not support: \
             choose another provider, or its operator another kind of key"
        }
        RefusalReason::Revoked => {
            "a certificate of the peer is revoked: its operator must replace it; until then whoever shows it is \
             not to be trusted"
        }
        RefusalReason::RevocationUnknown => {
            "no revocation list here speaks for the peer's certificate: give the verifier the list of its CA"
        }
        RefusalReason::CrlExpired => {
            "a revocation list that the peer is looked up in is out of date by this machine's clock: fetch the \
             next one from its CA"
        }
        RefusalReason::StapleNotGood => {
            "the OCSP response that the peer staples is missing or not good: its operator must look at its \
             stapling and at the responder"
        }
        RefusalReason::BadEncoding => {
            "a certificate of the peer is damaged: its operator must deploy it anew"
        }
        RefusalReason::CriticalExtension => {
            "a certificate of the peer has a critical extension that rustls does not know: its operator must \
             order one without"
        }
        RefusalReason::Application => {
            "the certificate of the peer is good, and this application does not let it in: allow it, or leave \
             it out"
        }
        _ => "the peer was refused, and the error does not say why",
    }
}

fn list(names: &[String]) -> String {
    let shown: Vec<_> = names.iter().take(NAMES).collect();
    let mut text = String::new();
    for (index, name) in shown.iter().enumerate() {
        if index > 0 {
            text.push_str(", ");
        }
        text.push_str(&quoted(name, MAX_NAME));
    }
    match names.len() {
        0 => "nothing at all".to_owned(),
        count if count > NAMES => format!("{text} and {} more", count - NAMES),
        _ => text,
    }
}
