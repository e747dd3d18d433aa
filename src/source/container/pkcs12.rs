//! PKCS#12 (RFC 7292): `.p12` and `.pfx`.

use pkcs8::der::zeroize::Zeroizing;

use super::ber::{Damaged, Element, Elements, tag};
use super::check::Check;
use super::fault::ContainerFault;
use super::pbe::SealedContent;
use super::secret::Secret;
use super::thing::{Opened, SealedKey, Thing};
use crate::source::kdf_cost::IterationBudget;

/// So many bags of bags may lie within each other.
const MAX_BAGS_DEEP: usize = 8;

/// 1.2.840.113549.1.7, of which each kind of content has a number.
pub(super) const PKCS7: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 7];
/// 1.2.840.113549.1.12.10.1, of which each kind of bag has a number.
const BAG: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 12, 10, 1];
/// 1.2.840.113549.1.9.22.1.
const X509: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 9, 22, 1];
/// 1.2.840.113549.1.9.21.
const LOCAL_KEY_ID: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 9, 21];

/// Opens a file with this passphrase. Without one, what is not encrypted is read, and is not
/// verified.
///
/// # Errors
/// [`ContainerFault`] where nothing in it counts.
pub(super) fn open(
    bytes: &[u8],
    secret: Option<Secret>,
    budget: &mut IterationBudget,
) -> Result<Opened, ContainerFault> {
    let mut parts = Element::first(bytes, tag::SEQUENCE)?.elements();
    parts.one(tag::INTEGER)?;
    let (kind, content) = content_info(parts.one(tag::SEQUENCE)?)?;
    if kind != [1] {
        return Err(ContainerFault::NotRead(
            "a signature instead of a passphrase's check, which is not verified",
        ));
    }
    let content = Element::first(content.content, tag::OCTET_STRING)
        .or_else(|_| Element::first(content.content, 0x24))?
        .octets()?;
    let secret = match parts.next() {
        Some(check) => verified(check?, &content, secret, budget)?,
        None => secret,
    };
    let mut reader = SafeReader {
        // Many files are encrypted with no passphrase at all.
        empty: Secret::new(Zeroizing::default()),
        secret,
        budget,
        things: Vec::new(),
    };
    for safe in Element::first(&content, tag::SEQUENCE)?.elements() {
        if let Err(fault) = safe.map_err(Into::into).and_then(|safe| reader.safe(safe)) {
            reader.things.push(Thing::Fault(fault));
        }
    }
    Ok(Opened {
        things: reader.things,
        secret: reader.secret,
    })
}

/// The passphrase, where it is the one that the check was made by.
fn verified(
    check: Element<'_>,
    content: &[u8],
    secret: Option<Secret>,
    budget: &mut IterationBudget,
) -> Result<Option<Secret>, ContainerFault> {
    let check = match Check::parse(check) {
        // Without a passphrase nothing is verified by any check.
        Err(ContainerFault::UnknownCheck(_)) if secret.is_none() => return Ok(None),
        check => check?,
    };
    match secret {
        Some(mut secret) => match check.passes(content, &mut secret, budget)? {
            true => Ok(Some(secret)),
            false => Err(ContainerFault::WrongPassphrase),
        },
        None => {
            let mut empty = Secret::new(Zeroizing::default());
            let passes = check.passes(content, &mut empty, budget);
            Ok(passes.is_ok_and(|passes| passes).then_some(empty))
        }
    }
}

/// `ContentInfo` (RFC 2315, 7): the number of its kind, and its `[0]`.
pub(super) fn content_info(info: Element<'_>) -> Result<(&[u8], Element<'_>), Damaged> {
    let mut parts = info.elements();
    let kind = parts.one(tag::OID)?.content;
    let kind = kind.strip_prefix(PKCS7).ok_or(Damaged)?;
    Ok((kind, parts.one(tag::ZERO)?))
}

struct SafeReader<'b> {
    empty: Secret,
    secret: Option<Secret>,
    budget: &'b mut IterationBudget,
    things: Vec<Thing>,
}

