#![no_main]
//! Is whoever has a SPIFFE ID a workload with exactly that URI, as x509-parser reads its leaf too?

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use notafter::identity::{PeerIdentity, SpiffeId, SpiffeIdentities};
use notafter::{Certificate, PinScope};
use notafter_fuzz::{assert_printable, element};
use x509_parser::extensions::{GeneralName, ParsedExtension};
use x509_parser::prelude::{FromDer as _, X509Certificate};

/// What stands before and behind the extensions of a certificate that nobody signed.
static FRAME: LazyLock<[Vec<u8>; 2]> = LazyLock::new(|| {
    let algorithm = element(0x30, &element(0x06, &[0x2b, 0x65, 0x70]));
    let time = element(0x17, b"260101000000Z");
    let head = [
        element(0xa0, &[2, 1, 2]),
        element(0x02, &[7]),
        algorithm.clone(),
        element(0x30, &[]),
        element(0x30, &[time.clone(), time].concat()),
        element(0x30, &[]),
        element(0x30, &[algorithm.clone(), element(0x03, &[0; 33])].concat()),
    ];
    [head.concat(), [algorithm, element(0x03, &[0; 65])].concat()]
});

fuzz_target!(|data: &[u8]| {
    let [head, tail] = &*FRAME;
    let extensions = element(0xa3, &element(0x30, data));
    let tbs = element(0x30, &[&head[..], &extensions].concat());
    let der = element(0x30, &[&tbs[..], tail].concat());
    let leaf = Certificate::from_der(der.clone()).expect("its frame is well-formed");
    let id = match SpiffeIdentities::id_of(&leaf) {
        Ok(id) => id,
        Err(error) => return assert_printable(&error.to_string()),
    };
    let text = id.to_string();
    assert!(!id.path().is_empty() && text.len() <= 2048);
    assert_eq!(text.parse::<SpiffeId>(), Ok(id.clone()));
    let identity = PeerIdentity::from(&id);
    assert_printable(identity.as_str());
    for scope in [PinScope::from(&id), PinScope::from(id.trust_domain())] {
        assert!(scope.covers_identity(&identity));
        assert_eq!(scope.to_string().parse(), Ok(scope));
    }
    let Ok((_, theirs)) = X509Certificate::from_der(&der) else {
        return;
    };
    for extension in theirs.extensions() {
        match extension.parsed_extension() {
            ParsedExtension::SubjectAlternativeName(names) => {
                let names = names.general_names.iter();
                for name in names {
                    if let GeneralName::URI(uri) = name {
                        assert_eq!(*uri, text);
                    }
                }
            }
            ParsedExtension::BasicConstraints(constraints) => assert!(!constraints.ca),
            ParsedExtension::KeyUsage(usage) => {
                assert!(!usage.key_cert_sign() && !usage.crl_sign());
            }
            _ => {}
        }
    }
});
