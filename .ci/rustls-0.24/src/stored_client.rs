//! The certificates of a client inside of a session that rustls 0.24's server stores.
//!
//! They lie there as `Some(Identity::X509(..))`: 1, 0, the leaf with its length before it, and the list of
//! the others with its own. It is no `certificate_list` any more, which rustls 0.23 stored.

/// The client's certificates, leaf first; `None` where there is no X.509 client in it.
pub fn stored_client_certificates(session: &[u8]) -> Option<Vec<&[u8]>> {
    (0..session.len()).find_map(|start| identity_at(session.get(start..)?))
}

fn identity_at(bytes: &[u8]) -> Option<Vec<&[u8]>> {
    let (leaf, rest) = opaque(bytes.strip_prefix(&[1, 0])?)?;
    let (mut list, _) = opaque(rest)?;
    // A certificate is a SEQUENCE whose length takes two bytes.
    let ([0x30, 0x82, high, low], content) = leaf.split_first_chunk()? else {
        return None;
    };
    if content.len() != usize::from(u16::from_be_bytes([*high, *low])) {
        return None;
    }
    let mut certificates = vec![leaf];
    while !list.is_empty() {
        let (certificate, others) = opaque(list)?;
        certificates.push(certificate);
        list = others;
    }
    Some(certificates)
}

/// Bytes with their length, in three bytes, before them; and what follows.
fn opaque(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let ([high, middle, low], rest) = bytes.split_first_chunk()?;
    let length = u32::from_be_bytes([0, *high, *middle, *low]);
    rest.split_at_checked(usize::try_from(length).ok()?)
}
