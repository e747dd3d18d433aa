//! What a picture shows of one chain.

use super::super::super::ChainReport;
use super::verifies_row::{VerifiesRow, VerifiesState, verifies_rows};
use crate::cert::Certificate;
use crate::outlook::{LimitingCause, LimitingCertificate, Outlook, Position, Refusal};
use crate::policy::{Band, ThresholdPolicy};
use crate::text::visible;
use crate::time::{Timestamp, Validity, span};

/// So many certificates of one chain are drawn, and beyond them those that end it.
const MAX_CERTIFICATES: usize = 10;

/// What a picture shows of one chain: what could not be seen of foreign text is escaped.
#[derive(Debug, Clone)]
pub(in super::super) struct ChainRows {
    pub(in super::super) source: String,
    pub(in super::super) band: Band,
    pub(in super::super) verifies: Vec<VerifiesRow>,
    /// What the rows cannot show, as sentences.
    pub(in super::super) notes: Vec<String>,
    pub(in super::super) certificates: Vec<CertificateRow>,
    /// How many certificates are left out.
    pub(in super::super) more_certificates: usize,
}

/// One certificate's bar.
#[derive(Debug, Clone)]
pub(in super::super) struct CertificateRow {
    pub(in super::super) position: Position,
    pub(in super::super) name: String,
    pub(in super::super) validity: Validity,
    /// The bar from left to right; after its end it goes on as expired until now.
    pub(in super::super) stretches: Vec<BandStretch>,
    /// How it stands: `critical, in 9 d`.
    pub(in super::super) standing: String,
    /// Whether it ends the chain for somebody.
    pub(in super::super) is_limiting: bool,
}

/// The seconds in which a certificate is in one band.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in super::super) struct BandStretch {
    pub(in super::super) band: Band,
    pub(in super::super) span: Validity,
}

impl ChainRows {
    pub(super) fn of(chain: &ChainReport, policy: &ThresholdPolicy, at: Timestamp) -> Self {
        let outlooks = [&chain.rustls, &chain.strict].into_iter().flatten();
        let limiting: Vec<_> = outlooks.filter_map(|o| o.limiting.as_ref()).collect();
        let ends_it = |certificate: &Certificate| {
            (limiting.iter()).any(|limiting| limiting.certificate == *certificate)
        };
        let row = |position, certificate: &Certificate| {
            let is_limiting = ends_it(certificate);
            CertificateRow::of(position, certificate, is_limiting, policy, at)
        };
        let presented = chain.certificates.iter().enumerate();
        let drawn = presented.filter(|(n, c)| *n < MAX_CERTIFICATES || ends_it(&c.certificate));
        let mut certificates: Vec<_> = drawn
            .map(|(_, c)| row(c.position, &c.certificate))
            .collect();
        let more_certificates = chain.certificates.len() - certificates.len();
        // An anchor, or what was found elsewhere.
        let mut absent: Vec<&LimitingCertificate> = Vec::new();
        for limiting in &limiting {
            let is_shown = |shown: &Certificate| *shown == limiting.certificate;
            let mut shown = chain.certificates.iter().map(|c| &c.certificate);
            if !shown.any(is_shown) && !absent.iter().any(|c| is_shown(&c.certificate)) {
                absent.push(limiting);
            }
        }
        let absent = absent.iter().map(|l| row(l.position, &l.certificate));
        certificates.extend(absent);
        Self {
            source: super::source_name(&chain.source),
            band: chain.band,
            verifies: verifies_rows(chain, at),
            notes: notes(chain),
            certificates,
            more_certificates,
        }
    }

    /// Whether it is a certificate of a collection that no outlook fits.
    pub(in super::super) fn is_single(&self) -> bool {
        self.verifies.is_empty() && self.certificates.len() == 1
    }

