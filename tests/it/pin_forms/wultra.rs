use notafter::pin::forms::wultra::{read, write};
use notafter::pin::{ExpiryRule, PinPosition, PinSetStanding};
use notafter::{PinSet, SpkiPin};

use super::{ONE, assert_refused, data, key, scope, sets, time};
use crate::support::pki;

#[test]
fn fingerprints_of_certificates_pin_the_keys_of_those_that_are_given() {
    let root = pki::root("Root", -1, 100);
    let [leaf, renewed, stranger] = [["a.example"], ["a.example"], ["b.example"]]
        .map(|name| root.leaf(&name, -1, 90).certificate());
    let json = format!(
        r#"{{"fingerprints": [
            {{"name": "a.example", "fingerprint": "{}", "expires": 1830000000, "signature": "MEQ="}},
            {{"name": "a.example", "fingerprint": "{}", "expires": 1830000000}}], "timestamp": 1800000000}}"#,
        leaf.fingerprint().to_base64(),
        renewed.fingerprint().to_base64(),
    );
    let certificates = [stranger.clone(), renewed.clone(), leaf.clone()];
    let pins = read(&json, &certificates).unwrap();
    let set = pins.iter().next().unwrap();
    let keys: Vec<_> = set.pins().iter().map(|pin| pin.key).collect();
    assert_eq!(keys, [&leaf, &renewed].map(SpkiPin::from_certificate));
    assert!(
        set.pins()
            .iter()
            .all(|pin| pin.position == PinPosition::Leaf)
    );
    assert_eq!(set.scopes(), [scope("a.example")]);
    let end = time("1830000000");
    assert_eq!(set.expiry(), Some((end, ExpiryRule::FailClosed)));
    assert_eq!(set.standing(end.saturating_add(1)), PinSetStanding::Closed);
    assert_eq!(
        read(&write(&pins, &certificates).unwrap(), &certificates),
        Ok(pins)
    );
}

#[test]
fn what_is_wrong_with_a_fingerprint_is_told_with_its_path() {
    let leaf = pki::root("Root", -1, 100)
        .leaf(&["a.example"], -1, 90)
        .certificate();
    let base64 = leaf.fingerprint().to_base64();
    let entry = |name: &str, expires: &str| {
        format!(r#"{{"name": "{name}", "fingerprint": "{base64}", "expires": {expires}}}"#)
    };
    let list = |entries: &[String]| format!(r#"{{"fingerprints": [{}]}}"#, entries.join(", "));
    let cases = [
        (
            "{}".to_owned(),
            "these pins",
            "fingerprints is missing: add it",
        ),
        (
            list(&[]),
            "these pins",
            "it pins no key of any host: there is nothing to go by",
        ),
        (
            list(&["{}".to_owned()]),
            "fingerprints[0]",
            "name is missing: add it",
        ),
        (
            list(&[entry("a.example", "1"), entry("a.example", "2")]),
            "fingerprints[1].expires",
            "it ends at another instant than another one of the same name, and a pin set has one end: read them one by \
             one, or take out the one that ends first",
        ),
        (
            list(&[entry("spiffe://a/b", "1")]),
            "fingerprints[0].name",
            "'spiffe://a/b' stands where the name of a host is expected",
        ),
        (
            list(&[entry("a.example", "\\\"1\\\"").replace("\\\"", "\"")]),
            "fingerprints[0].expires",
            "'a text' stands where a whole number is expected",
        ),
        (
            list(&[r#"{"name": "a.example", "fingerprint": "AAAA", "expires": 1}"#.to_owned()]),
            "fingerprints[0].fingerprint",
            "the pin's digest has 3 bytes, SHA-256 has 32: copy the pin again",
        ),
    ];
    for (json, place, sentence) in cases {
        assert_refused(
            &json,
            read(&json, std::slice::from_ref(&leaf)),
            place,
            sentence,
        );
    }
    // Nobody's certificate tells the key of the example.
    let error = read(&data("wultra-readme.json"), std::slice::from_ref(&leaf)).unwrap_err();
    let expected = "fingerprints[0].fingerprint: \
        3111500c4a66012cdae333ec3fca1c9dde45c954440e7ee413716bff3663c074 is the fingerprint of a whole certificate, and \
        none of those given: give the certificate, so that its key can be pinned";
    assert_eq!(error.to_string(), expected);
    let set = PinSet::builder()
        .with_current(key(ONE))
        .with_scope(scope("a.example"));
    let set = set
        .with_expiry(time("1830000000"), ExpiryRule::FailClosed)
        .build()
        .unwrap();
    let error = write(&sets([set]), &[leaf]).unwrap_err();
    let expected = format!(
        "a list of fingerprints of Wultra cannot say all of pin set 0: none of the certificates given has the key \
         sha256/{ONE}, and it names certificates: give one that has it"
    );
    assert_eq!(error.to_string(), expected);
}
