//! The report as a picture: SVG, and a timeline for terminals.

use std::collections::BTreeSet;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use notafter::self_check::{Finding, SelfCheckBuilder, Theme};
use notafter::source::{FailureReason, SourceContents};
use notafter::{Band, Report, SelfCheck, Timestamp, TrustAnchors};
use rcgen::DnType;

use crate::support::pki::{self, NOW};
use crate::support::tls::ring;
use crate::support::{corpora, ocsp};

const THEMES: [Theme; 3] = [Theme::Auto, Theme::Light, Theme::Dark];

fn check(anchors: TrustAnchors) -> SelfCheckBuilder {
    SelfCheck::builder()
        .with_trust_anchors(anchors)
        .with_provider(ring())
}

fn run(builder: SelfCheckBuilder) -> Report {
    builder.at(NOW).build().unwrap().run()
}

fn refused(source: &str) -> SourceContents {
    SourceContents::unreadable(source, FailureReason::Connection, "connection refused")
}

/// The chain of the documents, from real bytes.
fn addtrust() -> Report {
    let folder = corpora::data("incidents/addtrust-2020-comodo-rsa/certs");
    let file = |name: &str| std::fs::read(folder.join(name)).unwrap();
    let served = [
        file("leaf.pem"),
        file("comodo-rsa-ov.pem"),
        file("comodo-rsa-ca-by-addtrust.pem"),
    ];
    let root = SourceContents::from_bytes("root.pem", &file("addtrust-root.pem"));
    let anchors = TrustAnchors::builder().with_source(&root).build();
    check(anchors)
        .with_contents(SourceContents::from_bytes("served.pem", &served.concat()))
        .with_expected_name("no-common-name.badssl.com")
        .at("2020-05-01T00:00:00Z".parse().unwrap())
        .build()
        .unwrap()
        .run()
}

/// One chain, fine for 60 days, whose places are easily reckoned.
fn small() -> Report {
    let root = pki::root("Root", -1000, 3000);
    let intermediate = root.intermediate("Issuing CA", -300, 1500);
    let leaf = intermediate.leaf(&["a.example"], -30, 60);
    let chain = [leaf.der.clone(), intermediate.der.clone()];
    run(check(pki::anchors([&root])).with_chain("a.pem", chain))
}

/// Chains in every band; with a gap, with a cliff, with an anchor that ends first; a collection; and
/// an endpoint that could not be read.
fn fleet() -> Report {
    let root = pki::root("Root", -3650, 3650);
    let old = pki::root("Old Root", -7000, 25);
    let upper = root.intermediate("Issuing CA", -300, 1500);
    let short = root.intermediate("Short CA", -356, 9);
    let mut builder = check(pki::anchors([&root, &old]));
    let leaves = [
        ("ok.example", -10, 80),
        ("due.example", -62, 28),
        ("warning.example", -70, 20),
        ("critical.example", -82, 8),
        ("expired.example", -95, -5),
        ("later.example", 3, 93),
    ];
    for (name, from, to) in leaves {
        let leaf = upper.leaf(&[name], from, to);
        builder = builder.with_chain(format!("{name}:443"), [leaf.der, upper.der.clone()]);
    }
    let leaf = short.leaf(&["service.example"], -70, 20);
    builder = builder.with_chain(
        "/etc/service/tls/service.pem",
        [leaf.der, short.der.clone()],
    );
    let leaf = old.leaf(&["old.example"], -20, 70);
    builder = builder.with_chain("old.pem", [leaf.der]);
    for (name, end, begin) in [("gap", 12, 20), ("cliff", 15, -20)] {
        let first = root.intermediate(&format!("First {name} CA"), -300, end);
        let second = root.cross_sign(&first, begin, 800);
        let leaf = first.leaf(&[&format!("{name}.example")], -20, 70);
        let chain = [leaf.der, first.der.clone(), second];
        builder = builder.with_chain(format!("{name}.pem"), chain);
    }
    let stranger = pki::root("Nobody", -10, 300).leaf(&["stranger.example"], -5, 40);
    let collection = pki::pem_bundle([&root.der, &old.der, &upper.der]);
    let collection = SourceContents::from_bytes("bundle.pem", collection.as_bytes());
    run(builder
        .with_chain("stranger.pem", [stranger.der])
        .with_contents(collection)
        .with_contents(refused("10.0.0.7:443")))
}

