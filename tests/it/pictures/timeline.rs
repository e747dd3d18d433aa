//! The picture in letters.

use std::collections::BTreeSet;

use notafter::Band;

use super::reports::{all, check, fleet};
use crate::support::{ocsp, pki};

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
