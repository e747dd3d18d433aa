//! Endpoints that hang, drip and refuse, on real sockets: they keep nobody from knowing the others.

use std::time::Duration;

use notafter::endpoint::{EndpointAddress, EndpointConnector, EndpointError, EndpointStep};

use crate::monitor::Pki;
use crate::support::peers::Peer;
use crate::support::tls::ring;

/// Long enough for ten handshakes on the slowest machine.
const LONG: Duration = Duration::from_secs(600);

#[test]
fn one_deadline_is_over_the_whole_look_at_an_endpoint() {
    let pki = Pki::new();
    let (leaf, chain) = pki.leaf(-10, 80);
    let (hanging, dripping) = (Peer::hanging(), Peer::dripping());
    let serving = Peer::serving(&leaf, chain.clone());
    let deadline = Duration::from_millis(500);
    let connector = EndpointConnector::new(ring()).with_deadline(deadline);
    for slow in [&hanging, &dripping] {
        let error = connector.presented(&slow.endpoint()).unwrap_err();
        let EndpointError::DeadlinePassed {
            address,
            step,
            deadline: given,
        } = &error
        else {
            panic!("{error}");
        };
        assert_eq!(address.to_string(), slow.endpoint());
        assert_eq!((*step, *given), (EndpointStep::Handshake, deadline));
        let expected = format!(
            "{} accepted the connection, and showed no certificate within 0.5 s",
            slow.endpoint()
        );
        assert_eq!(error.to_string(), expected);
    }
    let refusing = EndpointAddress::new("127.0.0.1", Peer::refusing_port());
    let refused = connector.presented(&refusing.to_string()).unwrap_err();
    let is_so =
        matches!(&refused, EndpointError::NotConnected { address, .. } if *address == refusing);
    assert!(is_so, "{refused}");
    for text in ["a.example", "https://a.example/"] {
        let error = connector.presented(text).unwrap_err();
        assert!(matches!(error, EndpointError::NotHostAndPort(_)), "{error}");
    }
    let patient = connector.with_deadline(LONG);
    // By its address, by a name that is looked up, and by another name.
    let by_name = EndpointAddress::new("localhost", serving.port);
    for presented in [
        patient.presented(&serving.endpoint()),
        patient.presented(&by_name.to_string()),
        patient.presented_as(&by_name, "a.example"),
    ] {
        let presented = presented.unwrap();
        assert_eq!(
            (presented.chain, presented.staple),
            (chain.clone(), Vec::new())
        );
    }
    let unusable = patient.presented_as(&by_name, "no name").unwrap_err();
    assert!(matches!(unusable, EndpointError::UnusableName { ref name } if name == "no name"));
}