/// What an attacker would have drawn.
const HOSTILE: [&str; 6] = [
    "</text><script>alert(1)</script>",
    "\"/><image href='https://evil.example/'/>",
    "]]>&lt;&#0;<!--",
    "a\n\u{1b}[31m\u{0}\u{7f}",
    "moc.\u{202e}evil\u{2066}",
    "\u{fffe}\u{ffff} Z\u{fc}rich \u{6771}\u{4eac} \u{fdfd}",
];

fn hostile() -> Report {
    let root = pki::root("Root", -1000, 3000);
    let mut builder = check(pki::anchors([&root]));
    for name in HOSTILE {
        let leaf = root.leaf_with(&["a.example"], -85, 5, |params| {
            params.distinguished_name.push(DnType::CommonName, name);
        });
        builder = builder
            .with_chain(name, [leaf.der])
            .with_contents(refused(name))
            .with_expected_name(name);
    }
    run(builder)
}

fn empty() -> Report {
    let mut report = run(check(TrustAnchors::builder().build()));
    report.findings.clear();
    report
}

fn blind() -> Report {
    let mut report = fleet();
    report.chains.clear();
    report.findings.retain(|f| f.code.is_blindness());
    report
}

fn all() -> Vec<(&'static str, Report)> {
    vec![
        ("addtrust", addtrust()),
        ("small", small()),
        ("fleet", fleet()),
        ("hostile", hostile()),
        ("empty", empty()),
        ("blind", blind()),
    ]
}

/// What xmllint prints, asked for this; `None`, with a line, where there is none: in CI there must be.
fn xmllint(svg: &str, args: &[&str]) -> Option<String> {
    let spawned = Command::new("xmllint")
        .args(args)
        .arg("-")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn();
    let mut process = match spawned {
        Ok(process) => process,
        Err(error) => {
            assert!(std::env::var_os("CI").is_none(), "no xmllint: {error}");
            println!("skipped: there is no xmllint here ({error})");
            return None;
        }
    };
    let mut input = process.stdin.take().unwrap();
    let svg = svg.to_owned();
    let writing = std::thread::spawn(move || input.write_all(svg.as_bytes()));
    let output = process.wait_with_output().unwrap();
    writing.join().unwrap().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success() && said.is_empty(), "{said}");
    Some(String::from_utf8(output.stdout).unwrap())
}

/// The names of all elements.
fn elements(svg: &str) -> BTreeSet<&str> {
    let tags = svg.split('<').skip(1);
    let names = tags.map(|tag| tag.split([' ', '>', '/']).find(|word| !word.is_empty()));
    names.map(Option::unwrap).collect()
}

#[test]
fn every_svg_is_well_formed_and_has_nothing_in_it_that_acts_or_loads() {
    let known: BTreeSet<_> = [
        "svg", "title", "desc", "style", "defs", "pattern", "path", "rect", "text", "g",
    ]
    .into();
    for (name, report) in all() {
        for theme in THEMES {
            let svg = report.to_svg(theme);
            let unknown: Vec<_> = elements(&svg).difference(&known).copied().collect();
            assert!(unknown.is_empty(), "{name}: {unknown:?}");
            // Every reference leads to a pattern in it.
            for reference in svg.split("url(").skip(1) {
                let id = reference.trim_start_matches('#').split(')').next().unwrap();
                assert!(svg.contains(&format!("<pattern id=\"{id}\"")), "{id}");
            }
            for word in [" href=", " onload=", "@import", "@font-face", " src="] {
                let outside: Vec<_> = svg.lines().filter(|l| !l.contains("</")).collect();
                assert!(!outside.join("\n").contains(word), "{name}: {word}");
            }
            assert!(!svg.contains("\n\n"), "{name}: it may stand in Markdown");
            if xmllint(&svg, &["--noout"]).is_none() {
                return;
            }
        }
    }
}