    /// The instants at which something changes, which a view should hold.
    pub(super) fn changes(&self) -> Vec<Timestamp> {
        let counting = self.verifies.iter().filter(|row| row.counts);
        let windows = counting.flat_map(|row| row.lit.iter().chain(&row.dark));
        let cliffs = self.verifies.iter().filter_map(|row| row.cliff);
        // A chain's own certificates end with it.
        let certificates = self.certificates.iter().map(|row| &row.validity);
        let singles = certificates.filter(|_| self.verifies.is_empty());
        let ends = windows.chain(singles);
        ends.flat_map(|span| [span.not_before, span.not_after])
            .chain(cliffs)
            .collect()
    }

    /// When it went dark, if it is.
    pub(super) fn went_dark(&self, at: Timestamp) -> Vec<Timestamp> {
        let is_dark = |row: &&VerifiesRow| row.state == VerifiesState::DoesNotVerify;
        let windows = self.verifies.iter().filter(is_dark);
        let windows = windows.flat_map(|row| row.lit.iter().map(|window| window.not_after));
        let certificates = self.certificates.iter().map(|row| row.validity.not_after);
        let singles = certificates.filter(|_| self.verifies.is_empty());
        windows.chain(singles).filter(|t| *t < at).collect()
    }
}

impl CertificateRow {
    fn of(
        position: Position,
        certificate: &Certificate,
        is_limiting: bool,
        policy: &ThresholdPolicy,
        at: Timestamp,
    ) -> Self {
        let validity = certificate.validity();
        Self {
            position,
            name: visible(&certificate.short_name()),
            validity,
            stretches: stretches(policy, position, validity, at),
            standing: standing(policy.band(validity, position, at), validity, at),
            is_limiting,
        }
    }

    /// What it is, in one sentence, for those who point at it or cannot see it.
    pub(in super::super) fn sentence(&self) -> String {
        let Validity {
            not_before,
            not_after,
        } = self.validity;
        let (position, name, standing) = (self.position, &self.name, &self.standing);
        let limits = match self.is_limiting {
            true => "; it ends the chain",
            false => "",
        };
        format!(
            "{position} '{name}', valid from {not_before} until {not_after}: {standing}{limits}"
        )
    }
}

fn standing(band: Band, validity: Validity, at: Timestamp) -> String {
    let until = |t: Timestamp| span::brief(t.seconds_since(at));
    match band {
        Band::Expired => format!("expired {} ago", until(validity.not_after)),
        Band::NotYetValid => format!("begins in {}", until(validity.not_before)),
        Band::Ok if validity.not_after == Timestamp::MAX => "without end".to_owned(),
        Band::Ok => format!("in {}", until(validity.not_after)),
        band => format!("{band}, in {}", until(validity.not_after)),
    }
}

fn stretches(
    policy: &ThresholdPolicy,
    position: Position,
    validity: Validity,
    at: Timestamp,
) -> Vec<BandStretch> {
    let end = validity.not_after;
    let start = |band| {
        let seconds = policy.threshold_seconds(band, validity, position);
        let start = end.saturating_add(-seconds.unwrap_or(0));
        start.max(validity.not_before)
    };
    let [due, warning, critical] = [Band::Due, Band::Warning, Band::Critical].map(start);
    let before = |t: Timestamp| t.saturating_add(-1);
    let all = [
        (Band::Ok, validity.not_before, before(due)),
        (Band::Due, due, before(warning)),
        (Band::Warning, warning, before(critical)),
        (Band::Critical, critical, end),
        (Band::Expired, end.saturating_add(1), at),
    ];
    let stretch = |(band, not_before, not_after)| BandStretch {
        band,
        span: Validity {
            not_before,
            not_after,
        },
    };
    let all = all.into_iter().map(stretch);
    all.filter(|stretch| stretch.span.not_before <= stretch.span.not_after)
        .collect()
}

