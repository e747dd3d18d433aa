//! Published pins and identifiers against what we compute from their certificates.

use notafter::pin::PinSourceError;
use notafter::{Loader, SpkiPin};
use serde_json::Value;

use crate::support::corpora;
use crate::support::pki;
use crate::support::tls::providers;

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
            assert_eq!(SpkiPin::from_certificate(certificate), published, "{file}");
            compared += 1;
        }
    }
    println!("{compared} published pins compared");
    assert!(compared >= 314);
}

#[test]
fn certificate_public_and_private_key_have_one_pin() {
    let leaf = pki::root("Root", -1, 1).leaf(&["a.example"], -1, 1);
    let certificate = leaf.certificate();
    let expected = SpkiPin::from_certificate(&certificate);
    let public = pki::pem("PUBLIC KEY", certificate.facts().spki_der());
    assert_eq!(SpkiPin::from_pem(public.as_bytes()), Ok(expected));
    let private = leaf.key_pair.serialize_pem();
    let both = private.clone() + &pki::pem_bundle([&leaf.der]);
    assert_eq!(SpkiPin::from_pem(both.as_bytes()), Ok(expected));
    for (_, provider) in providers() {
        let pin = SpkiPin::from_private_key_pem(private.as_bytes(), &provider);
        assert_eq!(pin, Ok(expected));
        let garbage = pki::pem("PRIVATE KEY", b"0123456789");
        let error = SpkiPin::from_private_key_pem(garbage.as_bytes(), &provider).unwrap_err();
        assert!(matches!(error, PinSourceError::Key { .. }), "{error}");
        let cut = &private[..private.len() / 2];
        let encrypted = private.replace("PRIVATE KEY", "ENCRYPTED PRIVATE KEY");
        let cases = [
            (
                cut,
                "the PEM text is damaged (its private key does not decode): write it again from its source",
            ),
            (
                encrypted.as_str(),
                "the private key cannot be used: it is encrypted, decrypt it first; \
                 use a key type that the crypto provider supports",
            ),
            (
                public.as_str(),
                "there is no certificate and no key in the PEM text: give the file of the certificate or key to be pinned",
            ),
        ];
        for (pem, expected) in cases {
            let error = SpkiPin::from_private_key_pem(pem.as_bytes(), &provider).unwrap_err();
            assert_eq!(error.to_string(), expected);
        }
    }
    assert_eq!(
        SpkiPin::from_pem(private.as_bytes()),
        Err(PinSourceError::NothingFound)
    );
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