#[test]
fn hostile_names_are_text_and_can_be_seen() {
    let report = hostile();
    let svg = report.to_svg(Theme::Light);
    let timeline = report.to_timeline(200);
    for text in [&svg, &timeline] {
        let raw = |c: char| (c.is_control() && c != '\n') || "\u{202e}\u{2066}".contains(c);
        assert!(!text.contains(raw));
        assert!(text.contains("moc.\\u{202e}evil\\u{2066}"), "{text}");
        assert!(text.contains("a\\u{a}\\u{1b}[31m\\u{0}\\u{7f}"), "{text}");
    }
    assert!(!svg.contains(['\u{fffe}', '\u{ffff}']));
    assert!(svg.contains("&lt;/text&gt;&lt;script&gt;alert(1)&lt;/script&gt;"));
    // A parser reads what was written.
    let texts = "//*[local-name()='text']/text()";
    let Some(texts) = xmllint(&svg, &["--xpath", texts]) else {
        return;
    };
    let texts: Vec<_> = texts.lines().collect();
    for shown in [
        "&lt;/text&gt;&lt;script&gt;alert(1)&lt;/script&gt;",
        "\"/&gt;&lt;image href='https://evil.example/'/&gt;",
        "]]&gt;&amp;lt;&amp;#0;&lt;!--",
    ] {
        assert!(texts.contains(&shown), "no {shown} in {texts:#?}");
    }
}

/// The lines of the row with this title, title and end left aside.
fn row<'s>(svg: &'s str, title: &str) -> Vec<&'s str> {
    let start = format!("<title>{title}");
    let lines = svg.lines().skip_while(|line| !line.starts_with(&start));
    lines.skip(1).take_while(|line| *line != "</g>").collect()
}

#[test]
fn a_small_report_is_drawn_to_the_tenth_of_a_pixel() {
    // The end lies 60 days ahead: the view reaches 63 3/4 days ahead and 21 1/4 back, and its 85 days
    // are 456 pixels wide.
    let svg = small().to_svg(Theme::Light);
    let verifies = [
        "<text class=\"ink\" x=\"28\" y=\"175\" font-size=\"11\" fill=\"#1a1a1a\">rustls, strict, openssl</text>",
        "<rect x=\"316\" y=\"169\" width=\"435.8\" height=\"5\" class=\"ink\" fill=\"#1a1a1a\"/>",
        "<path class=\"ink\" d=\"M314 167L307 171L314 176Z\" fill=\"#1a1a1a\"/>",
        "<text class=\"ink\" x=\"785\" y=\"175\" font-size=\"11\" fill=\"#1a1a1a\">until 2026-03-02 00:00Z</text>",
    ];
    assert_eq!(row(&svg, "rustls, strict, openssl"), verifies);
    let leaf = [
        "<path class=\"ink\" d=\"M17 184L24 189L17 194Z\" fill=\"#1a1a1a\"/>",
        "<text class=\"ink\" x=\"28\" y=\"193\" font-size=\"11\" fill=\"#1a1a1a\" font-weight=\"bold\">leaf a.example</text>",
        "<rect x=\"316\" y=\"183\" width=\"274.9\" height=\"12\" fill=\"#009e73\"/>",
        "<rect x=\"590.9\" y=\"183\" width=\"53.6\" height=\"12\" fill=\"#0072b2\"/>",
        "<rect x=\"590.9\" y=\"183\" width=\"53.6\" height=\"12\" fill=\"url(#notafter-due)\"/>",
        "<rect x=\"644.5\" y=\"183\" width=\"53.7\" height=\"12\" fill=\"#e69f00\"/>",
        "<rect x=\"644.5\" y=\"183\" width=\"53.7\" height=\"12\" fill=\"url(#notafter-warning)\"/>",
        "<rect x=\"698.2\" y=\"183\" width=\"53.6\" height=\"12\" fill=\"#d55e00\"/>",
        "<rect x=\"698.2\" y=\"183\" width=\"53.6\" height=\"12\" fill=\"url(#notafter-critical)\"/>",
        "<rect x=\"316\" y=\"183\" width=\"435.8\" height=\"12\" class=\"edge\" fill=\"none\" stroke=\"#1a1a1a\" stroke-width=\"2\"/>",
        "<path class=\"ink\" d=\"M314 183L307 189L314 195Z\" fill=\"#1a1a1a\"/>",
        "<text class=\"ink\" x=\"785\" y=\"193\" font-size=\"11\" fill=\"#1a1a1a\" font-weight=\"bold\">in 60 d</text>",
    ];
    assert_eq!(row(&svg, "leaf "), leaf);
    let intermediate = [
        "<text class=\"ink\" x=\"28\" y=\"211\" font-size=\"11\" fill=\"#1a1a1a\">intermediate 0 Issuing CA</text>",
        "<rect x=\"316\" y=\"201\" width=\"456\" height=\"12\" fill=\"#009e73\"/>",
        "<rect x=\"316\" y=\"201\" width=\"456\" height=\"12\" class=\"edge\" fill=\"none\" stroke=\"#1a1a1a\" stroke-width=\"0.8\"/>",
        "<path class=\"ink\" d=\"M314 201L307 207L314 213Z\" fill=\"#1a1a1a\"/>",
        "<path class=\"ink\" d=\"M774 201L781 207L774 213Z\" fill=\"#1a1a1a\"/>",
        "<text class=\"ink\" x=\"785\" y=\"211\" font-size=\"11\" fill=\"#1a1a1a\">in 1500 d</text>",
    ];
    assert_eq!(row(&svg, "intermediate 0 "), intermediate);
    // The effective notAfter, and now.
    assert!(
        svg.contains("<path class=\"edge\" d=\"M751.8 165V216\" "),
        "{svg}"
    );
    assert!(
        svg.contains("<path class=\"edge\" d=\"M430 136V220\" "),
        "{svg}"
    );
    assert!(svg.contains(">now 2026-01-01T00:00:00Z</text>"));
}

