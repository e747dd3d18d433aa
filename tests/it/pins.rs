//! Published pins and identifiers against what we compute from their certificates.

use notafter::{Loader, SpkiPin};
use serde_json::Value;

use crate::support::corpora;

#[test]
fn published_pins_equal_ours() {
    let Some(folder) = corpora::folder("pins") else {
        return;
    };
    let pins: Value =
        serde_json::from_slice(&std::fs::read(folder.join("pins.json")).unwrap()).unwrap();
    let mut compared = 0;
    for pin in pins.as_array().unwrap() {
        let published: SpkiPin = format!("sha256/{}", pin["pin_sha256_base64"].as_str().unwrap())
            .parse()
            .unwrap();
        for file in pin["certs"].as_array().unwrap() {
            let contents = Loader::new().load_file(folder.join(file.as_str().unwrap()));
            let certificate = &contents.certificates[0].certificate;
            assert_eq!(SpkiPin::of_certificate(certificate), published, "{file}");
            compared += 1;
        }
    }
    println!("{compared} published pins compared");
    assert!(compared >= 314);
}

#[test]
fn the_ari_identifier_of_rfc_9773_equals_ours() {
    let contents = Loader::new().load_file(corpora::data("ari-rfc9773-example.pem"));
    let certificate = &contents.certificates[0].certificate;
    let expected = "aYhba4dGQEHhs3uEe6CuLN4ByNQ.AIdlQyE";
    assert_eq!(certificate.ari_cert_id().as_deref(), Some(expected));
    assert_eq!(certificate.not_before().to_string(), "0001-01-01T00:00:00Z");
    assert_eq!(certificate.serial_hex(), "0087654321");
}
