use notafter::pin::PinSets;
use notafter::pin::forms::android::{read, write};
use notafter::pin::{ExpiryRule, PinPosition, PinSetStanding};

use super::{ONE, TWO, assert_refused, data, ending, key, keys_for, of_hosts, scope, sets, time};

fn config(inner: &str) -> String {
    format!("<network-security-config>\n{inner}\n</network-security-config>")
}

fn pin_set(base64: &str) -> String {
    format!("<pin-set><pin digest=\"SHA-256\">{base64}</pin></pin-set>")
}

#[test]
fn the_example_of_androids_documentation_pins_its_domain_until_its_date_and_no_longer() {
    let pins = read(&data("android-documentation.xml")).unwrap();
    let set = pins.iter().next().unwrap();
    assert_eq!(set.scopes(), [scope("**.example.com")]);
    assert!(
        set.pins()
            .iter()
            .all(|pin| pin.position == PinPosition::Any)
    );
    let end = time("2018-01-01T00:00:00Z");
    assert_eq!(set.expiry(), Some((end, ExpiryRule::FailOpenLoudly)));
    assert_eq!(set.standing(end), PinSetStanding::InForce);
    assert_eq!(set.standing(end.saturating_add(1)), PinSetStanding::Open);
    for host in ["example.com", "www.example.com", "a.b.example.com"] {
        let expected = [
            "7HIpactkIAq2Y49orFOOQKurWxmmSFZhBCoQYcRhJ3Y=",
            "fwza0LRMXouZHRC8Ei+4PyuldPDcf3UKgO/04cDM1oE=",
        ];
        assert_eq!(keys_for(&pins, host).unwrap(), expected.map(key), "{host}");
    }
    assert_eq!(keys_for(&pins, "example.org"), None);
    assert_eq!(read(&write(&pins).unwrap()), Ok(pins));
}

#[test]
fn a_nested_config_inherits_the_pins_of_its_parent_unless_it_has_its_own() {
    let (one, two) = (pin_set(ONE), pin_set(TWO));
    // The pins of the parent stand behind its children.
    let xml = config(&format!(
        "<domain-config cleartextTrafficPermitted='false'>\
         <domain includeSubdomains='true'>Example.COM</domain>\
         <domain-config><domain>inherits.example.com</domain>\
           <domain-config><domain>too.example.org</domain></domain-config></domain-config>\
         <domain-config><domain>own.example.com</domain>{two}</domain-config>\
         <domain-config><domain includeSubdomains='true'>none.example.com</domain><pin-set/>\
           <domain-config><domain>below.none.example.com</domain></domain-config></domain-config>\
         {one}</domain-config>\
         <domain-config><domain>apart.example.com</domain></domain-config>\
         <domain-config><domain>10.0.2.2</domain>{one}</domain-config>\
         <debug-overrides><trust-anchors><certificates src='user' overridePins='true'/></trust-anchors>{two}\
         </debug-overrides>"
    ));
    let pins = read(&xml).unwrap();
    let cases = [
        ("example.com", Some(ONE)),
        ("www.example.com", Some(ONE)),
        ("inherits.example.com", Some(ONE)),
        ("too.example.org", Some(ONE)),
        ("own.example.com", Some(TWO)),
        // An exact domain without subdomains is of its own name alone.
        ("below.own.example.com", Some(ONE)),
        ("none.example.com", None),
        ("www.none.example.com", None),
        ("below.none.example.com", None),
        ("apart.example.com", None),
        ("10.0.2.2", Some(ONE)),
        ("example.org", None),
    ];
    for (host, expected) in cases {
        let expected = expected.map(|base64| vec![key(base64)]);
        assert_eq!(keys_for(&pins, host), expected, "{host}");
    }
    assert_eq!(read(&write(&pins).unwrap()), Ok(pins));
}

#[test]
fn sets_are_written_and_read_again() {
    let wide = of_hosts(&["**.example.com", "example.org"]);
    let dated = ending(
        &of_hosts(&["10.0.0.1", "a.example.net"]),
        "2027-12-31T00:00:00Z",
    );
    let pins = sets([wide, dated]);
    let pins = pins.with_unpinned([scope("cdn.example.com"), scope("**.b.example.com")]);
    let pins: PinSets = pins.unwrap();
    let xml = write(&pins).unwrap();
    assert_eq!(read(&xml), Ok(pins));
    assert!(xml.contains("<pin-set expiration=\"2027-12-31\">"), "{xml}");
}