#[test]
fn gaps_cliffs_and_ends_are_where_they_belong() {
    let timeline = fleet().to_timeline(120);
    // 54 columns from 21 1/4 days back to 63 3/4 ahead: now is the 13th, and 12, 15, 20 and 25 days ahead
    // are the 21st, 23rd, 26th and 29th.
    let expected = [
        "\
/etc/service/tls/service.pem: critical
<############|#####////////                              in 9 d             rustls strict openssl
<======dddddd|wwwwwcccccccc                              warning, in 20 d   leaf service.example
<wwwwwccccccc|cccccc                                   * critical, in 9 d   intermediate 0 Short CA
",
        "\
gap.pem: critical
#############|#######//////##########################>   in 12 d            rustls strict openssl
=============|========================dddddddwwwwwwcc>   in 70 d            leaf gap.example
<wwwwwwwwwccc|cccccccc                                 * critical, in 12 d  intermediate 0 First gap CA
             |            ===========================>   begins in 20 d     intermediate 1 First gap CA
",
        "\
old.pem: ok
#############|#######################################>   in 70 d            rustls
#############|###############/////////////////////////   in 25 d            strict openssl
=============|========================dddddddwwwwwwcc> * in 70 d            leaf old.example
<wwwwwwwwwccc|cccccccccccccccc                         * critical, in 25 d  anchor Old Root
",
        "\
cliff.pem: ok
#############|#########^#############################>   in 70 d            rustls strict openssl
=============|========================dddddddwwwwwwcc> * in 70 d            leaf cliff.example
<wwwwwwwwwwcc|cccccccccc                                 critical, in 15 d  intermediate 0 First cliff CA
=============|=======================================>   in 800 d           intermediate 1 First cliff CA
",
    ];
    for block in expected {
        assert!(timeline.contains(block), "no\n{block}\nin\n{timeline}");
    }
}

