//! The client of a session that rustls 0.24's server stores.
//!
//! A session begins with its version, the second in which it began, the name that the client asked for and
//! the cipher suite. Then comes the client: 0 for none, or 1 and an `Identity`, which is no
//! `certificate_list` any more, as rustls 0.23 stored it.

/// Whose session it is.
#[derive(Debug, PartialEq, Eq)]
pub enum StoredClient<'s> {
    /// Nobody's that showed anything.
    Anonymous,
    /// Of the holder of this chain, leaf first.
    X509(Vec<&'s [u8]>),
    /// Of the holder of this key (RFC 7250).
    RawPublicKey(&'s [u8]),
}

impl<'s> StoredClient<'s> {
    /// The client of this session; `None` where it is laid out otherwise, and nothing may be made of it.
    pub fn of(session: &'s [u8]) -> Option<Self> {
        let (_version_and_second, rest) = session.split_first_chunk::<10>()?;
        let rest = match rest.split_first()? {
            (0, rest) => rest,
            (1, rest) => {
                let (length, rest) = rest.split_first()?;
                rest.get(usize::from(*length)..)?
            }
            _ => return None,
        };
        let (_cipher_suite, rest) = rest.split_first_chunk::<2>()?;
        match rest {
            [0, ..] => Some(Self::Anonymous),
            [1, 0, identity @ ..] => Self::of_chain(identity),
            [1, 1, identity @ ..] => Some(Self::RawPublicKey(opaque(identity)?.0)),
            _ => None,
        }
    }

    fn of_chain(identity: &'s [u8]) -> Option<Self> {
        let (leaf, rest) = opaque(identity)?;
        let (mut others, _) = opaque(rest)?;
        let mut chain = vec![leaf];
        while !others.is_empty() {
            let (certificate, rest) = opaque(others)?;
            chain.push(certificate);
            others = rest;
        }
        Some(Self::X509(chain))
    }
}

/// Bytes with their length, in three bytes, before them; and what follows.
fn opaque(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let ([high, middle, low], rest) = bytes.split_first_chunk()?;
    let length = u32::from_be_bytes([0, *high, *middle, *low]);
    rest.split_at_checked(usize::try_from(length).ok()?)
}
