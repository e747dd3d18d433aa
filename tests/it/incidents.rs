//! Real expiry incidents, replayed second by second around their ends.

use notafter::outlook::{ChainOutlook, Outlook, Position, Usage};
use notafter::{Certificate, ChainJudge, Loader, Timestamp, TrustAnchors};
use rustls::pki_types::ServerName;
use serde_json::Value;

use crate::support::corpora;

const RUSTLS: &str = "rustls-webpki 0.103.13";
const STRICT: &str = "pyca-cryptography 46.0.7";

struct Scenario {
    id: String,
    host: ServerName<'static>,
    chain: Vec<Certificate>,
    anchors: TrustAnchors,
    recorded: Value,
}

fn scenarios() -> Vec<Scenario> {
    let mut scenarios = Vec::new();
    for file in corpora::files_below(&corpora::data("incidents")) {
        if file.file_name().unwrap() != "scenarios.json" {
            continue;
        }
        let folder = file.parent().unwrap();
        let incident: Value = serde_json::from_slice(&std::fs::read(&file).unwrap()).unwrap();
        for scenario in incident["scenarios"].as_array().unwrap() {
            let load = |name: &Value| Loader::new().load_file(folder.join(name.as_str().unwrap()));
            let list = |key: &str| scenario[key].as_array().unwrap().iter().map(load);
            let chain = std::iter::once(load(&scenario["leaf"])).chain(list("intermediates"));
            let anchors = list("trusted").fold(TrustAnchors::builder(), |b, s| b.with_source(&s));
            scenarios.push(Scenario {
                id: format!("{} {}", incident["incident"], scenario["id"]),
                host: ServerName::try_from(scenario["host"].as_str().unwrap().to_owned()).unwrap(),
                chain: chain
                    .flat_map(|s| s.certificates)
                    .map(|found| found.certificate)
                    .collect(),
                anchors: anchors.build(),
                recorded: scenario["valid_intervals"].clone(),
            });
        }
    }
    assert_eq!(scenarios.len(), 44);
    scenarios
}

fn intervals(recorded: &Value, who: &str) -> Vec<(Timestamp, Timestamp)> {
    let instant = |value: &Value| value.as_str().unwrap().parse().unwrap();
    let intervals = recorded[who].as_array().unwrap().iter();
    intervals
        .map(|pair| (instant(&pair[0]), instant(&pair[1])))
        .collect()
}

fn judge(scenario: &Scenario) -> ChainJudge {
    let provider = rustls::crypto::ring::default_provider();
    let algorithms = provider.signature_verification_algorithms.all;
    ChainJudge::new(scenario.anchors.clone(), algorithms, Usage::ServerAuth)
}

/// Instants inside and around the recorded intervals, and around every certificate's dates.
fn instants(scenario: &Scenario) -> Vec<Timestamp> {
    let dates = scenario.chain.iter().chain(scenario.anchors.certificates());
    let dates = dates.flat_map(|c| [c.not_before(), c.not_after()]);
    let recorded = [RUSTLS, STRICT].map(|who| intervals(&scenario.recorded, who));
    let ends = recorded.into_iter().flatten().flat_map(|(first, last)| {
        let middle = first.saturating_add(last.seconds_since(first) / 2);
        [first, middle, last]
    });
    let mut instants: Vec<_> = dates
        .chain(ends)
        .flat_map(|t| [-86_400, -1, 0, 1, 86_400].map(|d| t.saturating_add(d)))
        .filter(|t| t.as_unix_seconds() > 0)
        .collect();
    instants.sort();
    instants.dedup();
    instants
}

#[test]
fn the_effective_not_after_is_the_end_of_the_recorded_interval() {
    let mut compared = 0;
    for scenario in scenarios() {
        let judge = judge(&scenario);
        for t in instants(&scenario) {
            let ChainOutlook { rustls, strict, .. } =
                judge.report(&scenario.chain, Some(&scenario.host), t);
            let strict = strict.expect("the anchors have dates");
            for (who, outlook) in [(RUSTLS, rustls), (STRICT, strict)] {
                let expected = intervals(&scenario.recorded, who)
                    .into_iter()
                    .find(|(first, last)| (*first..=*last).contains(&t))
                    .map(|(_, last)| last);
                let id = &scenario.id;
                assert_eq!(
                    outlook.effective_not_after, expected,
                    "{id} at {t} for {who}"
                );
                assert_eq!(
                    outlook.verifies(),
                    expected.is_some(),
                    "{id} at {t} for {who}"
                );
                assert!(outlook.complete);
                assert_eq!(outlook.limiting.is_some(), expected.is_some());
                assert_eq!(outlook.next_cliff.is_some(), expected.is_some());
                if let Some(limiting) = outlook.limiting {
                    assert_eq!(
                        Some(limiting.certificate.not_after()),
                        expected,
                        "{id} at {t}"
                    );
                }
                compared += 1;
            }
        }
    }
    println!("{compared} outlooks compared with recorded intervals");
    assert!(compared > 1_000);
}

