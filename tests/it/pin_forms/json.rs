use notafter::PinSet;
use notafter::pin::forms::{public_key_pinning, ssl_manager};
use notafter::pin::{ExpiryRule, PinMode, PinSetStanding};

use super::{
    ONE, TWO, anywhere, assert_refused, data, ending, keys_for, of_hosts, scope, sets, time,
};

#[test]
fn a_configuration_of_react_native_ssl_manager_is_good_through_its_last_day() {
    let pins = ssl_manager::read(&data("ssl-manager-tests.json")).unwrap();
    let set = pins.iter().next().unwrap();
    assert_eq!(set.scopes(), [scope("api.example.com")]);
    assert_eq!(set.mode(), PinMode::ReportOnly);
    let end = time("2027-06-30T23:59:59Z");
    assert_eq!(set.expiry(), Some((end, ExpiryRule::FailOpenLoudly)));
    assert_eq!(set.standing(end.saturating_add(1)), PinSetStanding::Open);
    assert_eq!(
        ssl_manager::read(&ssl_manager::write(&pins).unwrap()),
        Ok(pins)
    );
    // Subdomains are meant unless it says otherwise, and older files name environments.
    let json = format!(
        r#"{{"domains": {{"production": "a.example"}}, "sha256Keys": {{"a.example": ["sha256/{ONE}"]}}}}"#
    );
    let pins = ssl_manager::read(&json).unwrap();
    assert!(keys_for(&pins, "b.a.example").is_some());
    assert_eq!(pins.iter().next().unwrap().mode(), PinMode::Enforce);
}

#[test]
fn the_readme_of_react_native_ssl_public_key_pinning_pins_google() {
    let pins = public_key_pinning::read(&data("public-key-pinning-readme.json")).unwrap();
    let set = pins.iter().next().unwrap();
    assert_eq!(set.scopes(), [scope("**.google.com")]);
    assert_eq!((set.pins().len(), set.expiry()), (5, None));
    assert_eq!(
        public_key_pinning::read(&public_key_pinning::write(&pins).unwrap()),
        Ok(pins)
    );
}

#[test]
fn sets_are_written_and_read_again() {
    let wide = of_hosts(&["**.example.com", "example.org"]);
    let midnight = ending(&of_hosts(&["a.example"]), "2027-12-31T00:00:00Z");
    let pins = sets([midnight, wide.clone()]);
    assert_eq!(
        public_key_pinning::read(&public_key_pinning::write(&pins).unwrap()),
        Ok(pins)
    );
    let last = ending(&of_hosts(&["a.example"]), "2027-12-31T23:59:59Z");
    let told = PinSet::builder()
        .with_pin(anywhere(ONE))
        .with_mode(PinMode::ReportOnly);
    let told = told.with_scope(scope("b.example")).build().unwrap();
    let pins = sets([last, told, wide]);
    assert_eq!(
        ssl_manager::read(&ssl_manager::write(&pins).unwrap()),
        Ok(pins)
    );
}

#[test]
fn what_is_wrong_with_a_value_is_told_with_its_path() {
    let keys = format!(r#""sha256Keys": {{"a.example": ["sha256/{ONE}"]}}"#);
    let domains = |options: &str| format!(r#"{{{keys}, "domains": {{"a.example": {options}}}}}"#);
    let cases = [
        (
            "[]".to_owned(),
            "these pins",
            "'a list' stands where an object is expected",
        ),
        (
            "{}".to_owned(),
            "these pins",
            "sha256Keys is missing: add it",
        ),
        (
            r#"{"sha256Keys": {}}"#.to_owned(),
            "these pins",
            "it pins no key of any host: there is nothing to go by",
        ),
        (
            r#"{"sha256Keys": {"a.example": []}}"#.to_owned(),
            "sha256Keys.a.example",
            "this form asks for 1 distinct pins, and it has 0: add the pin of a key kept offline",
        ),
        (
            format!(r#"{{"sha256Keys": {{"a.example": ["sha256/{ONE}", "nonsense"]}}}}"#),
            "sha256Keys.a.example[1]",
            "'nonsense' stands where sha256/ and base64 is expected",
        ),
        (
            format!(r#"{{"sha256Keys": {{"https://a.example": ["sha256/{ONE}"]}}}}"#),
            "sha256Keys.https://a.example",
            "'https://a.example' stands where the name of a host is expected",
        ),
        (
            domains(r#"{"expirationDate": "30-06-2027"}"#),
            "domains.a.example.expirationDate",
            "'30-06-2027' stands where a day like 2027-12-31 is expected",
        ),
        (
            domains(r#"{"enforcePinning": "no"}"#),
            "domains.a.example.enforcePinning",
            "'a text' stands where true or false is expected",
        ),
        (
            format!(r#"{{{keys}, "domains": {{"b.example": {{}}}}}}"#),
            "domains.b.example",
            "its entry in sha256Keys is missing: add it",
        ),
        (
            format!(
                "{{\n\"sha256Keys\": {{\"a.example\": [\"sha256/{ONE}\"],\n\"a.example\": []}}}}"
            ),
            "3:11",
            "it is not well-formed (the key \\\"a.example\\\" stands twice at line 3 column 11): write it again from its source",
        ),
    ];
    for (json, place, sentence) in cases {
        assert_refused(&json, ssl_manager::read(&json), place, sentence);
    }
    let cases = [
        (
            r#"{"a.example": {}}"#.to_owned(),
            "a.example",
            "publicKeyHashes is missing: add it",
        ),
        (
            format!(r#"{{"a.example": {{"publicKeyHashes": ["{ONE}", "{ONE}"]}}}}"#),
            "a.example.publicKeyHashes",
            "this form asks for 2 distinct pins, and it has 1: add the pin of a key kept offline",
        ),
        (
            format!(r#"{{"a.example": {{"publicKeyHashes": ["{ONE}", 1]}}}}"#),
            "a.example.publicKeyHashes[1]",
            "'a number' stands where a text is expected",
        ),
        (
            format!(
                r#"{{"a.example": {{"publicKeyHashes": ["{ONE}", "{TWO}"], "expirationDate": "2027-06-31"}}}}"#
            ),
            "a.example.expirationDate",
            "'2027-06-31' stands where a day like 2027-12-31 is expected",
        ),
    ];
    for (json, place, sentence) in cases {
        assert_refused(&json, public_key_pinning::read(&json), place, sentence);
    }
}
