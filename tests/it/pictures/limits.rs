//! What a picture leaves out, and says so.

use notafter::self_check::{Finding, Theme};
use notafter::source::SourceContents;
use notafter::{Report, Timestamp};

use super::reports::{blind, check, fleet, run, small};
use crate::support::pki;

#[test]
fn fifty_chains_and_fifty_findings_are_drawn_and_more_are_counted() {
    let fleet = fleet();
    for (count, more) in [
        (50, None),
        (51, Some("and 1 more chain: 1 ok")),
        (52, Some("and 2 more chains: 2 ok")),
    ] {
        let mut report = small();
        let chain = report.chains[0].clone();
        report.chains = vec![chain; count];
        for text in [report.to_svg(Theme::Light), report.to_timeline(120)] {
            let mut lines = text.lines().rev();
            let found = lines.find(|line| line.contains(" more chain"));
            let found = found.map(|line| line.trim_end_matches("</text>"));
            let found = found.map(|line| line.rsplit('>').next().unwrap());
            assert_eq!(found, more, "{count}");
            let heads = text.lines();
            let heads = heads.filter(|l| l.ends_with(">a.pem</text>") || *l == "a.pem: ok");
            assert_eq!(heads.count(), 50);
        }
    }
    for (count, more) in [(50, None), (51, Some("and 1 more finding: 1 unreadable"))] {
        let mut report = fleet.clone();
        let unreadable = report.findings.iter().find(|f| f.code.is_blindness());
        report.findings = vec![unreadable.unwrap().clone(); count];
        for text in [report.to_svg(Theme::Light), report.to_timeline(120)] {
            let mut lines = text.lines().rev();
            let found = lines.find(|line| line.contains(" more finding"));
            let found = found.map(|line| line.trim_end_matches("</text>").trim());
            let found = found.map(|line| line.rsplit('>').next().unwrap());
            assert_eq!(found, more, "{count}");
        }
    }
    // What is left out is the best of them.
    let mut report = small();
    let mut many = vec![report.chains[0].clone(); 10_000];
    many.extend(fleet.chains.iter().cloned());
    report.chains = many;
    let (svg, timeline) = (report.to_svg(Theme::Auto), report.to_timeline(80));
    assert!(svg.len() < 200_000, "{}", svg.len());
    assert!(timeline.len() < 50_000, "{}", timeline.len());
    for text in [&svg, &timeline] {
        assert!(text.contains("and 9964 more chains: 9964 ok"), "{text}");
        for source in [
            "stranger.pem",
            "expired.example:443",
            "due.example:443",
            "gap.pem",
        ] {
            assert!(text.contains(source), "{source}");
        }
    }
}

#[test]
fn ten_certificates_of_a_chain_are_drawn_and_those_that_end_it() {
    let root = pki::root("Root", -1000, 3000);
    let last = root.intermediate("Last CA", -300, 40);
    let leaf = last.leaf(&["a.example"], -30, 60);
    let other = root.intermediate("Other CA", -300, 1500);
    for (others, more) in [(8, None), (9, None), (10, Some("and 1 more certificates"))] {
        let mut chain = vec![leaf.der.clone()];
        chain.extend((0..others).map(|_| other.der.clone()));
        // The one that ends it stands last.
        chain.push(last.der.clone());
        let report = run(check(pki::anchors([&root])).with_chain("a.pem", chain));
        assert_eq!(report.chains[0].certificates.len(), others + 2);
        let text = report.to_timeline(120);
        assert!(
            text.contains(&format!(" intermediate {others} Last CA\n")),
            "{text}"
        );
        let found = text
            .lines()
            .find(|line| line.contains(" more certificates"));
        assert_eq!(found.map(str::trim), more, "{text}");
        let drawn = text.matches(" Other CA\n").count();
        assert_eq!(drawn, others.min(9));
        assert_eq!(
            report.to_svg(Theme::Light).contains("more certificates"),
            more.is_some()
        );
    }
}

#[test]
fn long_names_and_sentences_are_cut_where_that_can_be_seen() {
    let mut report = small();
    report.findings = blind().findings;
    let mut finding = report.findings[0].clone();
    for (columns, shown) in [(256, 256), (257, 256)] {
        let source = format!("{}z", "a".repeat(columns - 1));
        report.chains[0].source.clone_from(&source);
        finding.source = Some(source.clone());
        let text = report_with(&report, &finding).to_timeline(400);
        let heading = text.lines().find(|line| line.ends_with("z: ok")).unwrap();
        let heading = heading.trim_end_matches(": ok");
        assert_eq!(
            (heading.len(), heading == source),
            (shown, columns == shown)
        );
    }
    for (columns, end) in [(1_000, "bz"), (1_001, "b..")] {
        finding.message = format!("{}z", "b".repeat(columns - 1));
        let report = report_with(&report, &finding);
        let text = report.to_timeline(400);
        let message: String = text
            .lines()
            .map(str::trim)
            .filter(|l| l.starts_with("bb"))
            .collect();
        assert!(message.len() == 1_000 && message.ends_with(end), "{text}");
        // Four lines of the picture.
        let svg = report.to_svg(Theme::Light);
        let lines: Vec<_> = svg.lines().filter(|line| line.contains(">bb")).collect();
        assert!(
            lines.len() == 4 && lines[3].ends_with("bb..</text>"),
            "{lines:#?}"
        );
    }
}

/// The report with this as its first finding.
fn report_with(report: &Report, finding: &Finding) -> Report {
    let mut report = report.clone();
    report.findings[0] = finding.clone();
    report
}

#[test]
fn any_instant_can_be_drawn() {
    let mut report = fleet();
    let (first, last) = (
        Timestamp::MIN.as_unix_seconds(),
        Timestamp::MAX.as_unix_seconds(),
    );
    let step = usize::try_from((last - first) / 60).unwrap();
    let instants = (first..=last)
        .step_by(step)
        .chain([0, -1, last, first + 1, last - 1]);
    for at in instants {
        report.at = Timestamp::from_unix_seconds(at);
        let svg = report.to_svg(Theme::Light);
        assert!(svg.contains(&format!(">now {}</text>", report.at)), "{svg}");
        for width in [20, 80] {
            assert!(report.to_timeline(width).contains('|'));
        }
    }
    // A view of the end of time.
    let root = pki::root_with("Root", -1000, 3000, |params| {
        params.not_after = rcgen::date_time_ymd(9999, 12, 31) + time::Duration::seconds(86_399);
    });
    let collection =
        SourceContents::from_bytes("root.pem", pki::pem_bundle([&root.der]).as_bytes());
    let report = run(check(pki::anchors([&root])).with_contents(collection));
    let (svg, timeline) = (report.to_svg(Theme::Light), report.to_timeline(80));
    for text in [&svg, &timeline] {
        assert!(
            text.contains("no failure ahead") && text.contains("without end"),
            "{text}"
        );
    }
}
