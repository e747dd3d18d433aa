//! What a self-check, a monitor and the command say of SCTs.

use std::process::Command;

use notafter::outlook::SctConstraint;
use notafter::self_check::{Grouping, SelfCheckBuilder};
use notafter::source::SourceContents;
use notafter::transparency::{Log, LogList, LogState, SctLeaves, SctPolicy};
use notafter::{Monitor, Report, SelfCheck, Severity, Target, Timestamp, TrustAnchors};
use rustls::pki_types::CertificateDer;
use serde_json::{Value, json};
use x509_cert::der::asn1::OctetString;

use super::{embed, extension, log_id, tls_list};
use crate::command::binary;
use crate::support::pki::{self, Ca, Leaf, NOW, days};
use crate::support::tls::ring;
use crate::support::{corpora, ocsp};

fn milliseconds(instant: Timestamp) -> u64 {
    u64::try_from(instant.as_unix_seconds()).unwrap() * 1_000
}

/// A leaf of 90 days, ten days old, with SCTs of these logs of its first second.
fn logged(root: &Ca, logs: &[u8]) -> Leaf {
    root.leaf_with(&["a.example"], -10, 80, |params| {
        let at = milliseconds(days(-10));
        let scts: Vec<_> = logs.iter().map(|log| (*log, at)).collect();
        if !scts.is_empty() {
            embed(params, &scts);
        }
    })
}

fn log(log: u8, operator: &str) -> Log {
    Log::new(log_id(log), operator).with_state(LogState::Usable, days(-1000))
}

/// Logs 1 and 3 of A, 5 of B; 7 of C is retired in 30 days, 9 of D in 40.
fn list() -> LogList {
    LogList::builder()
        .with_log(log(1, "A"))
        .with_log(log(3, "A"))
        .with_log(log(5, "B"))
        .with_log(log(7, "C").with_state(LogState::Retired, days(30)))
        .with_log(log(9, "D").with_state(LogState::Retired, days(40)))
        .with_published(days(-1))
        .build()
        .unwrap()
}

fn public(root: &Ca) -> TrustAnchors {
    let anchors = pki::anchors([root]);
    let all = anchors.as_slice().to_vec();
    anchors.with_public(&all)
}

fn check(anchors: TrustAnchors, chain: &[&Leaf]) -> SelfCheckBuilder {
    let chain = chain.iter().map(|leaf| leaf.der.clone());
    SelfCheck::builder()
        .with_trust_anchors(anchors)
        .with_provider(ring())
        .with_chain("chain", chain)
        .at(NOW)
}

fn codes(report: &Report) -> Vec<(&'static str, Severity)> {
    let findings = report.findings.iter();
    findings
        .map(|finding| (finding.code.as_str(), finding.severity))
        .collect()
}

fn run(builder: SelfCheckBuilder) -> Report {
    builder.build().unwrap().run()
}

#[test]
fn a_public_leaf_is_told_what_browsers_miss() {
    let root = pki::root("Root", -1000, 3000);
    let warning = Severity::Warning;
    let cases: [(&[u8], Option<(&str, Severity)>, &str); 7] = [
        (&[1, 5], None, "met"),
        (&[], Some(("scts_missing", warning)), "missing"),
        (&[1], Some(("scts_too_few", warning)), "too_few"),
        (&[1, 99], Some(("scts_too_few", warning)), "too_few"),
        (
            &[1, 3],
            Some(("scts_too_few_operators", warning)),
            "too_few_operators",
        ),
        (&[1, 7], None, "met"),
        // In 40 days both are retired.
        (&[7, 9], Some(("scts_ending", Severity::Info)), "met"),
    ];
    for (logs, finding, status) in cases {
        let leaf = logged(&root, logs);
        let report = run(check(public(&root), &[&leaf]).with_log_list(list()));
        assert_eq!(codes(&report), Vec::from_iter(finding), "{logs:?}");
        let document: Value = serde_json::from_str(&report.to_json()).unwrap();
        let scts = &document["chains"][0]["scts"];
        assert_eq!(scts["status"], *status, "{logs:?}");
        assert_eq!(scts["needed"], 2);
        assert!(report.chains[0].rustls.as_ref().unwrap().verifies());
        // Without a list nothing is said.
        let silent = run(check(public(&root), &[&leaf]));
        assert_eq!(codes(&silent), []);
        let document: Value = serde_json::from_str(&silent.to_json()).unwrap();
        assert!(document["chains"][0].get("scts").is_none());
    }
    let leaf = logged(&root, &[7, 9]);
    let at = |at| run(check(public(&root), &[&leaf]).with_log_list(list()).at(at));
    let last = at(days(40).saturating_add(-1));
    let message = &last.findings[0].message;
    assert!(message.contains("until 2026-02-09T23:59:59Z"), "{message}");
    assert_eq!(codes(&last), [("scts_ending", warning)]);
    assert_eq!(codes(&at(days(40))), [("scts_too_few", warning)]);
}

