//! Certificate Transparency: what certificates embed, what lists of logs say, and what browsers want.

mod log_lists;
mod sct_check;
mod sct_facts;
mod sct_policy;

use notafter::cert::Sha256Digest;
use rcgen::{CertificateParams, CustomExtension};

const OF_LOGS: [u64; 9] = [1, 3, 6, 1, 4, 1, 11129, 2, 4];

/// The id of the log of this number.
fn log_id(log: u8) -> Sha256Digest {
    Sha256Digest::from_bytes([log; 32])
}

/// A list of SCTs as TLS writes it: of these logs, at these milliseconds, with signatures of nobody.
fn tls_list(scts: &[(u8, u64)]) -> Vec<u8> {
    let mut list = Vec::new();
    for (log, timestamp_ms) in scts {
        list.extend([0, 50, 0].iter().chain(&[*log; 32]));
        list.extend(timestamp_ms.to_be_bytes());
        list.extend([0, 0, 4, 3, 0, 3, 1, 2, 3]);
    }
    let length = u16::try_from(list.len()).unwrap().to_be_bytes();
    [&length[..], &list].concat()
}

/// An extension of Certificate Transparency, by the last number of its OID.
fn extension(last: u64, value: Vec<u8>) -> CustomExtension {
    CustomExtension::from_oid_content(&[&OF_LOGS[..], &[last]].concat(), value)
}

/// Embeds these SCTs.
fn embed(params: &mut CertificateParams, scts: &[(u8, u64)]) {
    let list = tls_list(scts);
    let length = u16::try_from(list.len()).unwrap().to_be_bytes();
    let value = [&[4, 0x82][..], &length, &list].concat();
    // DER has lengths in their shortest form.
    let value = match list.len() {
        256.. => value,
        128.. => [&[4, 0x81, length[1]][..], &list].concat(),
        _ => [&[4, length[1]][..], &list].concat(),
    };
    params.custom_extensions.push(extension(2, value));
}