/// Why it does not verify, and what else its rows cannot show.
fn notes(chain: &ChainReport) -> Vec<String> {
    let refusal = |outlook: &'_ Option<Outlook>| outlook.as_ref()?.refusal.clone();
    let (rustls, strict) = (refusal(&chain.rustls), refusal(&chain.strict));
    let mut notes = Vec::new();
    match (&rustls, &strict) {
        // What is not valid now is seen from its bar.
        (Some(Refusal::Expired { .. } | Refusal::NotYetValid { .. }), _) => {}
        (Some(why), _) => notes.push(format!("does not verify: {why}")),
        (None, Some(why)) => notes.push(format!("strict does not verify: {why}")),
        (None, None) => {}
    }
    let limiting = chain.rustls.as_ref().and_then(|o| o.limiting.as_ref());
    if let Some(limiting) = limiting {
        if let LimitingCause::RevocationList { next_update } = limiting.cause {
            let (position, name) = (limiting.position, limiting.certificate.short_name());
            notes.push(format!(
                "ends when the revocation list that speaks for {position} '{name}' stops counting, at {next_update}"
            ));
        }
    }
    if chain.rustls.as_ref().is_some_and(|o| !o.complete) {
        notes.push("not everything could be looked at: it may end later".to_owned());
    }
    notes.iter().map(|note| super::sentence(note)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: i64 = 86_400;

    #[test]
    fn a_bar_has_its_bands_to_the_second() {
        let t = Timestamp::from_unix_seconds;
        let span = |from, to| Validity {
            not_before: t(from),
            not_after: t(to),
        };
        let bands = |at: i64| {
            let bar = stretches(
                &ThresholdPolicy::default(),
                Position::Leaf,
                span(0, 90 * DAY),
                t(at),
            );
            bar.iter().map(|s| (s.band, s.span)).collect::<Vec<_>>()
        };
        let mut expected = vec![
            (Band::Ok, span(0, 60 * DAY - 1)),
            (Band::Due, span(60 * DAY, 70 * DAY - 1)),
            (Band::Warning, span(70 * DAY, 80 * DAY - 1)),
            (Band::Critical, span(80 * DAY, 90 * DAY)),
        ];
        assert_eq!(bands(0), expected);
        assert_eq!(bands(90 * DAY), expected);
        expected.push((Band::Expired, span(90 * DAY + 1, 90 * DAY + 1)));
        assert_eq!(bands(90 * DAY + 1), expected);
        // Each second is in the band that the policy says.
        let policy = ThresholdPolicy::default();
        for (band, stretch) in bands(0) {
            for at in [stretch.not_before, stretch.not_after] {
                let says = policy.band(span(0, 90 * DAY), Position::Leaf, at);
                assert_eq!(says, band, "{at}");
            }
        }
    }

    #[test]
    fn a_certificate_that_ends_before_it_begins_has_no_bar() {
        let t = Timestamp::from_unix_seconds;
        let validity = Validity {
            not_before: t(200),
            not_after: t(100),
        };
        let policy = ThresholdPolicy::default();
        assert_eq!(stretches(&policy, Position::Leaf, validity, t(50)), []);
    }

    #[test]
    fn how_it_stands_is_said_in_a_few_words() {
        let t = Timestamp::from_unix_seconds;
        let validity = |from, to| Validity {
            not_before: t(from),
            not_after: t(to),
        };
        let at = 1_000 * DAY;
        let cases = [
            (Band::Ok, at + 80 * DAY, "in 80 d"),
            (Band::Due, at + 25 * DAY + 3_600, "due, in 25 d"),
            (Band::Warning, at + 15 * DAY, "warning, in 15 d"),
            (Band::Critical, at, "critical, in 0 s"),
            (Band::Expired, at - 1, "expired 1 s ago"),
            (Band::NotYetValid, at + 80 * DAY, "begins in 2 d"),
        ];
        for (band, end, expected) in cases {
            let validity = validity(at + 2 * DAY, end);
            assert_eq!(standing(band, validity, t(at)), expected);
        }
        let no_end = Validity {
            not_before: t(0),
            not_after: Timestamp::MAX,
        };
        assert_eq!(standing(Band::Ok, no_end, t(at)), "without end");
    }
}
