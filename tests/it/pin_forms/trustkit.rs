use notafter::PinSet;
use notafter::pin::forms::trustkit::{read, write};
use notafter::pin::{ExpiryRule, PinMode, PinSetStanding};

use super::{
    ONE, TWO, anywhere, assert_refused, data, ending, keys_for, of_hosts, scope, sets, time,
};

fn plist(domains: &str) -> String {
    format!(
        "<plist version=\"1.0\"><dict><key>TSKPinnedDomains</key><dict>\n{domains}\n</dict></dict></plist>"
    )
}

fn hashes(pins: &[&str]) -> String {
    let pins: String = pins
        .iter()
        .map(|pin| format!("<string>{pin}</string>"))
        .collect();
    format!("<key>TSKPublicKeyHashes</key><array>{pins}</array>")
}

#[test]
fn the_pins_of_trustkits_tests_end_with_their_day_and_leave_the_excluded_host_out() {
    let pins = read(&data("trustkit-tests.plist")).unwrap();
    let set = pins.iter().next().unwrap();
    assert_eq!(set.scopes(), [scope("**.good.com")]);
    assert_eq!(set.mode(), PinMode::Enforce);
    let end = time("2015-01-01T00:00:00Z");
    assert_eq!(set.expiry(), Some((end, ExpiryRule::FailOpenLoudly)));
    assert_eq!(set.standing(end), PinSetStanding::InForce);
    assert_eq!(set.standing(end.saturating_add(1)), PinSetStanding::Open);
    assert!(keys_for(&pins, "www.good.com").is_some());
    assert_eq!(keys_for(&pins, "unsecured.good.com"), None);
    // The exclusion is of that host alone.
    assert!(keys_for(&pins, "below.unsecured.good.com").is_some());
    assert_eq!(read(&write(&pins).unwrap()), Ok(pins));
}

#[test]
fn sets_are_written_and_read_again() {
    let wide = of_hosts(&["**.example.com", "example.org"]);
    let dated = ending(&of_hosts(&["a.example.net"]), "2027-12-31T00:00:00Z");
    let told = PinSet::builder()
        .with_pin(anywhere(ONE))
        .with_mode(PinMode::ReportOnly);
    let told = told.with_scope(scope("b.example.net")).build().unwrap();
    let pins = sets([dated, told, wide]).with_unpinned([scope("cdn.example.com")]);
    let pins = pins.unwrap();
    let read = read(&write(&pins).unwrap()).unwrap();
    assert_eq!(read, pins);
}

#[test]
fn what_trustkit_refuses_is_refused_where_it_stands() {
    let two = hashes(&[ONE, TWO]);
    let cases = [
        (
            format!("<key>a.example</key>\n<dict>{}</dict>", hashes(&[ONE, ONE])),
            "3:36",
            "this form asks for 2 distinct pins, and it has 1: add the pin of a key kept offline",
        ),
        (
            "<key>a.example</key>\n<dict></dict>".to_owned(),
            "3:1",
            "TSKPublicKeyHashes is missing: add it",
        ),
        (
            format!("<key>a.example</key>\n<dict>{two}</dict><key>a.example</key><dict/>"),
            "3:180",
            "'a.example' stands twice, so that nobody can say which one counts: keep one",
        ),
        (
            format!(
                "<key>a.example</key><dict>{two}</dict>\n<key>b.a.example</key><dict><key>TSKExcludeSubdomainFromParentPolicy</key><true/></dict>"
            ),
            "3:23",
            "no policy of a domain above it includes it, so there is nothing to exclude it from: take it out",
        ),
        (
            format!(
                "<key>a.example</key><dict><key>TSKExcludeSubdomainFromParentPolicy</key><true/>\n{two}</dict>"
            ),
            "3:30",
            "'another key' stands where TSKExcludeSubdomainFromParentPolicy, and nothing else is expected",
        ),
        (
            format!(
                "<key>a.example</key><dict><key>TSKExpirationDate</key>\n<date>2027-01-01T00:00:00Z</date>{two}</dict>"
            ),
            "3:1",
            "'date' stands where a string with a day like 2027-12-31 is expected",
        ),
        (
            format!(
                "<key>a.example</key><dict><key>TSKEnforcePinning</key>\n<string>NO</string>{two}</dict>"
            ),
            "3:1",
            "'string' stands where true or false is expected",
        ),
        (
            format!("<key>spiffe://a/b</key>\n<dict>{two}</dict>"),
            "3:1",
            "'spiffe://a/b' stands where the name of a host is expected",
        ),
        (
            String::new(),
            "these pins",
            "it pins no key of any host: there is nothing to go by",
        ),
    ];
    for (domains, place, sentence) in cases {
        assert_refused(&domains, read(&plist(&domains)), place, sentence);
    }
    let cases = [
        (
            "<plist><dict/></plist>",
            "1:8",
            "TSKPinnedDomains, within TSKConfiguration, is missing: add it",
        ),
        (
            "<dict/>",
            "1:1",
            "'dict' stands where a plist with a dict is expected",
        ),
        (
            "bplist00",
            "these pins",
            "it is a binary property list: convert it by 'plutil -convert xml1'",
        ),
        (
            "<!DOCTYPE plist [<!ENTITY a 'b'>]><plist/>",
            "1:18",
            "it declares entities, which are not expanded: write their text where they stand",
        ),
        (
            "<plist><dict><key>a</key></dict></plist>",
            "1:14",
            "the value of this key is missing: add it",
        ),
    ];
    for (plist, place, sentence) in cases {
        assert_refused(plist, read(plist), place, sentence);
    }
}