impl SafeReader<'_> {
    fn safe(&mut self, safe: Element<'_>) -> Result<(), ContainerFault> {
        let (kind, content) = content_info(safe)?;
        match kind {
            [1] => {
                let inner = content.elements().next().ok_or(Damaged)??.octets()?;
                self.bags(
                    Element::first(&inner, tag::SEQUENCE)?.elements(),
                    MAX_BAGS_DEEP,
                )
            }
            [6] => {
                let inner = self.decrypted(content.elements().one(tag::SEQUENCE)?)?;
                self.bags(
                    Element::first(&inner, tag::SEQUENCE)?.elements(),
                    MAX_BAGS_DEEP,
                )
            }
            _ => Err(ContainerFault::NotRead(
                "a part that is encrypted to somebody's public key, which is not opened",
            )),
        }
    }

    /// `EncryptedData` (RFC 2315, 13).
    fn decrypted(&mut self, data: Element<'_>) -> Result<Zeroizing<Vec<u8>>, ContainerFault> {
        let mut parts = data.elements();
        parts.one(tag::INTEGER)?;
        let mut info = parts.one(tag::SEQUENCE)?.elements();
        info.one(tag::OID)?;
        let algorithm = info.one(tag::SEQUENCE)?;
        let content = info.next().ok_or(Damaged)??.octets()?;
        let sealed = SealedContent {
            algorithm,
            content: &content,
        };
        match &self.secret {
            Some(secret) => sealed.open(secret, self.budget),
            None => (sealed.open(&self.empty, self.budget)).map_err(|fault| match fault {
                ContainerFault::WrongPassphrase => ContainerFault::PassphraseMissing,
                fault => fault,
            }),
        }
    }

    fn bags(&mut self, bags: Elements<'_>, depth: usize) -> Result<(), ContainerFault> {
        for bag in bags {
            match bag.map_err(Into::into).and_then(|bag| self.bag(bag, depth)) {
                Ok(()) => {}
                Err(fault) => self.things.push(Thing::Fault(fault)),
            }
        }
        Ok(())
    }

    fn bag(&mut self, bag: Element<'_>, depth: usize) -> Result<(), ContainerFault> {
        let mut parts = bag.elements();
        let kind = parts.one(tag::OID)?.content.strip_prefix(BAG);
        let value = parts.one(tag::ZERO)?;
        let key_id = parts
            .next()
            .and_then(|attributes| local_key_id(attributes.ok()?));
        match kind {
            Some([1]) => {
                let key = value.elements().one(tag::SEQUENCE)?.whole.to_vec();
                let key = SealedKey::Plain(Zeroizing::new(key));
                self.things.push(Thing::Key { key, key_id });
            }
            Some([2]) => {
                let key = value.elements().one(tag::SEQUENCE)?.whole.to_vec();
                let key = SealedKey::Encrypted(key);
                self.things.push(Thing::Key { key, key_id });
            }
            Some([3]) => {
                if let Some(der) = certificate(value)? {
                    self.things.push(Thing::Certificate { der, key_id });
                }
            }
            Some([6]) => {
                let depth = depth.checked_sub(1).ok_or(ContainerFault::Damaged(
                    "bags lie within each other beyond 8 levels",
                ))?;
                self.bags(value.elements().one(tag::SEQUENCE)?.elements(), depth)?;
            }
            // Revocation lists and secrets of other programs.
            _ => {}
        }
        Ok(())
    }
}

/// `CertBag` (RFC 7292, 4.2.3); `None` where it is no X.509 certificate.
fn certificate(bag: Element<'_>) -> Result<Option<Vec<u8>>, Damaged> {
    let mut parts = bag.elements().one(tag::SEQUENCE)?.elements();
    if parts.one(tag::OID)?.content != X509 {
        return Ok(None);
    }
    let value = parts.one(tag::ZERO)?.elements().next().ok_or(Damaged)??;
    Ok(Some(value.octets()?.into_owned()))
}

/// What a key and its certificate have in common.
fn local_key_id(attributes: Element<'_>) -> Option<Vec<u8>> {
    for attribute in attributes.elements() {
        let mut parts = attribute.ok()?.elements();
        if parts.one(tag::OID).ok()?.content == LOCAL_KEY_ID {
            let mut values = parts.one(tag::SET).ok()?.elements();
            let id = values.one(tag::OCTET_STRING).ok()?.content;
            return Some(id.to_vec()).filter(|id| !id.is_empty());
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cert::der::element;

    fn sequence(parts: &[&[u8]]) -> Vec<u8> {
        element(tag::SEQUENCE, &parts.concat())
    }

    fn oid(arc: &[u8], number: u8) -> Vec<u8> {
        element(tag::OID, &[arc, &[number]].concat())
    }

    fn bag(kind: u8, value: &[u8]) -> Vec<u8> {
        sequence(&[&oid(BAG, kind), &element(tag::ZERO, value)])
    }

    fn data(content: &[u8]) -> Vec<u8> {
        let octets = element(tag::OCTET_STRING, content);
        sequence(&[&oid(PKCS7, 1), &element(tag::ZERO, &octets)])
    }

    #[test]
    fn bags_lie_within_each_other_eight_levels_deep_at_the_most() {
        for (levels, is_read) in [(0, true), (MAX_BAGS_DEEP, true), (MAX_BAGS_DEEP + 1, false)] {
            let mut bags = bag(1, &sequence(&[]));
            for _ in 0..levels {
                bags = bag(6, &sequence(&[&bags]));
            }
            // What stands beside what is too deep counts.
            let safe = sequence(&[&bags, &bag(1, &sequence(&[]))]);
            let file = sequence(&[&[2, 1, 3], &data(&sequence(&[&data(&safe)]))]);
            let things = open(&file, None, &mut IterationBudget::new())
                .unwrap_or_else(|fault| panic!("{fault}"))
                .things;
            let keys = things
                .iter()
                .filter(|thing| matches!(thing, Thing::Key { .. }));
            assert_eq!(keys.count(), if is_read { 2 } else { 1 }, "{levels}");
            assert_eq!(things.len(), 2, "{levels}");
        }
    }
}
