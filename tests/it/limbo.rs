//! Held against judges that we did not write: x509-limbo, BetterTLS, PKITS, and real chains.

use std::collections::BTreeMap;

use notafter::outlook::{RelyingTimeline, Usage};
use notafter::revocation::{CrlExpiration, Crls};
use notafter::{ChainJudge, Timestamp, TrustAnchors};
use rustls::pki_types::CertificateRevocationListDer;
use webpki::{
    CertRevocationList, EndEntityCert, KeyUsage, OwnedCertRevocationList, RevocationOptionsBuilder,
};

use crate::support::corpora;
use crate::support::limbo::{Case, PYCA, RUSTLS, load};
use crate::support::tls::ring;

/// All case files in the layout of limbo.
const FILES: [&str; 4] = [
    "limbo/limbo-dev.json.gz",
    "chains/online-history-dev.json.gz",
    "chains/multipath-dev.json.gz",
    "pkits/pkits-dev.json.gz",
];

fn cases() -> Option<Vec<Case>> {
    let root = corpora::folder("")?;
    let mut cases: Vec<_> = FILES
        .iter()
        .flat_map(|file| load(&root.join(file)))
        .collect();
    for case in cases
        .iter_mut()
        .filter(|case| case.id.starts_with("pkits::"))
    {
        // What was recorded for PKITS was recorded without its revocation lists.
        case.crls.clear();
    }
    Some(cases)
}

fn usage(case: &Case) -> Usage {
    if case.is_server() {
        Usage::ServerAuth
    } else {
        Usage::ClientAuth
    }
}

