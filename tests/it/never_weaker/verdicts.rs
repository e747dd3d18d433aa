//! Verdicts: every combination of options is asked after every verdict of the inner verifier.

use std::sync::Arc;

use notafter::pin::PinError;
use notafter::verifier::{StapleRule, StapleStrictness, identity_error, presented_error};
use notafter::{Timestamp, pin_error};
use rustls::client::danger::ServerCertVerifier;
use rustls::internal::msgs::codec::Codec as _;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::server::danger::ClientCertVerifier;
use rustls::{CertificateError, DigitallySignedStruct, Error};

use super::options::{self, Bounds, GRACE, Identities, NAME, Options, Pins, Scene, TTL};
use super::scripted::{Features, Scripted, Verdict};
use crate::support::certificate_errors::certificate_errors;
use crate::support::pki::{Leaf, NOW};

/// A wrapper of either kind.
enum Wrapper {
    Servers(Arc<dyn ServerCertVerifier>),
    Clients(Arc<dyn ClientCertVerifier>),
}

impl Wrapper {
    fn ask(
        &self,
        leaf: &CertificateDer<'static>,
        rest: &[CertificateDer<'static>],
        at: Timestamp,
    ) -> Result<(), Error> {
        let at = at.to_unix_time().unwrap();
        let name = ServerName::try_from(NAME).unwrap();
        match self {
            Self::Servers(v) => v.verify_server_cert(leaf, rest, &name, &[], at).map(drop),
            Self::Clients(v) => v.verify_client_cert(leaf, rest, at).map(drop),
        }
    }

    /// The peer proves that it has the key: what was accepted may be remembered from here on.
    fn prove(&self, leaf: &CertificateDer<'static>) {
        let signed = DigitallySignedStruct::read_bytes(&[4, 3, 0, 1, 1]).unwrap();
        let proven = match self {
            Self::Servers(v) => v.verify_tls13_signature(b"message", leaf, &signed),
            Self::Clients(v) => v.verify_tls13_signature(b"message", leaf, &signed),
        };
        proven.unwrap();
    }
}

/// What a wrapper adds to an acceptance.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Adds {
    Nothing,
    TooMany,
    Mismatch,
    Rejected,
    Staple,
    Unidentified,
    Other,
}

fn added(answer: &Result<(), Error>) -> Adds {
    match answer {
        Ok(()) => Adds::Nothing,
        Err(error) if presented_error(error).is_some() => Adds::TooMany,
        Err(Error::InvalidCertificate(CertificateError::InvalidOcspResponse)) => Adds::Staple,
        Err(error) if identity_error(error).is_some() => Adds::Unidentified,
        Err(error) => match pin_error(error) {
            Some(PinError::Mismatch { .. }) => Adds::Mismatch,
            Some(PinError::Rejected { .. }) => Adds::Rejected,
            _ => Adds::Other,
        },
    }
}

fn expected(options: &Options, presented: usize) -> Adds {
    let staple = options.staples == StapleRule::Always(StapleStrictness::Hard);
    match options.pins {
        _ if options.bounds == Bounds::One && presented > 1 => Adds::TooMany,
        _ if options.identities == Identities::Missing => Adds::Unidentified,
        Pins::OfIdentity if options.identities == Identities::One => Adds::Mismatch,
        Pins::Wrong => Adds::Mismatch,
        Pins::Rejected => Adds::Rejected,
        _ if staple => Adds::Staple,
        _ => Adds::Nothing,
    }
}

struct Asked<'a> {
    options: &'a Options,
    inner: &'a Scripted,
    wrapper: &'a Wrapper,
    leaf: &'a Leaf,
    rest: &'a [CertificateDer<'static>],
    is_ended: bool,
}

impl Asked<'_> {
    fn ask(&self, at: Timestamp) -> Result<(), Error> {
        self.wrapper.ask(&self.leaf.der, self.rest, at)
    }

    /// The inner verifier accepts: nothing but what was asked for is added.
    fn after_yes(&self, at: Timestamp) {
        self.inner.say(yes());
        // Twice: concluded, and remembered.
        for _ in 0..2 {
            let answer = self.ask(at);
            let adds = expected(self.options, 1 + self.rest.len());
            assert_eq!(added(&answer), adds, "{:?}: {answer:?}", self.options);
            if answer.is_ok() {
                self.wrapper.prove(&self.leaf.der);
            }
        }
    }

    /// The inner verifier refuses now; at the leaf's last good second it says `before`.
    fn after_no(&self, error: &Error, before: &Result<(), Error>, at: Timestamp) -> u64 {
        self.inner.say(Verdict {
            before: before.clone(),
            turn: if self.is_ended {
                NOW.saturating_add(1)
            } else {
                at
            },
            from: Err(error.clone()),
        });
        let answer = self.ask(at);
        use CertificateError::{Expired, ExpiredContext};
        let is_expiry = matches!(
            error,
            Error::InvalidCertificate(Expired | ExpiredContext { .. })
        );
        let may_forgive = self.options.grace
            && self.options.pins == Pins::Leaves
            && self.is_ended
            && is_expiry
            && before.is_ok()
            && at <= NOW.saturating_add(GRACE)
            && expected(self.options, 1 + self.rest.len()) == Adds::Nothing;
        match &answer {
            Ok(()) => assert!(may_forgive, "{:?} after {error:?}: accepted", self.options),
            Err(refusal) => {
                let told = format!("{refusal:?}") == format!("{error:?}");
                let is_bound = presented_error(refusal).is_some();
                assert!(
                    told || is_bound,
                    "{:?} after {error:?}: {refusal:?}",
                    self.options
                );
            }
        }
        u64::from(answer.is_ok())
    }
}