#[test]
fn a_staple_has_a_row_and_what_must_staple_is_dark_without_one() {
    let root = pki::root("Root", -1000, 3000);
    let leaf = |must_staple: bool| {
        root.leaf_with(&["a.example"], -30, 60, |params| {
            // TLS feature: status_request (RFC 7633).
            let feature = vec![0x30, 3, 2, 1, 5];
            let oid = [1, 3, 6, 1, 5, 5, 7, 1, 24];
            let feature = rcgen::CustomExtension::from_oid_content(&oid, feature);
            params.custom_extensions = must_staple.then_some(feature).into_iter().collect();
        })
    };
    let (must, may) = (leaf(true), leaf(false));
    let staple = |leaf: &pki::Leaf| {
        let (leaf, issuer) = (leaf.certificate(), root.certificate());
        let dates = (pki::days(-3), Some(pki::days(4)));
        let answer = ocsp::answer((&leaf, &issuer), ocsp::Hash::Sha1, ocsp::good(), dates);
        let data = ocsp::data(ocsp::by_name(&issuer), pki::days(-3), vec![answer]);
        ocsp::signed(data, root.key(), &[])
    };
    let dark = |n: usize| "/".repeat(n);
    let cases = [
        (
            &must,
            0,
            format!("           ##|##{}     in 4 d   staple", dark(36)),
        ),
        (
            &may,
            0,
            format!("           ##|###{}  in 4 d   staple", " ".repeat(38)),
        ),
    ];
    for (leaf, day, expected) in cases {
        let builder = check(pki::anchors([&root]))
            .with_chain("a.pem", [leaf.der.clone()])
            .with_staple("a.pem", staple(leaf));
        let report = builder.at(pki::days(day)).build().unwrap().run();
        let text = report.to_timeline(120);
        let row = text.lines().find(|line| line.ends_with(" staple"));
        assert_eq!(row, Some(expected.as_str()), "{text}");
    }
    // What is dark for want of a staple goes before chains in worse bands, though its own is ok.
    let mut report = fleet();
    let builder = check(pki::anchors([&root]))
        .with_chain("must.pem", [must.der.clone()])
        .with_staple("must.pem", staple(&must));
    let stale = builder.at(pki::days(5)).build().unwrap().run();
    report.at = stale.at;
    report.chains.retain(|chain| chain.band < Band::NotYetValid);
    report.chains.extend(stale.chains);
    let text = report.to_timeline(120);
    let lines: Vec<_> = text.lines().collect();
    assert!(lines[1].starts_with("fails now: must.pem must staple, and its staple is not good: "));
    let first = lines
        .iter()
        .position(|line| *line == "must.pem: ok")
        .unwrap();
    let standing = lines[first + 2]
        .split_whitespace()
        .collect::<Vec<_>>()
        .join(" ");
    assert!(standing.ends_with("not good: stale staple"), "{text}");
    let next = text.find("critical.example:443: critical").unwrap();
    assert!(text.find("must.pem: ok").unwrap() < next);
}

