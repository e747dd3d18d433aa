//! Trust in pins alone.

use std::sync::Arc;

use notafter::pin::{ExpiryRule, FixedPins, PinError, PinMode, PinPosition, PinSets};
use notafter::verifier::{NameCheck, VerifierBuildError};
use notafter::{PinOnlyVerifier, PinSet, SpkiPin, pin_error};
use rcgen::{CertificateParams, KeyPair};
use rustls::client::danger::ServerCertVerifier as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{CertificateError, ClientConfig, Error, ServerConfig};

use super::{NAME, pinned};
use crate::support::pki::{self, NOW, days};
use crate::support::tls::{FixedTime, VERSIONS, handshake, providers, ring};

struct SelfSigned {
    der: CertificateDer<'static>,
    key: PrivateKeyDer<'static>,
    pin: SpkiPin,
}

fn self_signed() -> SelfSigned {
    let mut params = CertificateParams::new(vec![NAME.to_owned()]).unwrap();
    pki::validity(&mut params, -1, 90);
    let key = KeyPair::generate().unwrap();
    let der = params.self_signed(&key).unwrap().der().clone();
    let certificate = notafter::Certificate::from_der(&der).unwrap();
    SelfSigned {
        pin: SpkiPin::from_certificate(&certificate),
        key: PrivateKeyDer::Pkcs8(key.serialize_der().into()),
        der,
    }
}

#[test]
fn a_self_signed_server_is_trusted_by_its_pin_in_real_handshakes() {
    let (server, other) = (self_signed(), self_signed());
    for (label, provider) in providers() {
        for version in VERSIONS {
            for (pin, accepted) in [(server.pin, true), (other.pin, false)] {
                let pins = PinSet::builder().with_current(pin).build().unwrap();
                let verifier = PinOnlyVerifier::builder(pins.into());
                let verifier = verifier.with_provider(provider.clone()).build().unwrap();
                let clock = || Arc::new(FixedTime(pki::now()));
                let client = ClientConfig::builder_with_details(provider.clone(), clock())
                    .with_protocol_versions(&[version])
                    .unwrap()
                    .dangerous()
                    .with_custom_certificate_verifier(verifier)
                    .with_no_client_auth();
                let config = ServerConfig::builder_with_details(provider.clone(), clock())
                    .with_protocol_versions(&[version])
                    .unwrap()
                    .with_no_client_auth()
                    .with_single_cert(vec![server.der.clone()], server.key.clone_key())
                    .unwrap();
                let outcome = handshake(client, config, NAME);
                assert_eq!(outcome.client.is_ok(), accepted, "{label}");
                if let Err(error) = outcome.client {
                    assert!(matches!(pin_error(&error), Some(PinError::Mismatch { .. })));
                }
            }
        }
    }
}

#[test]
fn everything_else_is_still_checked() {
    let server = self_signed();
    let verify = |set: PinSet, names, name: &str, now: notafter::Timestamp| {
        let verifier = PinOnlyVerifier::builder(set.into())
            .with_provider(ring())
            .with_name_check(names)
            .build()
            .unwrap();
        let name = ServerName::try_from(name).unwrap();
        let now = now.to_unix_time().unwrap();
        verifier
            .verify_server_cert(&server.der, &[], &name, &[], now)
            .map(drop)
    };
    let set = || PinSet::builder().with_current(server.pin);
    let required = NameCheck::Required;
    let built = || set().build().unwrap();
    assert_eq!(verify(built(), required, NAME, NOW), Ok(()));
    assert_eq!(verify(built(), required, NAME, days(90)), Ok(()));
    let expired = verify(built(), required, NAME, days(90).saturating_add(1));
    let expected = CertificateError::ExpiredContext {
        time: days(90).saturating_add(1).to_unix_time().unwrap(),
        not_after: days(90).to_unix_time().unwrap(),
    };
    assert_eq!(expired, Err(Error::InvalidCertificate(expected)));
    let early = verify(built(), required, NAME, days(-2));
    assert!(early.is_err());
    let other = verify(built(), required, "other.example", NOW);
    let expected = Error::InvalidCertificate(CertificateError::NotValidForName);
    assert_eq!(other, Err(expected));
    assert_eq!(
        verify(built(), NameCheck::Skipped, "other.example", NOW),
        Ok(())
    );
    // No set for the name: nothing vouches for it.
    let scoped = set().with_scope(NAME.parse().unwrap()).build().unwrap();
    let elsewhere = verify(scoped, NameCheck::Skipped, "other.example", NOW);
    let error = elsewhere.unwrap_err();
    assert!(matches!(
        pin_error(&error),
        Some(PinError::NotPinned { .. })
    ));
    // Failing open would be trusting everybody.
    let open = set().with_expiry(days(1), ExpiryRule::FailOpenLoudly);
    let error = verify(open.build().unwrap(), required, NAME, days(2)).unwrap_err();
    assert!(matches!(
        pin_error(&error),
        Some(PinError::SetExpired { .. })
    ));
}

#[test]
fn what_cannot_vouch_for_anybody_is_not_built() {
    let server = self_signed();
    let reports = PinSet::builder().with_current(server.pin);
    let reports = reports.with_mode(PinMode::ReportOnly).build().unwrap();
    let of_a_ca = pinned(server.pin, PinPosition::Any);
    for (set, expected) in [
        (reports, VerifierBuildError::NothingButReports),
        (of_a_ca, VerifierBuildError::PinsNeedTrustAnchors),
    ] {
        let pins = Arc::new(FixedPins::new(PinSets::from(set)));
        let error = PinOnlyVerifier::builder(pins).with_provider(ring()).build();
        assert_eq!(error.err(), Some(expected));
    }
}
