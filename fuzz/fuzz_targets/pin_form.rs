#![no_main]
//! Does every pin that is read come back from every form, and does a scope cover what it should?

use libfuzzer_sys::fuzz_target;
use notafter::pin::PinForm;
use notafter::{PinScope, SpkiPin};
use notafter_fuzz::assert_printable;
use rustls::pki_types::ServerName;

const FORMS: [PinForm; 7] = [
    PinForm::OkHttp,
    PinForm::Curl,
    PinForm::Hpkp,
    PinForm::Base64,
    PinForm::Hex,
    PinForm::TlsaLeaf,
    PinForm::TlsaCa,
];

fuzz_target!(|data: &[u8]| {
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    let (first, second) = text.split_once('\n').unwrap_or((text, text));
    match SpkiPin::parse_list(text) {
        Err(error) => assert_printable(&error.to_string()),
        Ok(pins) => {
            for pin in &pins {
                // One digest in four million millions begins, in base64, as another form does. It is
                // then refused rather than guessed.
                let base64 = pin.to_form(PinForm::Base64);
                let is_ambiguous = base64.starts_with("sha256/");
                for form in FORMS {
                    if is_ambiguous && form == PinForm::Base64 {
                        assert!(base64.parse::<SpkiPin>().is_err());
                        continue;
                    }
                    assert_eq!(pin.to_form(form).parse(), Ok(*pin));
                }
            }
            let all: Vec<_> = pins.iter().map(|pin| pin.to_form(PinForm::Curl)).collect();
            assert_eq!(SpkiPin::parse_list(&all.join(";")), Ok(pins));
        }
    }
    let name = ServerName::try_from(second);
    match first.parse::<PinScope>() {
        Err(error) => {
            assert_printable(&error.to_string());
            assert!(name.is_err() || first != second, "a name is a scope");
        }
        Ok(scope) => {
            assert_eq!(scope.to_string().parse(), Ok(scope.clone()));
            if let Ok(name) = name {
                assert_eq!(
                    scope.covers(&name),
                    covers(first, &name),
                    "{first:?} {name:?}"
                );
            }
        }
    }
});

/// The same question, asked of labels instead of text.
fn covers(scope: &str, name: &ServerName<'_>) -> bool {
    if let Ok(ip) = scope.parse::<std::net::IpAddr>() {
        return *name == ServerName::from(ip);
    }
    let ServerName::DnsName(name) = name else {
        return false;
    };
    let labels = |text: &str| -> Vec<String> {
        let text = text.strip_suffix('.').unwrap_or(text);
        text.split('.').rev().map(str::to_ascii_lowercase).collect()
    };
    let (scope, name) = (labels(scope), labels(name.as_ref()));
    match scope.split_last() {
        Some((star, domain)) if star == "**" => name.starts_with(domain),
        Some((star, domain)) if star == "*" => {
            name.starts_with(domain) && name.len() == scope.len()
        }
        _ => name == scope,
    }
}