fn yes() -> Verdict {
    Verdict {
        before: Ok(()),
        turn: NOW,
        from: Ok(()),
    }
}

fn never_weaker(of_servers: bool) {
    let scene = Scene::new();
    let mut errors: Vec<_> = certificate_errors()
        .into_iter()
        .map(Error::InvalidCertificate)
        .collect();
    errors.push(Error::General("the inner verifier's own".to_owned()));
    errors.push(Error::NoCertificatesPresented);
    let later = Err(Error::InvalidCertificate(CertificateError::UnknownIssuer));
    let (mut built, mut forgiven) = (0, 0);
    for options in options::all(of_servers) {
        let inner = Arc::new(Scripted::new(Features::default()));
        let wrapper = match of_servers {
            true => options
                .servers(&scene, inner.clone())
                .map(|v| Wrapper::Servers(v)),
            false => options
                .clients(&scene, inner.clone())
                .map(|v| Wrapper::Clients(v)),
        };
        let wrapper = match (wrapper, options.build_error(of_servers)) {
            (Ok(wrapper), None) => wrapper,
            (Err(error), Some(expected)) => {
                assert_eq!(error, expected, "{options:?}");
                continue;
            }
            (wrapper, expected) => panic!("{options:?}: {:?}, not {expected:?}", wrapper.err()),
        };
        built += 1;
        let rest = [scene.issuing.der.clone()];
        let asked = |leaf, is_ended| Asked {
            options: &options,
            inner: &inner,
            wrapper: &wrapper,
            leaf,
            rest: &rest,
            is_ended,
        };
        let healthy = asked(&scene.healthy, false);
        let mut at = NOW.saturating_add(-TTL - 1);
        healthy.after_yes(at);
        // What was accepted a minute ago is refused now, whatever is remembered.
        for error in &errors {
            at = at.saturating_add(TTL + 1);
            healthy.after_no(error, &Ok(()), at);
        }
        at = at.saturating_add(1);
        healthy.after_yes(at);
        let ended = asked(&scene.ended, true);
        for error in &errors {
            for before in [&Ok(()), &later] {
                for after in [1, GRACE, GRACE + 1] {
                    forgiven += ended.after_no(error, before, NOW.saturating_add(after));
                }
            }
        }
    }
    println!("{built} combinations, {forgiven} times within a grace");
    assert!(built > 200);
}

#[test]
fn no_combination_accepts_a_server_that_the_inner_verifier_refuses() {
    never_weaker(true);
}

#[test]
fn no_combination_accepts_a_client_that_the_inner_verifier_refuses() {
    never_weaker(false);
}

/// A raw public key has no dates, no path and no staple.
#[test]
fn raw_public_keys_pass_where_nothing_more_is_asked_of_them() {
    let scene = Scene::new();
    let key = scene.healthy.certificate().facts().spki_der().to_vec();
    let key = CertificateDer::from(key);
    let mut wrong = Vec::new();
    for options in options::all(true) {
        let features = Features {
            raw_public_keys: true,
            ..Features::default()
        };
        let inner = Arc::new(Scripted::new(features));
        let Ok(verifier) = options.servers(&scene, inner.clone()) else {
            continue;
        };
        let wrapper = Wrapper::Servers(verifier);
        inner.say(yes());
        let answer = wrapper.ask(&key, &[], NOW);
        // And nothing by which it says whose it is.
        let expected = match options.pins {
            _ if options.identities == Identities::One => Adds::Unidentified,
            _ if options.identities == Identities::Missing => Adds::Unidentified,
            Pins::Ca => Adds::Mismatch,
            _ => expected(&options, 1),
        };
        if added(&answer) != expected {
            wrong.push(format!("{options:?}: {answer:.200?}, not {expected:?}"));
        }
        for error in certificate_errors() {
            let error = Error::InvalidCertificate(error);
            inner.say(Verdict {
                from: Err(error.clone()),
                ..yes()
            });
            let answer = wrapper.ask(&key, &[], NOW.saturating_add(TTL + 1));
            assert!(answer.is_err(), "{options:?} after {error:?}");
        }
    }
    assert!(
        wrong.is_empty(),
        "{} wrong: {:#?}",
        wrong.len(),
        &wrong[..wrong.len().min(4)]
    );
}