#[test]
fn the_same_report_gives_the_same_bytes_and_themes_differ_in_colours_alone() {
    let (first, again) = (addtrust(), addtrust());
    for theme in THEMES {
        assert_eq!(first.to_svg(theme), again.to_svg(theme));
    }
    assert_eq!(first.to_timeline(80), again.to_timeline(80));
    for (name, report) in all() {
        let [auto, light, dark] = THEMES.map(|theme| report.to_svg(theme));
        let without_style = |svg: &str| -> String {
            let lines = svg.lines().filter(|line| !line.starts_with("<style>"));
            lines.map(|line| format!("{line}\n")).collect()
        };
        assert_eq!(without_style(&auto), light, "{name}");
        let colours = [
            ("#14171c", "#ffffff"),
            ("#ececec", "#1a1a1a"),
            ("#a9adb3", "#595959"),
            ("#3a3f47", "#d4d4d4"),
        ];
        let lit = colours.iter().fold(dark.clone(), |svg, (dark, light)| {
            assert!(auto.contains(dark), "{dark} is preferred in the dark");
            svg.replace(dark, light)
        });
        assert_eq!(lit, light, "{name}");
    }
}

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
fn no_line_of_a_timeline_is_longer_than_it_may_be() {
    let columns =
        |line: &str| -> usize { line.chars().map(|c| if c.is_ascii() { 1 } else { 2 }).sum() };
    for (name, report) in all() {
        for width in (20..=200).chain([0, 1, 19, 400, 401, usize::MAX]) {
            let text = report.to_timeline(width);
            let most = width.clamp(20, 400);
            for line in text.lines() {
                assert!(columns(line) <= most, "{name} in {width}: {line}");
                assert_eq!(line, line.trim_end(), "{name} in {width}");
            }
            // Now stands in one column.
            let bars = text.lines().filter(|line| {
                let chart: String = line.chars().take(most * 9 / 20).collect();
                chart.contains('|') && !line.contains(": ") && !line.contains("now, *")
            });
            let now: BTreeSet<_> = bars.map(|line| line.find('|').unwrap()).collect();
            assert!(now.len() <= 1, "{name} in {width}: {now:?}\n{text}");
        }
    }
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

#[test]
fn nothing_and_nothing_but_failures_have_pictures_that_say_so() {
    let cases = [
        (
            empty(),
            vec![
                "nothing was judged at 2026-01-01T00:00:00Z",
                "nothing was checked: give it a chain, a file or a folder",
            ],
        ),
        (
            blind(),
            vec![
                "no certificate was judged: see the findings",
                "unreadable 10.0.0.7:443",
                "connection refused",
            ],
        ),
    ];
    for (report, expected) in cases {
        for text in [report.to_svg(Theme::Auto), report.to_timeline(80)] {
            for part in &expected {
                assert!(text.contains(part), "no '{part}' in {text}");
            }
            assert!(!text.contains("next cliff"), "there is nothing to explain");
        }
    }
}

#[test]
fn what_fails_now_and_what_fails_next_stand_first() {
    let report = fleet();
    let text = report.to_timeline(400);
    let lines: Vec<_> = text.lines().take(3).collect();
    assert_eq!(lines[0], "14 chains at 2026-01-01T00:00:00Z, worst: broken");
    assert!(
        lines[1]
            .starts_with("3 fail now, the worst: stranger.pem: the issuer of leaf, 'Nobody', is "),
        "{text}"
    );
    assert_eq!(
        lines[2],
        "next failure in 8 d, at 2026-01-09T00:00:01Z: critical.example:443 goes dark when its leaf \
         'critical.example' ends at 2026-01-09T00:00:00Z"
    );
    // And the worst chain first.
    let svg = report.to_svg(Theme::Light);
    let place = |source: &str| svg.find(&format!(">{source}</text>")).unwrap();
    let order = [
        "stranger.pem",
        "expired.example:443",
        "later.example:443",
        "critical.example:443",
        "gap.pem",
        "due.example:443",
        "old.pem",
        "ok.example:443",
    ];
    let places: Vec<_> = order.iter().map(|source| place(source)).collect();
    assert!(places.is_sorted(), "{places:?}");
    // Above what looks fine: what could not be read.
    let mut report = small();
    report.findings = blind().findings;
    let title = "1 chain at 2026-01-01T00:00:00Z, worst: ok, worst finding: critical";
    for text in [report.to_svg(Theme::Light), report.to_timeline(80)] {
        assert!(text.contains(title), "{text}");
    }
}

#[test]
fn the_pictures_of_the_documents_are_what_is_drawn() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let report = addtrust();
    let page = std::fs::read_to_string(root.join("docs/SELF-CHECK.md")).unwrap();
    let timeline = report.to_timeline(80);
    assert!(
        page.contains(&format!("```text\n{timeline}```\n")),
        "docs/SELF-CHECK.md should hold\n{timeline}"
    );
    let svg = report.to_svg(Theme::Auto);
    let drawn = root.join("target/self-check.svg");
    let kept = std::fs::read_to_string(root.join("docs/self-check.svg")).unwrap_or_default();
    if svg != kept {
        std::fs::write(&drawn, &svg).unwrap();
        panic!(
            "docs/self-check.svg is another picture: look at target/self-check.svg, and copy it there"
        );
    }
}

#[test]
fn the_command_draws_both() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let root = pki::root("Root", -1000, 3000);
    let leaf = root.leaf(&["a.example"], -30, 60);
    std::fs::write(path("root.pem"), pki::pem_bundle([&root.der])).unwrap();
    std::fs::write(path("chain.pem"), pki::pem_bundle([&leaf.der])).unwrap();
    let print = |format: &str, columns: Option<&str>| {
        let mut command = Command::new(crate::command::example("self_check"));
        command.args(["--format", format, "--at", &NOW.to_string(), "--trust"]);
        command.args([path("root.pem"), path("chain.pem")]);
        command
            .env_remove("COLUMNS")
            .envs(columns.map(|n| ("COLUMNS", n)));
        let output = command
            .stdin(Stdio::null())
            .stderr(Stdio::piped())
            .output()
            .unwrap();
        assert_eq!(output.status.code(), Some(0));
        String::from_utf8(output.stdout).unwrap()
    };
    let report = check(pki::anchors([&root]))
        .with_path(path("chain.pem"))
        .at(NOW)
        .build()
        .unwrap()
        .run();
    assert_eq!(print("svg", None), report.to_svg(Theme::Auto));
    for (columns, width) in [
        (None, 80),
        (Some("60"), 60),
        (Some("120"), 120),
        (Some("x"), 80),
    ] {
        assert_eq!(print("timeline", columns), report.to_timeline(width));
    }
}