#[test]
fn nobody_asks_scts_of_a_private_cas_leaves() {
    let root = pki::root("Root", -1000, 3000);
    let leaf = logged(&root, &[]);
    let private = || check(pki::anchors([&root]), &[&leaf]).with_log_list(list());
    assert_eq!(codes(&run(private())), []);
    assert!(run(private()).chains[0].scts.is_none());
    let all = SctPolicy::browsers().with_leaves(SctLeaves::All);
    let asked = run(private().with_sct_policy(all));
    assert_eq!(codes(&asked), [("scts_missing", Severity::Warning)]);
    // By dates alone, who is public cannot be said; all can be asked.
    let dates = run(private().dates_only().with_sct_policy(all));
    assert_eq!(codes(&dates), [("scts_missing", Severity::Warning)]);
    assert_eq!(codes(&run(private().dates_only())), []);
    let clients = private()
        .with_sct_policy(all)
        .with_usage(notafter::outlook::Usage::ClientAuth);
    assert_eq!(codes(&run(clients)), []);
}

#[test]
fn a_list_that_browsers_go_by_no_more_is_told_once() {
    let root = pki::root("Root", -1000, 3000);
    let (leaf, other) = (logged(&root, &[1, 5]), logged(&root, &[3, 5]));
    let list = |published| {
        let builder = LogList::builder()
            .with_log(log(1, "A"))
            .with_log(log(3, "A"));
        let builder = builder.with_log(log(5, "B")).with_published(published);
        builder.build().unwrap()
    };
    let told = |published| {
        let more = [other.der.clone()];
        let builder = check(public(&root), &[&leaf]).with_chain("other", more);
        codes(&run(builder.with_log_list(list(published))))
    };
    let last = days(-70).saturating_add(1);
    assert_eq!(told(last), []);
    assert_eq!(told(days(-70)), [("log_list_stale", Severity::Warning)]);
}

#[test]
fn a_damaged_list_of_scts_is_told_as_one() {
    let root = pki::root("Root", -1000, 3000);
    let leaf = root.leaf_with(&["a.example"], -10, 80, |params| {
        params
            .custom_extensions
            .push(extension(2, vec![4, 2, 0, 0]));
    });
    let report = run(check(public(&root), &[&leaf]).with_log_list(list()));
    assert_eq!(codes(&report), [("scts_unreadable", Severity::Warning)]);
    let message = &report.findings[0].message;
    assert!(
        message.contains("nothing where something belongs"),
        "{message}"
    );
}

#[test]
fn a_precertificate_is_called_one() {
    let root = pki::root("Root", -1000, 3000);
    let leaf = root.leaf_with(&["a.example"], -10, 80, |params| {
        let mut poison = extension(3, vec![5, 0]);
        poison.set_criticality(true);
        params.custom_extensions.push(poison);
    });
    assert!(leaf.certificate().is_precertificate());
    let report = run(check(pki::anchors([&root]), &[&leaf]));
    let critical = Severity::Critical;
    let expected = [("does_not_verify", critical), ("precertificate", critical)];
    assert_eq!(codes(&report), expected);
    let each = check(pki::anchors([&root]), &[]).with_contents(SourceContents::from_certificates(
        "bundle.pem",
        std::slice::from_ref(&leaf.der),
    ));
    let report = run(each.with_grouping(Grouping::Each));
    assert!(codes(&report).contains(&("precertificate", critical)));
}

