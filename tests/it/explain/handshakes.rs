//! Handshakes over loopback that fail, and what each side is told of it.

use std::sync::Arc;

use notafter::explain::{Detail, Whose, explain};
use notafter::{SpkiPin, WatchingServerVerifier};
use rustls::client::WebPkiServerVerifier;
use rustls::server::WebPkiClientVerifier;
use rustls::{ClientConfig, RootCertStore, ServerConfig, SupportedProtocolVersion};

use super::{later, unix};
use crate::support::pki::{self, Ca, Leaf, days};
use crate::support::tls::{FixedTime, MINUTE, Outcome, VERSIONS, handshake, ring};

/// What meets in a handshake.
struct Meeting<'m> {
    server: &'m Leaf,
    /// What the server shows besides, and what the client trusts.
    root: &'m Ca,
    /// What the server asks for, by whose root.
    client_root: Option<&'m Ca>,
    client: Option<&'m Leaf>,
    name: &'m str,
    pin: Option<SpkiPin>,
}

impl Meeting<'_> {
    fn held(&self, version: &'static SupportedProtocolVersion) -> Outcome {
        let clock = || Arc::new(FixedTime(unix(later())));
        let roots = |root: &Ca| Arc::new(RootCertStore::from(&pki::anchors([root])));
        let inner = WebPkiServerVerifier::builder_with_provider(roots(self.root), ring());
        let mut verifier =
            WatchingServerVerifier::builder(inner.build().unwrap()).with_trust_age(MINUTE);
        if let Some(pin) = self.pin {
            verifier = verifier.with_leaf_pin(pin);
        }
        let client = ClientConfig::builder_with_details(ring(), clock())
            .with_protocol_versions(&[version])
            .unwrap()
            .dangerous()
            .with_custom_certificate_verifier(verifier.build().unwrap());
        let client = match self.client {
            Some(leaf) => client
                .with_client_auth_cert(vec![leaf.der.clone()], leaf.key.clone_key())
                .unwrap(),
            None => client.with_no_client_auth(),
        };
        let server = ServerConfig::builder_with_details(ring(), clock())
            .with_protocol_versions(&[version])
            .unwrap();
        let server = match self.client_root {
            Some(root) => server.with_client_cert_verifier(
                WebPkiClientVerifier::builder_with_provider(roots(root), ring())
                    .build()
                    .unwrap(),
            ),
            None => server.with_no_client_auth(),
        };
        let server = server
            .with_single_cert(vec![self.server.der.clone()], self.server.key.clone_key())
            .unwrap();
        handshake(client, server, self.name)
    }
}

/// What a side is told: whose it is, and the code.
fn told(result: Result<(), rustls::Error>) -> (Whose, &'static str) {
    let error = result.unwrap_err();
    let explanation = explain(&error).unwrap();
    (explanation.whose, explanation.code())
}

#[test]
fn both_sides_are_told_whose_fault_it_was() {
    let (root, other) = (
        pki::root("Root", -1000, 3000),
        pki::root("Other", -1000, 3000),
    );
    let good = root.leaf(&["a.example"], 0, 900);
    let ended = root.leaf(&["a.example"], 0, 397);
    let early = root.leaf(&["a.example"], 402, 900);
    let strange = other.leaf(&["a.example"], 0, 900);
    let wrong_pin = SpkiPin::from_certificate(&ended.certificate());
    let base = Meeting {
        server: &good,
        root: &root,
        client_root: None,
        client: None,
        name: "a.example",
        pin: None,
    };
    let mutual = |client| Meeting {
        client_root: Some(&root),
        client,
        ..base
    };
    let cases = [
        (
            "the server's has expired",
            Meeting {
                server: &ended,
                ..base
            },
            (Whose::Peer, "peer_expired"),
            (Whose::Own, "own_expired"),
        ),
        (
            "the server's is not valid yet",
            Meeting {
                server: &early,
                ..base
            },
            (Whose::Peer, "peer_not_yet_valid"),
            (Whose::Own, "own_expired"),
        ),
        (
            "the server's CA is not trusted",
            Meeting {
                server: &strange,
                ..base
            },
            (Whose::Peer, "peer_unknown_issuer"),
            (Whose::Own, "own_unknown_issuer"),
        ),
        (
            "the server's name is another",
            Meeting {
                name: "b.example",
                ..base
            },
            (Whose::Peer, "peer_name_not_covered"),
            (Whose::Own, "own_bad_certificate"),
        ),
        (
            "the server's key is not pinned",
            Meeting {
                pin: Some(wrong_pin),
                ..base
            },
            (Whose::Peer, "pin_mismatch"),
            (Whose::Own, "own_certificate_unknown"),
        ),
        (
            "the client's has expired",
            mutual(Some(&ended)),
            (Whose::Own, "own_expired"),
            (Whose::Peer, "peer_expired"),
        ),
        (
            "the client's CA is not trusted",
            mutual(Some(&strange)),
            (Whose::Own, "own_unknown_issuer"),
            (Whose::Peer, "peer_unknown_issuer"),
        ),
        (
            "the client has none",
            mutual(None),
            (Whose::Own, "own_no_certificate"),
            (Whose::Peer, "peer_no_certificate"),
        ),
    ];
    for version in VERSIONS {
        for (what, meeting, client, server) in &cases {
            let outcome = meeting.held(version);
            let label = format!("{what}, {:?}", version.version);
            assert_eq!(told(outcome.client), *client, "the client: {label}");
            assert_eq!(told(outcome.server), *server, "the server: {label}");
        }
    }
}

#[test]
fn the_refusing_side_knows_since_when_by_its_clock() {
    let root = pki::root("Root", -1000, 3000);
    let ended = root.leaf(&["a.example"], 0, 397);
    for version in VERSIONS {
        let meeting = Meeting {
            server: &ended,
            root: &root,
            client_root: None,
            client: None,
            name: "a.example",
            pin: None,
        };
        let outcome = meeting.held(version);
        let explanation = explain(&outcome.client.unwrap_err()).unwrap();
        assert_eq!(
            explanation.detail,
            Detail::Expired {
                not_after: days(397),
                at: later()
            }
        );
        // The other side looks at what it showed.
        let explanation = explain(&outcome.server.unwrap_err()).unwrap();
        let explanation = explanation.with_chain(&[ended.certificate()], later());
        assert_eq!(explanation.subject.as_deref(), Some("a.example"));
    }
}
