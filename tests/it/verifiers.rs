//! The wrappers against a recording inner verifier: everything is forwarded, nothing is weakened.

use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex};

use notafter::pin::PinError;
use notafter::verifier::UnguardedSessions;
use notafter::verifier::VerifierBuildError;
use notafter::{
    Event, EventCode, SpkiPin, TrustAnchors, WatchingClientVerifier, WatchingServerVerifier,
    pin_error,
};
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::{
    CertificateError, ClientConfig, ClientConnection, DigitallySignedStruct, DistinguishedName,
    Error, ServerConfig, ServerConnection, SignatureScheme,
};

use crate::support::pki::{self, NOW, days};
use crate::support::proof::meet_server;
use crate::support::tls::{MINUTE, Recorder, ring};

/// Answers as it is told, and writes down what it was asked.
#[derive(Debug)]
struct Inner {
    verdict: Result<(), Error>,
    raw: bool,
    offer: bool,
    mandatory: bool,
    hints: Vec<DistinguishedName>,
    calls: Mutex<Vec<String>>,
}

impl Inner {
    fn new(verdict: Result<(), Error>) -> Arc<Self> {
        Arc::new(Self {
            verdict,
            raw: false,
            offer: true,
            mandatory: false,
            hints: vec![DistinguishedName::in_sequence(b"hint")],
            calls: Mutex::default(),
        })
    }

    fn note(&self, call: impl Into<String>) {
        self.calls.lock().unwrap().push(call.into());
    }

    fn calls(&self) -> Vec<String> {
        std::mem::take(&mut self.calls.lock().unwrap())
    }

    fn signature(&self, what: &str, message: &[u8]) -> Result<HandshakeSignatureValid, Error> {
        self.note(format!("{what} {message:?}"));
        match message {
            b"good" => Ok(HandshakeSignatureValid::assertion()),
            _ => Err(Error::General("bad signature".to_owned())),
        }
    }
}

impl ServerCertVerifier for Inner {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        self.note(format!(
            "verify {} {} {} {ocsp_response:?} {}",
            end_entity.len(),
            intermediates.len(),
            server_name.to_str(),
            now.as_secs()
        ));
        self.verdict
            .clone()
            .map(|()| ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.signature("tls12", message)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.signature("tls13", message)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        vec![SignatureScheme::ED448]
    }

    fn requires_raw_public_keys(&self) -> bool {
        self.raw
    }

    fn root_hint_subjects(&self) -> Option<&[DistinguishedName]> {
        Some(&self.hints)
    }
}

impl ClientCertVerifier for Inner {
    fn offer_client_auth(&self) -> bool {
        self.offer
    }

    fn client_auth_mandatory(&self) -> bool {
        self.mandatory
    }

    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &self.hints
    }

    fn verify_client_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        self.note(format!(
            "verify {} {} {}",
            end_entity.len(),
            intermediates.len(),
            now.as_secs()
        ));
        self.verdict
            .clone()
            .map(|()| ClientCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.signature("tls12", message)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.signature("tls13", message)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        vec![SignatureScheme::ED448]
    }

    fn requires_raw_public_keys(&self) -> bool {
        self.raw
    }
}

