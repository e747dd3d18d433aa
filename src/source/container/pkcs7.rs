//! PKCS#7 (RFC 2315; RFC 5652 calls it CMS): `.p7b` and `.p7c`, of which the certificates count.

use super::ber::{Element, tag};
use super::fault::ContainerFault;
use super::pkcs12::content_info;
use super::thing::Thing;

/// The certificates beside a signature, or without any.
///
/// # Errors
/// [`ContainerFault`] where it is no `SignedData`, or is damaged.
pub(super) fn open(bytes: &[u8]) -> Result<Vec<Thing>, ContainerFault> {
    let (kind, content) = content_info(Element::first(bytes, tag::SEQUENCE)?)?;
    if kind != [2] {
        return Err(ContainerFault::NotRead(
            "an encrypted message or bare data, and no certificates of its own",
        ));
    }
    let mut parts = content.elements().one(tag::SEQUENCE)?.elements();
    parts.one(tag::INTEGER)?;
    parts.one(tag::SET)?;
    parts.one(tag::SEQUENCE)?;
    let mut things = Vec::new();
    // Without certificates revocation lists or signatures come next.
    let Some(certificates) = parts.next().transpose()? else {
        return Ok(things);
    };
    if certificates.tag != tag::ZERO {
        return Ok(things);
    }
    for certificate in certificates.elements() {
        things.push(match certificate {
            // What has another tag is an attribute certificate.
            Ok(other) if other.tag != tag::SEQUENCE => continue,
            Ok(certificate) => Thing::Certificate {
                der: certificate.whole.to_vec(),
                key_id: None,
            },
            Err(damaged) => Thing::Fault(damaged.into()),
        });
    }
    Ok(things)
}
