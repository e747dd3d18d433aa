//! The certificates of a client inside of a session that rustls's server stores.
//!
//! rustls calls a stored session opaque, so nothing of its layout is relied on but this: the
//! client's certificates are in it as they were in the handshake, as a `certificate_list` (RFC 5246,
//! 7.4.2), for a resumed connection must know them. Where no list is found, a session counts as that
//! of an anonymous client, which servers that demand a certificate then refuse; a test over real
//! sessions of both versions holds this against the rustls at hand.

use pki_types::CertificateDer;

/// The shortest DER that is a certificate or a SubjectPublicKeyInfo of any algorithm in use.
const SHORTEST: usize = 32;
/// The tag that both begin with.
const SEQUENCE: u8 = 0x30;

/// The first list of certificates in a session, leaf first.
pub(super) fn client_certificates(session: &[u8]) -> Option<Vec<CertificateDer<'_>>> {
    // A list begins with its length, and that is never so long that its first byte is not 0.
    let starts = memchr::memchr_iter(0, session);
    let mut lists = starts.filter_map(|start| list_at(session.get(start..)?));
    lists.next()
}

/// `opaque ASN.1Cert<1..2^24-1>; ASN.1Cert certificate_list<0..2^24-1>;`, of which the first is a
/// certificate or a key. The others may be anything: whoever sends them chooses, and verifiers pass
/// over what they cannot read.
fn list_at(bytes: &[u8]) -> Option<Vec<CertificateDer<'_>>> {
    let (mut list, _) = opaque(bytes)?;
    let mut certificates = Vec::new();
    while !list.is_empty() {
        let (certificate, rest) = opaque(list)?;
        certificates.push(CertificateDer::from(certificate));
        list = rest;
    }
    let leaf = certificates.first()?;
    (leaf.len() >= SHORTEST && leaf.first() == Some(&SEQUENCE)).then_some(certificates)
}

/// Bytes with their length, in three bytes, before them; and what follows.
fn opaque(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let ([high, middle, low], rest) = bytes.split_first_chunk()?;
    let length = u32::from_be_bytes([0, *high, *middle, *low]);
    rest.split_at_checked(usize::try_from(length).ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with_length(bytes: &[u8]) -> Vec<u8> {
        let length = u32::try_from(bytes.len()).unwrap().to_be_bytes();
        [&length[1..], bytes].concat()
    }

    fn sequence(length: u8) -> Vec<u8> {
        [vec![0x30, length], vec![7; usize::from(length)]].concat()
    }

    #[test]
    fn the_first_list_of_whole_certificates_is_found() {
        let (leaf, issuer) = (sequence(100), sequence(60));
        let list = with_length(&[with_length(&leaf), with_length(&issuer)].concat());
        let secret = [0, 0, 9, 0, 0, 0, 0x30, 0x82, 0, 0];
        let session = [&secret[..], &list, &secret].concat();
        let found = client_certificates(&session).unwrap();
        assert_eq!(found, [CertificateDer::from(leaf.clone()), issuer.into()]);
        // Whatever is cut off, what is left is not taken for another list.
        for end in 0..secret.len() + list.len() {
            assert_eq!(client_certificates(&session[..end]), None, "{end}");
        }
        let too_short = with_length(&with_length(&sequence(20)));
        assert_eq!(client_certificates(&too_short), None);
        assert_eq!(client_certificates(&[0; 200]), None);
        // What comes behind the leaf is its sender's choice: another list, rubbish, or nothing.
        let other = with_length(&with_length(&sequence(90)));
        for behind in [other, vec![0x31, 0], vec![0x30, 0], vec![]] {
            let list = with_length(&[with_length(&leaf), with_length(&behind)].concat());
            let session = [&secret[..], &list].concat();
            let expected = [leaf.clone(), behind].map(CertificateDer::from);
            assert_eq!(client_certificates(&session).unwrap(), expected);
        }
    }
}