/// rustls builds the signature's struct only from the wire.
fn captured_signature() -> DigitallySignedStruct {
    #[derive(Debug)]
    struct Capture(Mutex<Option<DigitallySignedStruct>>);
    impl ServerCertVerifier for Capture {
        fn verify_server_cert(
            &self,
            _: &CertificateDer<'_>,
            _: &[CertificateDer<'_>],
            _: &ServerName<'_>,
            _: &[u8],
            _: UnixTime,
        ) -> Result<ServerCertVerified, Error> {
            Ok(ServerCertVerified::assertion())
        }
        fn verify_tls12_signature(
            &self,
            _: &[u8],
            _: &CertificateDer<'_>,
            _: &DigitallySignedStruct,
        ) -> Result<HandshakeSignatureValid, Error> {
            unreachable!("TLS 1.3 only")
        }
        fn verify_tls13_signature(
            &self,
            _: &[u8],
            _: &CertificateDer<'_>,
            dss: &DigitallySignedStruct,
        ) -> Result<HandshakeSignatureValid, Error> {
            *self.0.lock().unwrap() = Some(dss.clone());
            Ok(HandshakeSignatureValid::assertion())
        }
        fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
            ring().signature_verification_algorithms.supported_schemes()
        }
    }
    let leaf = pki::root("Root", -1, 1).leaf(&["a.example"], -1, 1);
    let capture = Arc::new(Capture(Mutex::default()));
    let client = ClientConfig::builder_with_provider(ring())
        .with_protocol_versions(&[&rustls::version::TLS13])
        .unwrap()
        .dangerous()
        .with_custom_certificate_verifier(capture.clone())
        .with_no_client_auth();
    let server = ServerConfig::builder_with_provider(ring())
        .with_protocol_versions(&[&rustls::version::TLS13])
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![leaf.der.clone()], leaf.key.clone_key())
        .unwrap();
    let name = ServerName::try_from("a.example").unwrap();
    let mut client = ClientConnection::new(Arc::new(client), name).unwrap();
    let mut server = ServerConnection::new(Arc::new(server)).unwrap();
    for _ in 0..4 {
        let (mut to_server, mut to_client) = (Vec::new(), Vec::new());
        client.write_tls(&mut to_server).unwrap();
        server.read_tls(&mut to_server.as_slice()).unwrap();
        server.process_new_packets().unwrap();
        server.write_tls(&mut to_client).unwrap();
        client.read_tls(&mut to_client.as_slice()).unwrap();
        client.process_new_packets().unwrap();
    }
    capture
        .0
        .lock()
        .unwrap()
        .take()
        .expect("the handshake has a signature")
}

fn name() -> ServerName<'static> {
    ServerName::try_from("a.example").unwrap()
}

#[test]
fn the_server_wrapper_forwards_every_method() {
    let inner = Inner::new(Ok(()));
    let wrapper = WatchingServerVerifier::builder(inner.clone())
        .with_trust_age(MINUTE)
        .build()
        .unwrap();
    let leaf = pki::root("Root", -1, 1000).leaf(&["a.example"], -1, 90);
    let dss = captured_signature();
    let verdict = wrapper.verify_server_cert(
        &leaf.der,
        std::slice::from_ref(&leaf.der),
        &name(),
        b"ocsp",
        pki::now(),
    );
    assert!(verdict.is_ok());
    assert!(
        wrapper
            .verify_tls12_signature(b"good", &leaf.der, &dss)
            .is_ok()
    );
    assert!(
        wrapper
            .verify_tls12_signature(b"bad", &leaf.der, &dss)
            .is_err()
    );
    assert!(
        wrapper
            .verify_tls13_signature(b"good", &leaf.der, &dss)
            .is_ok()
    );
    assert!(
        wrapper
            .verify_tls13_signature(b"bad", &leaf.der, &dss)
            .is_err()
    );
    let expected = [
        format!(
            "verify {} 1 a.example [111, 99, 115, 112] {}",
            leaf.der.len(),
            NOW.as_unix_seconds()
        ),
        "tls12 [103, 111, 111, 100]".to_owned(),
        "tls12 [98, 97, 100]".to_owned(),
        "tls13 [103, 111, 111, 100]".to_owned(),
        "tls13 [98, 97, 100]".to_owned(),
    ];
    assert_eq!(inner.calls(), expected);
    assert_eq!(wrapper.supported_verify_schemes(), [SignatureScheme::ED448]);
    let hints = wrapper.root_hint_subjects().unwrap();
    assert_eq!(hints.as_ptr(), inner.hints.as_ptr());
    assert!(!wrapper.requires_raw_public_keys());
}

