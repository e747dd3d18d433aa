//! Signed certificate timestamps that come in a stapled OCSP response.

use der::asn1::ObjectIdentifier;

use super::response::{BasicResponse, basic_response};
use crate::cert::{Certificate, SctList};

const SCT_LIST: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.4.1.11129.2.4.5");

/// The signed certificate timestamps that the answers about this leaf carry (RFC 6962, 3.3), by its serial; none
/// where the response cannot be read, or carries none.
///
/// Nothing is verified: they are claims, and whether the response is its issuer's says
/// [`StapleJudge`](super::StapleJudge). rustls hands a server's response to the verifier; the other way, the TLS
/// extension, it does not ask for.
///
/// # Which SCTs does this response deliver?
/// ```
/// # fn delivered(response: &[u8], leaf: &notafter::Certificate) {
/// let list = notafter::revocation::scts_of_staple(response, leaf);
/// for sct in &list.scts {
///     println!("{} at {}", sct.log_id.to_base64(), sct.timestamp());
/// }
/// # }
/// ```
pub fn scts_of_staple(response: &[u8], leaf: &Certificate) -> SctList {
    let mut all = SctList::default();
    let Ok(basic) = basic_response(response) else {
        return all;
    };
    let Ok(basic) = BasicResponse::parse(&basic) else {
        return all;
    };
    let serial = leaf.facts().serial();
    let answers = basic.data.responses.iter();
    let ours = answers.filter(|answer| answer.cert_id.serial_number.as_bytes() == serial);
    for extension in ours.flat_map(|answer| answer.single_extensions.iter().flatten()) {
        if extension.extn_id != SCT_LIST {
            continue;
        }
        match SctList::from_extension(extension.extn_value.as_bytes()) {
            Ok(list) => {
                all.scts.extend(list.scts);
                all.unknown_versions += list.unknown_versions;
                all.damaged.extend(list.damaged);
            }
            Err(error) => all.damaged.push(error),
        }
    }
    all
}