/// A good staple that delivers SCTs, and one whose time is over.
#[test]
fn what_a_good_staple_delivers_counts() {
    let root = pki::root("Root", -1000, 3000);
    let (leaf, issuer) = (logged(&root, &[]), root.certificate());
    let scts = tls_list(&[(1, milliseconds(days(-10))), (5, milliseconds(days(-10)))]);
    let staple = |until| {
        let (of, dates) = ((&leaf.certificate(), &issuer), (days(-2), Some(until)));
        let mut answer = ocsp::answer(of, ocsp::Hash::Sha1, ocsp::good(), dates);
        let mut extension = ocsp::extension("1.3.6.1.4.1.11129.2.4.5", false);
        let length = u8::try_from(scts.len()).unwrap();
        extension.extn_value = OctetString::new([&[4, length], scts.as_slice()].concat()).unwrap();
        answer.single_extensions = Some(vec![extension]);
        let data = ocsp::data(ocsp::by_name(&issuer), days(-2), vec![answer]);
        ocsp::signed(data, root.key(), &[])
    };
    let missing = ("scts_missing", Severity::Warning);
    let not_good = ("staple_not_good", Severity::Warning);
    let cases = [
        (staple(days(2)), vec![]),
        (staple(days(-1)), vec![not_good, missing]),
        (Vec::new(), vec![missing]),
    ];
    for (staple, expected) in cases {
        let builder = check(public(&root), &[&leaf]).with_log_list(list());
        let report = run(builder.with_staple("chain", staple));
        assert_eq!(codes(&report), expected);
    }
}

/// Roots of which Chrome takes what was logged until a date, or later than one.
#[test]
fn a_leaf_logged_after_its_roots_date_is_told() {
    let (a, b) = (
        pki::root("Root A", -1000, 3000),
        pki::root("Root B", -1000, 3000),
    );
    let (leaf, unlogged) = (logged(&a, &[1, 5]), logged(&a, &[]));
    let cross = b.cross_sign(&a, -500, 2000);
    let logged_at = days(-10);
    let of = |root: &Ca, constraint| (root.certificate().fingerprint(), constraint);
    let before = logged_at.saturating_add(-1);
    let (until, since) = (SctConstraint::not_after, SctConstraint::all_after);
    let late = Some(("issued_after_distrust", Severity::Warning));
    let ahead = Some(("distrust_ahead", Severity::Info));
    let cases = [
        ("none", vec![], &leaf, None),
        ("logged later", vec![of(&a, until(before))], &leaf, late),
        (
            "logged in that second",
            vec![of(&a, until(logged_at))],
            &leaf,
            ahead,
        ),
        (
            "not logged",
            vec![of(&a, until(logged_at))],
            &unlogged,
            late,
        ),
        ("only later ones", vec![of(&a, since(before))], &leaf, None),
        ("none is later", vec![of(&a, since(logged_at))], &leaf, late),
        (
            "not logged at all",
            vec![of(&a, since(before))],
            &unlogged,
            late,
        ),
        (
            "one of two",
            vec![of(&a, until(before)), of(&a, since(before))],
            &leaf,
            None,
        ),
        (
            "two that end",
            vec![of(&a, until(before)), of(&a, until(days(5)))],
            &leaf,
            ahead,
        ),
        ("another root", vec![of(&b, until(before))], &leaf, None),
    ];
    let distrust = |report: &Report| -> Vec<_> {
        let codes = codes(report).into_iter();
        codes
            .filter(|(code, _)| code.contains("distrust"))
            .collect()
    };
    for (what, constraints, leaf, expected) in cases {
        let roots = [&a, &b].map(|root| root.der.clone());
        let anchors = || {
            let builder = TrustAnchors::builder().with_certificates(&roots);
            builder.with_sct_constraints(constraints.clone())
        };
        let report = run(check(anchors().build(), &[leaf]));
        assert!(report.chains[0].rustls.as_ref().unwrap().verifies());
        assert_eq!(distrust(&report), Vec::from_iter(expected), "{what}");
        // A way to a root without one is what browsers go by.
        let both = SelfCheck::builder()
            .with_trust_anchors(anchors().build())
            .with_provider(ring())
            .with_chain("chain", [leaf.der.clone(), cross.clone()])
            .at(NOW);
        assert_eq!(distrust(&run(both)), [], "{what}");
        // The worse of two ends of one root is told.
        let issued = leaf.certificate().not_before();
        let print = a.certificate().fingerprint();
        let dated = anchors().with_distrust_after([(print, issued.saturating_add(-1))]);
        let report = run(check(dated.build(), &[leaf]));
        assert_eq!(distrust(&report), Vec::from_iter(late), "{what}");
    }
    let message = |constraint| {
        let anchors = TrustAnchors::builder().with_certificates([&a.der]);
        let anchors = anchors.with_sct_constraints([of(&a, constraint)]).build();
        run(check(anchors, &[&leaf])).findings[0].message.clone()
    };
    assert_eq!(
        message(until(before)),
        "Chrome trusts what the root 'CN=Root A' issued with an SCT of 2025-12-21T23:59:59Z or earlier, and its earliest SCT \
         claims 2025-12-22T00:00:00Z: it refuses it; have it issued under another root"
    );
    assert!(
        message(until(logged_at)).ends_with("logged later: have it renewed under another root")
    );
    assert!(
        message(since(logged_at)).contains("SCTs all of which are later than 2025-12-22T00:00:00Z")
    );
}