#[test]
fn the_client_wrapper_forwards_every_method() {
    let leaf = pki::root("Root", -1, 1000).leaf(&["a.example"], -1, 90);
    let dss = captured_signature();
    for (offer, mandatory, raw) in [
        (true, false, false),
        (false, true, false),
        (true, true, true),
    ] {
        let mut inner = Inner::new(Ok(()));
        let settings = Arc::get_mut(&mut inner).unwrap();
        (settings.offer, settings.mandatory, settings.raw) = (offer, mandatory, raw);
        let wrapper = WatchingClientVerifier::builder(inner.clone())
            .with_trust_age(MINUTE)
            .build()
            .unwrap();
        assert_eq!(wrapper.offer_client_auth(), offer);
        assert_eq!(wrapper.client_auth_mandatory(), mandatory);
        assert_eq!(wrapper.requires_raw_public_keys(), raw);
        assert_eq!(wrapper.root_hint_subjects().as_ptr(), inner.hints.as_ptr());
        assert_eq!(wrapper.supported_verify_schemes(), [SignatureScheme::ED448]);
        assert!(
            wrapper
                .verify_client_cert(&leaf.der, &[], pki::now())
                .is_ok()
        );
        assert!(
            wrapper
                .verify_tls12_signature(b"bad", &leaf.der, &dss)
                .is_err()
        );
        assert!(
            wrapper
                .verify_tls13_signature(b"good", &leaf.der, &dss)
                .is_ok()
        );
        assert_eq!(inner.calls().len(), 3);
    }
}

#[test]
fn an_inner_refusal_stands_whatever_the_pins_say() {
    let root = pki::root("Root", -1000, 1000);
    let leaf = root.leaf(&["a.example"], -100, -10);
    let pin = SpkiPin::from_certificate(&leaf.certificate());
    let refusals = [
        Error::InvalidCertificate(CertificateError::Expired),
        Error::InvalidCertificate(CertificateError::NotValidYet),
        Error::InvalidCertificate(CertificateError::Revoked),
        Error::InvalidCertificate(CertificateError::UnknownIssuer),
        Error::General("anything".to_owned()),
    ];
    for refusal in refusals {
        let recorder = Arc::new(Recorder::default());
        let wrapper = WatchingServerVerifier::builder(Inner::new(Err(refusal.clone())))
            .with_trust_age(MINUTE)
            .with_leaf_pin(pin)
            .with_provider(ring())
            .with_trust_anchors(pki::anchors([&root]))
            .with_observer(recorder.clone())
            .build()
            .unwrap();
        let verdict = wrapper.verify_server_cert(&leaf.der, &[], &name(), &[], pki::now());
        assert_eq!(verdict.map(|_| ()), Err(refusal.clone()));
        // The twin without context: our own facts say which certificate it was.
        let codes: Vec<_> = recorder.take().iter().map(|e| e.code).collect();
        let expired = refusal == Error::InvalidCertificate(CertificateError::Expired);
        assert_eq!(
            codes,
            if expired {
                vec![EventCode::PeerExpired]
            } else {
                vec![]
            },
            "{refusal}"
        );

        let client = WatchingClientVerifier::builder(Inner::new(Err(refusal.clone())))
            .with_trust_age(MINUTE);
        let client = client.with_leaf_pin(pin).build().unwrap();
        let verdict = client.verify_client_cert(&leaf.der, &[], pki::now());
        assert_eq!(verdict.map(|_| ()), Err(refusal));
    }
}

#[test]
fn raw_public_keys_are_pinned_by_what_they_are() {
    let leaf = pki::root("Root", -1, 1).leaf(&["a.example"], -1, 1);
    let certificate = leaf.certificate();
    let spki = CertificateDer::from(certificate.facts().spki_der().to_vec());
    let right = SpkiPin::from_certificate(&certificate);
    let wrong = SpkiPin::from_spki_der(b"another");
    for (pin, accepted) in [(right, true), (wrong, false)] {
        let mut inner = Inner::new(Ok(()));
        Arc::get_mut(&mut inner).unwrap().raw = true;
        let recorder = Arc::new(Recorder::default());
        let builder = WatchingServerVerifier::builder(inner).with_observer(recorder.clone());
        let builder = builder.with_unguarded_sessions(UnguardedSessions::Accept);
        let wrapper = builder.with_leaf_pin(pin).build().unwrap();
        assert!(wrapper.requires_raw_public_keys());
        let verdict = meet_server(&*wrapper, (&spki, &[]), &name(), &[], pki::now());
        assert_eq!(verdict.is_ok(), accepted);
        let codes: Vec<_> = recorder.take().iter().map(|e| e.code).collect();
        assert_eq!(
            codes,
            if accepted {
                vec![]
            } else {
                vec![EventCode::PinMismatch]
            }
        );
    }
}

