//! Staples in real handshakes: `openssl ocsp` answers, `openssl s_server` staples, our client
//! looks.

use std::net::TcpStream;
use std::sync::Arc;

use notafter::outlook::Position;
use notafter::verifier::{StapleRule, StapleStrictness};
use notafter::{Event, EventCode, SelfCheck, Severity, Timestamp, WatchingServerVerifier};
use rcgen::{CustomExtension, SerialNumber};
use rustls::client::WebPkiServerVerifier;
use rustls::pki_types::ServerName;
use rustls::{CertificateError, ClientConfig, ClientConnection, Error, RootCertStore};

use super::openssl::Responder;
use crate::endpoints::OpensslServer;
use crate::support::pki;
use crate::support::tls::{FixedTime, Recorder, VERSIONS, ring};

/// A leaf that lives for a hundred years, since openssl stamps its answers with the real time.
fn leaf(ca: &pki::Ca, serial: u64, must_staple: bool) -> pki::Leaf {
    ca.leaf_with(&["a.example"], -1000, 36_500, |params| {
        params.serial_number = Some(SerialNumber::from(serial));
        if must_staple {
            // TLS feature: status_request (RFC 7633).
            let content = vec![0x30, 0x03, 0x02, 0x01, 0x05];
            let extension =
                CustomExtension::from_oid_content(&[1, 3, 6, 1, 5, 5, 7, 1, 24], content);
            params.custom_extensions.push(extension);
        }
    })
}

/// Connects at this instant, under this rule: what became of it, and what was told.
fn connect(
    server: &OpensslServer,
    root: &pki::Ca,
    rule: StapleRule,
    at: Timestamp,
) -> (Result<(), Error>, Vec<Event>) {
    let mut outcomes = Vec::new();
    for version in VERSIONS {
        let recorder = Arc::new(Recorder::default());
        let anchors = pki::anchors([root]);
        let roots = Arc::new(RootCertStore::from(&anchors));
        let inner = WebPkiServerVerifier::builder_with_provider(roots, ring())
            .build()
            .unwrap();
        let verifier = WatchingServerVerifier::builder(inner)
            .with_provider(ring())
            .with_trust_anchors(anchors)
            .with_observer(recorder.clone())
            .with_staple_rule(rule)
            .build()
            .unwrap();
        let config = ClientConfig::builder_with_details(
            ring(),
            Arc::new(FixedTime(at.to_unix_time().unwrap())),
        )
        .with_protocol_versions(&[version])
        .unwrap()
        .dangerous()
        .with_custom_certificate_verifier(verifier)
        .with_no_client_auth();
        let name = ServerName::try_from("a.example").unwrap();
        let mut connection = ClientConnection::new(Arc::new(config), name).unwrap();
        let mut stream = TcpStream::connect(("127.0.0.1", server.port)).unwrap();
        stream
            .set_read_timeout(Some(std::time::Duration::from_secs(20)))
            .unwrap();
        let outcome = connection
            .complete_io(&mut stream)
            .map(|_| ())
            .map_err(|error| {
                error
                    .get_ref()
                    .unwrap()
                    .downcast_ref::<Error>()
                    .unwrap()
                    .clone()
            });
        outcomes.push((outcome, recorder.take()));
    }
    let last = outcomes.pop().unwrap();
    assert_eq!(outcomes[0].0, last.0, "TLS 1.2 and 1.3 agree");
    last
}

#[test]
fn staples_decide_as_the_rule_says() {
    const SOFT: StapleRule = StapleRule::Always(StapleStrictness::Soft);
    const HARD: StapleRule = StapleRule::Always(StapleStrictness::Hard);
    const MUST: StapleRule = StapleRule::WhenMustStaple(StapleStrictness::Hard);
    let root = pki::root("Root", -1000, 36_500);
    let stranger = pki::root("Stranger", -1000, 36_500);
    let responder = Responder::new(&root);
    responder.write("stranger", &stranger.der, stranger.key());
    let (good, revoked) = (leaf(&root, 0x1001, false), leaf(&root, 0x1002, false));
    let must = leaf(&root, 0x1001, true);
    let Some(good_staple) = responder.answer(&good, "ca", &[]) else {
        return;
    };
    let revoked_staple = responder.answer(&revoked, "ca", &[]).unwrap();
    let forged = responder.answer(&good, "stranger", &[]).unwrap();
    let now = Timestamp::from(rustls::pki_types::UnixTime::now()).saturating_add(60);
    let later = now.saturating_add(4 * 86_400);
    let bad = || {
        Err(Error::InvalidCertificate(
            CertificateError::InvalidOcspResponse,
        ))
    };
    let is_revoked = || Err(Error::InvalidCertificate(CertificateError::Revoked));
    let ok = || Ok(());
    // What is served, when, and what becomes of it under each rule; whether it is told.
    type Outcome = Result<(), Error>;
    let cases: [(
        &str,
        &pki::Leaf,
        Option<&[u8]>,
        Timestamp,
        [Outcome; 4],
        bool,
    ); 8] = [
        (
            "good",
            &good,
            Some(&good_staple),
            now,
            [ok(), ok(), ok(), ok()],
            false,
        ),
        (
            "revoked",
            &revoked,
            Some(&revoked_staple),
            now,
            [ok(), ok(), is_revoked(), is_revoked()],
            true,
        ),
        (
            "stale",
            &good,
            Some(&good_staple),
            later,
            [ok(), ok(), ok(), bad()],
            true,
        ),
        (
            "forged",
            &good,
            Some(&forged),
            now,
            [ok(), ok(), bad(), bad()],
            true,
        ),
        (
            "for another",
            &good,
            Some(&revoked_staple),
            now,
            [ok(), ok(), bad(), bad()],
            true,
        ),
        ("none", &good, None, now, [ok(), ok(), ok(), bad()], false),
        (
            "must-staple without",
            &must,
            None,
            now,
            [ok(), bad(), ok(), bad()],
            true,
        ),
        (
            "must-staple with",
            &must,
            Some(&good_staple),
            now,
            [ok(), ok(), ok(), ok()],
            false,
        ),
    ];
    for (what, leaf, staple, at, expected, told) in cases {
        let server = OpensslServer::start_with_staple(leaf, &[], staple).unwrap();
        for (rule, expected) in [StapleRule::Observe, MUST, SOFT, HARD]
            .into_iter()
            .zip(expected)
        {
            let (outcome, events) = connect(&server, &root, rule, at);
            assert_eq!(outcome, expected, "{what} under {rule:?}");
            let codes: Vec<_> = events.iter().map(|event| event.code).collect();
            if told || expected.is_err() {
                assert_eq!(codes, [EventCode::StapleNotGood], "{what} under {rule:?}");
                // Who is refused has not proved that it has its key.
                let severity = match (&expected, what) {
                    (Err(_), _) => Severity::Unproven,
                    (Ok(()), "revoked") => Severity::Critical,
                    (Ok(()), _) => Severity::Warning,
                };
                assert_eq!(events[0].severity, severity, "{what} under {rule:?}");
                println!("{}", events[0].message);
            } else if rule != SOFT {
                assert_eq!(codes, [], "{what} under {rule:?}");
            }
        }
    }
}