#[test]
fn a_monitor_has_it_in_its_report() {
    let root = pki::root("Root", -1000, 3000);
    let leaf = logged(&root, &[1, 3]);
    let monitor = Monitor::builder()
        .with_trust_anchors(public(&root))
        .with_provider(ring())
        .with_log_list(list())
        .build()
        .unwrap();
    monitor.watch("chain", Target::from_chain([leaf.der.clone()]));
    monitor.tick(NOW);
    let report = monitor.snapshot();
    assert_eq!(
        codes(&report),
        [("scts_too_few_operators", Severity::Warning)]
    );
}

/// The leaf of the incident of 2021, by the list that Chrome had then, and by one that has other logs.
#[test]
fn the_command_knows_a_public_root_that_it_is_given() {
    let folder = tempfile::tempdir().unwrap();
    let certificates = corpora::data("incidents/dst-root-x3-2021/certs");
    let read = |name: &str| std::fs::read_to_string(certificates.join(name)).unwrap();
    let served = folder.path().join("served.pem");
    std::fs::write(&served, read("leaf.pem") + &read("r3-by-isrg-x1.pem")).unwrap();
    let cases = [
        ("log_list-2021.json", "met", 0),
        ("log_list-2026.json", "too_few", 1),
    ];
    for (list, status, scts_findings) in cases {
        let mut command = Command::new(binary());
        command
            .arg("--trust")
            .arg(certificates.join("isrg-x1-root.pem"));
        command.args([
            "--at",
            "2021-10-05T12:00:00Z",
            "--format",
            "json",
            "--log-list",
        ]);
        command.arg(corpora::data("transparency").join(list));
        let output = command.arg(&served).output().unwrap();
        let report: Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(report["chains"][0]["scts"]["status"], *status, "{list}");
        let codes = report["findings"].as_array().unwrap().iter();
        let codes = codes.filter(|finding| finding["code"].as_str().unwrap().starts_with("scts"));
        assert_eq!(codes.count(), scts_findings, "{list}");
    }
}

#[test]
fn the_command_takes_a_list_of_logs() {
    let root = pki::root("Root", -1000, 3000);
    let leaf = logged(&root, &[]);
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let write = |name: &str, text: &str| std::fs::write(path(name), text).unwrap();
    write("root.pem", &pki::pem_bundle([&root.der]));
    let served: CertificateDer<'static> = leaf.der.clone();
    write("served.pem", &pki::pem_bundle([&served]));
    let logs = json!([
        { "log_id": log_id(1).to_base64(), "state": { "usable": { "timestamp": "0" } } },
        { "log_id": "AAAA" },
    ]);
    let document = json!({ "operators": [{ "name": "A", "logs": logs }] });
    write("log_list.json", &document.to_string());
    write("none.json", "{}");
    let run = |list: &str, more: &[&str]| {
        let mut command = Command::new(binary());
        command.args(["--trust", &path("root.pem"), "--at", &NOW.to_string()]);
        command
            .args(["--log-list", &path(list), "--format", "json"])
            .args(more);
        let output = command.arg(path("served.pem")).output().unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        (
            output.status.code().unwrap(),
            text(output.stdout),
            text(output.stderr),
        )
    };
    // A root of one's own is nobody's public one.
    let (code, json, said) = run("log_list.json", &[]);
    assert_eq!(code, 0, "{said}");
    assert!(
        said.contains("operators[0].logs[1].log_id of the list of logs"),
        "{said}"
    );
    let document: Value = serde_json::from_str(&json).unwrap();
    assert_eq!(document["findings"], json!([]));
    let (code, _, said) = run("none.json", &[]);
    assert_eq!(code, 3, "{said}");
    assert!(said.contains("has no array 'operators'"), "{said}");
    let (code, _, said) = run("missing.json", &[]);
    assert_eq!(code, 3, "{said}");
    assert!(said.contains("--log-list"), "{said}");
}