fn outlook_of(id: &str, at: &str) -> ChainOutlook {
    let scenarios = scenarios();
    let scenario = scenarios
        .iter()
        .find(|s| s.id.ends_with(&format!("{id}\"")))
        .unwrap();
    let at = at.parse().unwrap();
    judge(scenario).report(&scenario.chain, Some(&scenario.host), at)
}

fn limit(outlook: &Outlook) -> (Position, String) {
    let limiting = outlook.limiting.as_ref().unwrap();
    (limiting.position, limiting.certificate.short_name())
}

#[test]
fn addtrust_ends_at_the_cross_sign_unless_another_root_is_trusted() {
    let old = outlook_of(
        "root-old-only.served-with-addtrust-cross",
        "2020-05-01T00:00:00Z",
    );
    let cross = (
        Position::Intermediate(1),
        "COMODO RSA Certification Authority".to_owned(),
    );
    assert_eq!(limit(&old.rustls), cross);
    // The root ends in the same second; the certificate nearer to the leaf is the one to replace.
    assert_eq!(limit(&old.strict.unwrap()), cross);
    assert_eq!(old.rustls.paths, 1);

    let new = outlook_of(
        "root-new-only.served-with-addtrust-cross",
        "2020-05-01T00:00:00Z",
    );
    let leaf = (Position::Leaf, "no-common-name.badssl.com".to_owned());
    assert_eq!(limit(&new.rustls), leaf);
    assert_eq!(limit(&new.strict.unwrap()), leaf);
}

#[test]
fn both_addtrust_roots_show_a_cliff_that_another_path_survives() {
    let both = outlook_of(
        "roots-all.served-with-addtrust-cross",
        "2020-05-01T00:00:00Z",
    );
    let cliff = Some("2020-05-30T10:48:38Z".parse().unwrap());
    let end = Some("2020-06-22T23:59:59Z".parse().unwrap());
    assert_eq!(both.rustls.effective_not_after, end);
    assert_eq!(both.rustls.next_cliff, cliff);
    assert!(both.rustls.paths >= 2);
    let after = outlook_of(
        "roots-all.served-with-addtrust-cross",
        "2020-05-30T10:48:39Z",
    );
    assert_eq!(after.rustls.effective_not_after, end);
    assert_eq!(after.rustls.next_cliff, end);
    assert_eq!(after.rustls.paths, both.rustls.paths - 1);
}

#[test]
fn dst_root_x3_ends_only_for_those_who_look_at_anchors() {
    let outlook = outlook_of("root-old-only.served-2021-default", "2021-09-29T12:00:00Z");
    assert_eq!(limit(&outlook.rustls).0, Position::Leaf);
    let strict = outlook.strict.unwrap();
    assert_eq!(
        limit(&strict),
        (Position::Anchor, "DST Root CA X3".to_owned())
    );
    assert_eq!(
        strict.effective_not_after,
        Some("2021-09-30T14:01:15Z".parse().unwrap())
    );

    let dark = outlook_of("root-old-only.served-2021-default", "2021-09-30T14:01:16Z");
    assert!(dark.rustls.verifies());
    let refusal = dark.strict.unwrap().refusal.unwrap();
    assert_eq!(
        refusal.to_string(),
        "anchor 'DST Root CA X3' expired at 2021-09-30T14:01:15Z: have a chain to another anchor"
    );
}

#[test]
fn a_chain_of_the_wrong_cross_sign_says_whose_issuer_is_unknown() {
    let outlook = outlook_of("root-new-only.served-pre-2021-05", "2021-09-29T12:00:00Z");
    let refusal = outlook.rustls.refusal.unwrap();
    assert_eq!(
        refusal.to_string(),
        "the issuer of intermediate 0, 'DST Root CA X3', is neither among the certificates given \
         nor among the 1 trust anchors: add its certificate to the chain, or trust its root"
    );
}