#[test]
fn a_leaf_that_cannot_be_read_never_matches_a_pin() {
    let garbage = CertificateDer::from(vec![0x30, 0x03, 0x02, 0x01, 0x01]);
    let recorder = Arc::new(Recorder::default());
    let unpinned =
        WatchingServerVerifier::builder(Inner::new(Ok(()))).with_observer(recorder.clone());
    let unpinned = unpinned.build().unwrap();
    let verdict = meet_server(&*unpinned, (&garbage, &[]), &name(), &[], pki::now());
    assert!(verdict.is_ok(), "the inner verifier's verdict stands");
    assert_eq!(recorder.take()[0].code, EventCode::PeerUnreadable);

    let pin = SpkiPin::from_spki_der(b"any");
    let pinned = WatchingServerVerifier::builder(Inner::new(Ok(())))
        .with_leaf_pin(pin)
        .build()
        .unwrap();
    let error = pinned
        .verify_server_cert(&garbage, &[], &name(), &[], pki::now())
        .unwrap_err();
    assert!(
        matches!(pin_error(&error), Some(PinError::Unreadable { .. })),
        "{error}"
    );
}

#[test]
fn the_memory_of_peers_is_bounded_and_follows_the_time() {
    let root = pki::root("Root", -1000, 1000);
    let leaves = [
        root.leaf(&["a.example"], -60, 30),
        root.leaf(&["a.example"], -60, 29),
    ];
    let recorder = Arc::new(Recorder::default());
    let wrapper = WatchingServerVerifier::builder(Inner::new(Ok(())))
        .with_provider(ring())
        .with_trust_anchors(pki::anchors([&root]))
        .with_observer(recorder.clone())
        .with_peer_memory(NonZeroUsize::MIN)
        .build()
        .unwrap();
    let shake = |leaf: &pki::Leaf, at: notafter::Timestamp| -> Vec<Event> {
        let now = at.to_unix_time().unwrap();
        meet_server(&*wrapper, (&leaf.der, &[]), &name(), &[], now).unwrap();
        recorder.take()
    };
    assert_eq!(shake(&leaves[0], NOW).len(), 1, "due: told");
    assert_eq!(shake(&leaves[0], NOW).len(), 0, "told already");
    assert_eq!(
        shake(&leaves[1], NOW).len(),
        1,
        "another peer: told, and the first forgotten"
    );
    assert_eq!(shake(&leaves[0], NOW).len(), 1, "forgotten: told again");
    // 20 days before the end the band changes, to the second.
    assert_eq!(shake(&leaves[0], days(10).saturating_add(-1)).len(), 0);
    let warned = shake(&leaves[0], days(10));
    assert_eq!(warned[0].band, Some(notafter::Band::Warning));
    assert_eq!(warned[0].band_before, Some(notafter::Band::Due));
}

#[test]
fn a_wrapper_that_could_not_judge_is_not_built() {
    let empty = WatchingServerVerifier::builder(Inner::new(Ok(())))
        .with_provider(ring())
        .with_trust_anchors(TrustAnchors::default());
    assert_eq!(
        empty.build().err(),
        Some(VerifierBuildError::NoTrustAnchors)
    );
    let root = pki::root("Root", -1, 1);
    let without_provider = WatchingServerVerifier::builder(Inner::new(Ok(())))
        .with_trust_anchors(pki::anchors([&root]));
    assert_eq!(
        without_provider.build().err(),
        Some(VerifierBuildError::NoProvider)
    );
}