#[test]
fn a_certificate_that_only_bears_the_issuers_name_vouches_for_nothing() {
    let root = pki::root("Root", -1000, 36_500);
    let impostor = pki::root("Root", -1000, 36_500);
    // The real CA says revoked; the impostor's answer, for the impostor's key, says good.
    let revoked = leaf(&root, 0x1001, false);
    let Some(forged) = Responder::new(&impostor).answer(&revoked, "ca", &[]) else {
        return;
    };
    let now = Timestamp::from(rustls::pki_types::UnixTime::now()).saturating_add(60);
    let server = OpensslServer::start_with_staple(&revoked, &[&impostor], Some(&forged)).unwrap();
    let hard = StapleRule::Always(StapleStrictness::Hard);
    let (outcome, events) = connect(&server, &root, hard, now);
    let bad = Error::InvalidCertificate(CertificateError::InvalidOcspResponse);
    assert_eq!(outcome, Err(bad));
    assert_eq!(events[0].code, EventCode::StapleNotGood);
    let report = SelfCheck::builder()
        .with_chain("chain", [revoked.der.clone(), impostor.der.clone()])
        .with_staple("chain", forged)
        .with_trust_anchors(pki::anchors([&root]))
        .with_provider(ring())
        .at(now)
        .build()
        .unwrap()
        .run();
    assert_ne!(report.chains[0].staple.as_ref().unwrap().code, "good");
}

#[test]
fn a_self_check_says_what_a_staple_comes_to() {
    let root = pki::root("Root", -1000, 36_500);
    let responder = Responder::new(&root);
    let must = leaf(&root, 0x1001, true);
    let Some(staple) = responder.answer(&must, "ca", &[]) else {
        return;
    };
    let now = Timestamp::from(rustls::pki_types::UnixTime::now()).saturating_add(60);
    let run = |staple: Option<&[u8]>, at: Timestamp| {
        let builder = SelfCheck::builder()
            .with_chain("chain", [must.der.clone()])
            .with_trust_anchors(pki::anchors([&root]))
            .with_provider(ring())
            .at(at);
        let builder = staple
            .into_iter()
            .fold(builder, |b, staple| b.with_staple("chain", staple));
        builder.build().unwrap().run()
    };
    let codes = |report: &notafter::Report| -> Vec<_> {
        report
            .findings
            .iter()
            .map(|f| (f.code.as_str(), f.severity))
            .collect()
    };
    // Of a file nobody knows whether a server will staple.
    let unknown = run(None, now);
    assert_eq!(
        codes(&unknown),
        [("must_staple_without_staple", Severity::Info)]
    );
    assert_eq!(unknown.chains[0].staple, None);
    let missing = run(Some(&[]), now);
    assert_eq!(
        codes(&missing),
        [("must_staple_without_staple", Severity::Warning)]
    );
    let good = run(Some(&staple), now);
    assert_eq!(codes(&good), []);
    let report = good.chains[0].staple.as_ref().unwrap();
    assert_eq!(
        (report.code, report.good_until),
        ("good", report.next_update)
    );
    // Who must staple goes dark with its staple.
    let failure = good.first_failure().unwrap();
    assert_eq!(failure.at, report.good_until.unwrap().saturating_add(1));
    assert!(good.to_json().contains("\"must_staple\": true"));
    let stale = run(Some(&staple), failure.at);
    assert_eq!(codes(&stale), [("staple_not_good", Severity::Warning)]);
    assert_eq!(stale.exit_code(), 1);
    // It is dark already for those who honour must-staple, also where there is no staple.
    for (dark, at) in [(&stale, failure.at), (&missing, now)] {
        let failure = dark.first_failure().unwrap();
        assert_eq!((failure.at, failure.position), (at, Some(Position::Leaf)));
        assert!(
            failure
                .message
                .starts_with("chain must staple, and its staple is not good: "),
            "{}",
            failure.message
        );
    }
}