fn crls(lists: &[CertificateRevocationListDer<'_>]) -> Crls {
    let readable = lists.iter().fold(Crls::builder(), |builder, der| {
        builder.clone().with_der(der).unwrap_or(builder)
    });
    // As the recorded runs: expiry of the lists does not count.
    readable.with_expiration(CrlExpiration::Ignore).build()
}

pub fn judge(case: &Case) -> ChainJudge {
    let anchors = TrustAnchors::builder()
        .with_certificates(&case.trusted)
        .build();
    let algorithms = ring().signature_verification_algorithms.all;
    ChainJudge::new(anchors, algorithms, usage(case)).with_crls(crls(&case.crls))
}

/// Plain webpki, asked as rustls asks it.
pub fn webpki_accepts(case: &Case, at: Timestamp) -> bool {
    let Ok(leaf) = EndEntityCert::try_from(&case.chain_ders[0]) else {
        return false;
    };
    let anchors: Vec<_> = case
        .trusted
        .iter()
        .filter_map(|der| webpki::anchor_from_trusted_cert(der).ok())
        .collect();
    let Some(time) = at.to_unix_time() else {
        return false;
    };
    let key_usage = match usage(case) {
        Usage::ServerAuth => KeyUsage::server_auth(),
        _ => KeyUsage::client_auth(),
    };
    let lists: Vec<CertRevocationList<'static>> = (case.crls.iter())
        .filter_map(|der| Some(OwnedCertRevocationList::from_der(der).ok()?.into()))
        .collect();
    let lists: Vec<_> = lists.iter().collect();
    let revocation = RevocationOptionsBuilder::new(&lists)
        .ok()
        .map(RevocationOptionsBuilder::build);
    let algorithms = ring().signature_verification_algorithms.all;
    let path = leaf.verify_for_usage(
        algorithms,
        &anchors,
        &case.chain_ders[1..],
        time,
        key_usage,
        revocation,
        None,
    );
    let named = case
        .name()
        .is_none_or(|name| leaf.verify_is_valid_for_subject_name(&name).is_ok());
    path.is_ok() && named && (case.name().is_some() || !case.has_name())
}

fn verdict(case: &Case, judge: &ChainJudge, at: Timestamp) -> bool {
    let (Some(chain), true) = (&case.chain, case.name().is_some() || !case.has_name()) else {
        return false;
    };
    judge
        .report(chain, case.name().as_ref(), at)
        .rustls
        .verifies()
}

/// The cases that the recorded run could not express, each with its reason.
const NOT_RECORDED: &str = include_str!("../data/limbo-not-recorded.tsv");

#[test]
fn our_verdict_is_that_of_webpki() {
    let Some(cases) = cases() else { return };
    let (mut compared, mut recorded, mut different) = (0, 0, Vec::new());
    let mut not_recorded = Vec::new();
    for case in &cases {
        let judge = judge(case);
        let at = case.at();
        let ours = verdict(case, &judge, at);
        let theirs = webpki_accepts(case, at);
        assert_eq!(ours, theirs, "{} at {at}", case.id);
        compared += 1;
        match case.recorded_result(RUSTLS) {
            Some("SUCCESS") if ours => recorded += 1,
            Some("FAILURE") if !ours => recorded += 1,
            None | Some("SKIPPED") => not_recorded.push(case.id.as_str()),
            other => different.push((case.id.clone(), other.map(str::to_owned), ours)),
        }
    }
    println!("{compared} verdicts equal webpki's, {recorded} the recorded ones");
    assert!(different.is_empty(), "{different:#?}");
    not_recorded.sort_unstable();
    let listed = NOT_RECORDED
        .lines()
        .map(|line| line.split('\t').next().unwrap());
    assert_eq!(not_recorded, listed.collect::<Vec<_>>());
    assert_eq!(recorded + not_recorded.len(), compared);
}

fn lit(timeline: &RelyingTimeline) -> Vec<(i64, i64)> {
    let lit = timeline.lit().into_iter();
    lit.map(|v| {
        (
            v.not_before.as_unix_seconds(),
            v.not_after.as_unix_seconds(),
        )
    })
    .collect()
}

#[test]
fn our_timeline_is_the_recorded_one_to_the_second() {
    let Some(cases) = cases() else { return };
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    let mut different = Vec::new();
    for case in &cases {
        let Some(chain) = &case.chain else { continue };
        if case.has_name() && case.name().is_none() {
            continue;
        }
        let timeline = judge(case).timeline(chain, case.name().as_ref());
        let (rustls, strict, complete) = match timeline {
            Ok(t) => (lit(&t.rustls), t.strict.as_ref().map(lit), t.complete),
            Err(_) => (Vec::new(), Some(Vec::new()), true),
        };
        let recorded = case.recorded_intervals(RUSTLS);
        if let Some(recorded) = &recorded {
            if *recorded == rustls {
                *counts.entry("rustls").or_default() += 1;
            } else {
                different.push((
                    case.id.clone(),
                    "rustls",
                    recorded.clone(),
                    rustls.clone(),
                    complete,
                ));
            }
        }
        // Where both accept at some instant, they differ in dates only.
        if let (Some(pyca), Some(strict)) = (case.recorded_intervals(PYCA), strict) {
            let both = !pyca.is_empty() && recorded.is_some_and(|r| !r.is_empty());
            if both && pyca == strict {
                *counts.entry("strict").or_default() += 1;
            } else if both {
                different.push((case.id.clone(), "strict", pyca, strict, complete));
            }
        }
    }
    println!("timelines equal to the recorded ones: {counts:?}");
    assert!(
        different.is_empty(),
        "{} differ: {:#?}",
        different.len(),
        &different[..different.len().min(12)]
    );
}

#[test]
fn where_webpki_is_asked_at_every_date_the_timeline_agrees() {
    let Some(cases) = cases() else { return };
    let mut asked = 0;
    for case in cases
        .iter()
        .filter(|case| !case.id.starts_with("bettertls::nameconstraints"))
    {
        let Some(chain) = &case.chain else { continue };
        if case.has_name() && case.name().is_none() {
            continue;
        }
        let timeline = judge(case).timeline(chain, case.name().as_ref());
        for date in case.dates() {
            for t in [-1, 0, 1].map(|d| date.saturating_add(d)) {
                let ours = timeline
                    .as_ref()
                    .is_ok_and(|timeline| timeline.rustls.at(t).is_some());
                assert_eq!(ours, webpki_accepts(case, t), "{} at {t}", case.id);
                asked += 1;
            }
        }
    }
    println!("{asked} instants agree with plain webpki");
    assert!(asked > 5_000);
}
