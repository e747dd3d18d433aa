//! Which certificate of the chain it was.

use notafter::Certificate;
use notafter::explain::{ClockDoubt, Detail, Explanation, explain};
use notafter::outlook::Position;
use notafter::time::ClockSuspicion;
use notafter::verifier::RefusalReason;
use rustls::CertificateError;

use super::{later, own_expired, refused, unix};
use crate::support::pki::{self, days};

const LEAF: Position = Position::Leaf;
const FIRST: Position = Position::Intermediate(0);

/// A chain of a leaf and an intermediate, between these days.
fn chain(leaf: (i64, i64), intermediate: (i64, i64)) -> Vec<Certificate> {
    let root = pki::root("Root", -1000, 3000);
    let issuer = root.intermediate("Issuing CA", intermediate.0, intermediate.1);
    let leaf = issuer.leaf(&["a.example"], leaf.0, leaf.1);
    vec![leaf.certificate(), issuer.certificate()]
}

fn found(explanation: &Explanation) -> (Option<Position>, Option<&str>) {
    (explanation.position, explanation.subject.as_deref())
}

#[test]
fn the_certificate_of_the_peer_is_found_by_its_date() {
    let shown = chain((300, 500), (-100, 390));
    let error = refused(CertificateError::ExpiredContext {
        time: unix(later()),
        not_after: unix(days(390)),
    });
    let explanation = explain(&error).unwrap().with_chain(&shown, later());
    assert_eq!(found(&explanation), (Some(FIRST), Some("Issuing CA")));
    assert_eq!(
        explanation.to_string(),
        "the peer's intermediate 0 'Issuing CA' expired at 2027-01-26T00:00:00Z, 10 d ago by this \
             machine's clock (2027-02-05T00:00:00Z): the peer's operator must renew it"
    );
    // Without a date in the error, by this machine's clock.
    let error = refused(CertificateError::Expired);
    let explanation = explain(&error).unwrap().with_chain(&shown, later());
    assert_eq!(found(&explanation), (Some(FIRST), Some("Issuing CA")));
    let (not_after, at) = (days(390), later());
    assert_eq!(explanation.detail, Detail::Expired { not_after, at });
    // Another chain than the one that was refused.
    let error = refused(CertificateError::ExpiredContext {
        time: unix(later()),
        not_after: unix(days(391)),
    });
    let explanation = explain(&error).unwrap();
    assert_eq!(explanation.clone().with_chain(&shown, later()), explanation);
    assert_eq!(explanation.clone().with_chain(&[], later()), explanation);
}

#[test]
fn a_peer_most_of_whose_chain_is_yet_to_come_is_not_what_is_wrong() {
    let error = refused(CertificateError::NotValidYetContext {
        time: unix(later()),
        not_before: unix(days(401)),
    });
    let one = chain((401, 500), (300, 900));
    let explanation = explain(&error).unwrap().with_chain(&one, later());
    assert_eq!(found(&explanation), (Some(LEAF), Some("a.example")));
    assert_eq!(explanation.clock, None);

    let all = chain((401, 500), (401, 900));
    let explanation = explain(&error).unwrap().with_chain(&all, later());
    assert!(matches!(
        explanation.clock,
        Some(ClockDoubt::Own(ClockSuspicion::BeforeMostCertificates {
            later: 2,
            of: 2,
            ..
        }))
    ));
    assert_eq!(
        explanation.to_string(),
        ("the clock says 2027-02-05T00:00:00Z, which is before 2 of the 2 certificates at hand begin: \
             set the clock (is NTP running?) before blaming certificates; by it, the peer's \
             leaf 'a.example' is not valid before 2027-02-06T00:00:00Z, in 1 d by this \
             machine's clock (2027-02-05T00:00:00Z)")
    );
}

#[test]
fn what_cannot_be_seen_in_a_name_is_escaped_once() {
    let root = pki::root("Root", -1000, 3000);
    let leaf = root.leaf_with(&["a.example"], 0, 390, |params| {
        let name = "it's\u{202e}\u{1b}[2J";
        params
            .distinguished_name
            .push(rcgen::DnType::CommonName, name);
    });
    let error = refused(CertificateError::Expired);
    let explanation = explain(&error).unwrap();
    let sentence = explanation
        .with_chain(&[leaf.certificate()], later())
        .to_string();
    let start = "the peer's leaf 'it's\\u{202e}\\u{1b}[2J' expired at ";
    assert!(sentence.starts_with(start), "{sentence}");
}

#[test]
fn of_our_own_chain_it_is_said_what_has_expired() {
    let shown = chain((0, 399), (-100, 900));
    let explanation = explain(&own_expired()).unwrap().with_chain(&shown, later());
    assert_eq!(found(&explanation), (Some(LEAF), Some("a.example")));
    assert_eq!(explanation.code(), "own_expired");
    assert_eq!(
        explanation.to_string(),
        "the peer refused our own certificate: our leaf 'a.example' expired at 2027-02-04T00:00:00Z, 1 \
             d ago by this machine's clock (2027-02-05T00:00:00Z): renew it, and reload"
    );
    // The alert is the same for one that is not valid yet.
    let shown = chain((401, 500), (-100, 900));
    let explanation = explain(&own_expired()).unwrap().with_chain(&shown, later());
    assert_eq!(explanation.code(), "own_not_yet_valid");
    assert_eq!(explanation.reason, Some(RefusalReason::NotYetValid));
    let (not_before, at) = (days(401), later());
    assert_eq!(explanation.detail, Detail::NotYetValid { not_before, at });
    assert_eq!(
        explanation.to_string(),
        "the peer refused our own certificate: our leaf 'a.example' is not valid before \
         2027-02-06T00:00:00Z, in 1 d by this machine's clock (2027-02-05T00:00:00Z): show the one before it \
         until then, and check this clock"
    );
}

#[test]
fn where_our_own_chain_is_good_the_peers_clock_is_doubted() {
    let shown = chain((0, 500), (-100, 900));
    let explanation = explain(&own_expired()).unwrap();
    let doubted = explanation.clone().with_chain(&shown, later());
    assert_eq!(doubted.clock, Some(ClockDoubt::Peer { at: later() }));
    assert_eq!(found(&doubted), (None, None));
    assert_eq!(
        doubted.to_string(),
        "the peer refused our own certificate for its dates, and by this machine's clock, \
         2027-02-05T00:00:00Z, all that we show is within them: have the peer's clock set, and see that no \
         other instance shows an older certificate"
    );
    // Of no chain nothing is concluded.
    assert_eq!(explanation.clone().with_chain(&[], later()), explanation);
}

#[test]
fn a_name_is_the_leafs_matter() {
    let shown = chain((0, 300), (-100, 900));
    let error = refused(CertificateError::NotValidForName);
    let explanation = explain(&error).unwrap().with_chain(&shown, later());
    assert_eq!(found(&explanation), (Some(LEAF), Some("a.example")));
    // That it has expired besides is another matter.
    assert_eq!(explanation.detail, Detail::Nothing);
    assert_eq!(explanation.reason, Some(RefusalReason::NameNotCovered));
}