#[test]
fn what_android_refuses_or_no_set_can_say_is_refused_where_it_stands() {
    let one = pin_set(ONE);
    let domain = "<domain>a.example</domain>";
    let cases = [
        (
            "",
            "these pins",
            "it pins no key of any host: there is nothing to go by",
        ),
        (
            "<domain-config>\n <domain>a.example</domain>\n</domain-config>",
            "these pins",
            "it pins no key of any host: there is nothing to go by",
        ),
        (
            &format!("<domain-config>{one}</domain-config>"),
            "2:1",
            "a domain is missing: add it",
        ),
        (
            &format!("<domain-config>{domain}{one}\n{one}</domain-config>"),
            "3:1",
            "'pin-set' stands twice, so that nobody can say which one counts: keep one",
        ),
        (
            &format!(
                "<domain-config>{domain}{one}</domain-config>\n<domain-config><domain includeSubdomains='true'>A.example</domain></domain-config>"
            ),
            "3:16",
            "'A.example' stands twice, so that nobody can say which one counts: keep one",
        ),
        (
            "<base-config>\n<pin-set/></base-config>",
            "3:1",
            "'pin-set' stands where an element of a base-config is expected",
        ),
        (
            "<base-config/>\n<base-config/>",
            "3:1",
            "'base-config' stands twice, so that nobody can say which one counts: keep one",
        ),
        (
            &format!(
                "<domain-config>{domain}{one}<trust-anchors>\n<certificates src='user' overridePins='true'/></trust-anchors></domain-config>"
            ),
            "3:1",
            "overridePins lets chains of these anchors past the pins, which a pin set cannot say: take it out, \
             or leave its hosts unpinned",
        ),
        (
            &format!(
                "<domain-config>{domain}<pin-set>\n<pin digest='SHA-1'>{ONE}</pin></pin-set></domain-config>"
            ),
            "3:1",
            "a digest by 'SHA-1' is no pin, only SHA-256 is: compute the pin again from the key",
        ),
        (
            &format!(
                "<domain-config>{domain}<pin-set>\n<pin>{ONE}</pin></pin-set></domain-config>"
            ),
            "3:1",
            "the attribute digest=\"SHA-256\" is missing: add it",
        ),
        (
            &format!(
                "<domain-config>{domain}<pin-set>\n<pin digest='SHA-256'>AAAA</pin></pin-set></domain-config>"
            ),
            "3:1",
            "it is not the base64 of a SHA-256 digest: copy the pin again, all 44 characters of it",
        ),
        (
            &format!(
                "<domain-config>{domain}<pin-set>\n<pin digest='SHA-256'/></pin-set></domain-config>"
            ),
            "3:1",
            "the base64 of a digest is missing: add it",
        ),
        (
            &format!("<domain-config>{domain}\n<pin-set expiration='2027-02-30'/></domain-config>"),
            "3:1",
            "'2027-02-30' stands where a day like 2027-12-31 is expected",
        ),
        (
            "<domain-config>\n<domain includeSubdomains='yes'>a.example</domain></domain-config>",
            "3:1",
            "'yes' stands where true or false is expected",
        ),
        (
            "<domain-config>\n<domain>*.a.example</domain></domain-config>",
            "3:1",
            "'*.a.example' stands where the name of a host is expected",
        ),
        (
            "<domain-config>\n<domain>a.example<b/></domain></domain-config>",
            "3:18",
            "'b' stands where the name of a host is expected",
        ),
    ];
    for (inner, place, sentence) in cases {
        assert_refused(inner, read(&config(inner)), place, sentence);
    }
    let cases = [
        (
            "<trustkit/>",
            "1:1",
            "'trustkit' stands where network-security-config is expected",
        ),
        (
            "<a>",
            "1:1",
            "it is not well-formed (the root node was opened but never closed): write it again from its source",
        ),
        (
            "<!DOCTYPE a [\n<!ENTITY b 'c'>]><a>&b;</a>",
            "2:1",
            "it declares entities, which are not expanded: write their text where they stand",
        ),
        (
            "<!DOCTYPE a SYSTEM 'file:///etc/passwd'><a/>",
            "1:1",
            "it is not well-formed (XML with DTD detected): write it again from its source",
        ),
    ];
    for (xml, place, sentence) in cases {
        assert_refused(xml, read(xml), place, sentence);
    }
}
