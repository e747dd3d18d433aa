//! The name of a subjectAltName that people call a certificate by.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::der::{Reader, tag};
use crate::text::visible;

/// Identifier octets of `GeneralName ::= CHOICE` (RFC 5280, 4.2.1.6).
const EMAIL: u8 = 0x81;
const DNS: u8 = 0x82;
const URI: u8 = 0x86;
const IP: u8 = 0x87;

/// The first name of `GeneralNames` that is not empty: DNS names before IP addresses, URIs and email
/// addresses.
/// `None` where there is none of these, or the extension cannot be read.
pub(super) fn first(subject_alt_name: &[u8]) -> Option<String> {
    [DNS, IP, URI, EMAIL]
        .into_iter()
        .find_map(|kind| first_of(subject_alt_name, kind))
}

fn first_of(subject_alt_name: &[u8], wanted: u8) -> Option<String> {
    let mut names = Reader::new(subject_alt_name).enter(tag::SEQUENCE).ok()?;
    while let Ok((kind, content)) = names.any() {
        let name = match kind {
            kind if kind != wanted => None,
            IP => address(content.content()).map(|address| address.to_string()),
            _ => std::str::from_utf8(content.content()).ok().map(visible),
        };
        if name.as_ref().is_some_and(|name| !name.is_empty()) {
            return name;
        }
    }
    None
}

fn address(octets: &[u8]) -> Option<IpAddr> {
    let v4 = <[u8; 4]>::try_from(octets).map(|octets| IpAddr::V4(Ipv4Addr::from(octets)));
    let v6 = <[u8; 16]>::try_from(octets).map(|octets| IpAddr::V6(Ipv6Addr::from(octets)));
    v4.or(v6).ok()
}
