//! What a self-check says of anchors that name their next keys.

use notafter::cert::RootKeyHash;
use notafter::outlook::Position;
use notafter::{Certificate, Report, SelfCheck, Severity, TrustAnchors};

use super::Root;
use crate::support::pki::NOW;
use crate::support::tls::ring;

fn check(anchors: &[&Certificate], chain: &Certificate) -> Report {
    let anchors = anchors.iter().map(|root| root.der());
    SelfCheck::builder()
        .with_trust_anchors(TrustAnchors::builder().with_certificates(anchors).build())
        .with_chain("root", [chain.der().clone()])
        .with_provider(ring())
        .at(NOW)
        .build()
        .unwrap()
        .run()
}

fn told(report: &Report) -> Vec<(&'static str, Severity, Option<Position>)> {
    let findings = report.findings.iter();
    let findings = findings.filter(|finding| finding.code.as_str().starts_with("next_root_key"));
    findings
        .map(|finding| (finding.code.as_str(), finding.severity, finding.position))
        .collect()
}

#[test]
fn an_anchor_whose_next_key_is_no_anchor_yet_is_told() {
    let [root, next, other] = ["Root", "Next", "Other"].map(Root::new);
    let [sha256, sha512] =
        [RootKeyHash::Sha256, RootKeyHash::Sha512].map(|hash| root.naming_from(-10, &next, hash));
    let (plain, of_next) = (root.plain(), next.plain());
    let newer = root.naming_from(-5, &other, RootKeyHash::Sha256);
    let weak = root.with_values(-10, 3000, &[b"garbage".to_vec()]);
    let info = ("next_root_key", Severity::Info, Some(Position::Anchor));
    let conflict = (
        "next_root_key_conflict",
        Severity::Warning,
        Some(Position::Anchor),
    );
    for (anchors, expected) in [
        (vec![&plain], vec![]),
        (vec![&sha256], vec![info]),
        (vec![&sha512], vec![info]),
        (vec![&sha256, &of_next], vec![]),
        (vec![&of_next, &sha512], vec![]),
        (vec![&sha256, &sha256], vec![info]),
        (vec![&sha256, &newer], vec![info, conflict]),
        (vec![&weak], vec![info]),
    ] {
        let report = check(&anchors, &plain);
        assert_eq!(told(&report), expected);
    }
    let report = check(&[&sha256], &sha256);
    let finding = report
        .findings
        .iter()
        .find(|f| f.code.as_str() == "next_root_key");
    let message = &finding.unwrap().message;
    assert!(message.contains(&next.pin().to_string()), "{message}");
    let json: serde_json::Value = serde_json::from_str(&report.to_json()).unwrap();
    let certificate = &json["chains"][0]["certificates"][0];
    assert_eq!(certificate["next_root_key"], next.pin().to_string());
    let json: serde_json::Value = serde_json::from_str(&check(&[], &plain).to_json()).unwrap();
    let certificate = json["chains"][0]["certificates"][0].as_object().unwrap();
    assert!(!certificate.contains_key("next_root_key"));
}
