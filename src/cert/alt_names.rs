//! The names of a subjectAltName.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::CertificateParseError;
use super::der::{Reader, tag};
use crate::text::visible;

/// The names of a subjectAltName extension, by kind, in their order (RFC 5280, 4.2.1.6).
///
/// Names of other kinds, and those that are not UTF-8, are left out.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct SubjectAltNames {
    /// dNSName entries as they stand, wildcards included.
    pub dns: Vec<String>,
    /// iPAddress entries of 4 or 16 octets.
    pub ip: Vec<IpAddr>,
    /// uniformResourceIdentifier entries (a SPIFFE ID is one).
    pub uri: Vec<String>,
    /// rfc822Name entries.
    pub email: Vec<String>,
}

impl SubjectAltNames {
    /// The first name of any kind that is not empty: DNS names before IP addresses, URIs and email
    /// addresses.
    pub fn first(&self) -> Option<String> {
        let named = |names: &[String]| names.iter().find(|name| !name.is_empty()).cloned();
        let ip = self.ip.first().map(ToString::to_string);
        let dns = named(&self.dns).or(ip);
        dns.or_else(|| named(&self.uri).or_else(|| named(&self.email)))
    }

    /// Adds the names of one extension; none, where any part of it is not well-formed.
    pub(super) fn add(&mut self, extension: &[u8]) {
        let Ok(names) = GeneralNames::read(extension).collect::<Result<Vec<_>, _>>() else {
            return;
        };
        for name in names {
            match name {
                GeneralName::Dns(Some(name)) => self.dns.push(name.to_owned()),
                GeneralName::Uri(Some(name)) => self.uri.push(name.to_owned()),
                GeneralName::Email(Some(name)) => self.email.push(name.to_owned()),
                GeneralName::Ip(address) => self.ip.extend(address),
                _ => {}
            }
        }
    }
}

/// The first name of `GeneralNames` that is not empty, so that it can be seen: DNS names before IP
/// addresses, URIs and email addresses.
///
/// Who calls a certificate by it wants any name: what is not well-formed hides only what comes
/// after it. `None` where there is none of these.
pub(super) fn first(subject_alt_name: &[u8]) -> Option<String> {
    let mut best: Option<(usize, String)> = None;
    for name in GeneralNames::read(subject_alt_name).map_while(Result::ok) {
        let (rank, text) = match name {
            GeneralName::Dns(Some(name)) => (0, visible(name)),
            GeneralName::Ip(Some(address)) => (1, address.to_string()),
            GeneralName::Uri(Some(name)) => (2, visible(name)),
            GeneralName::Email(Some(name)) => (3, visible(name)),
            _ => continue,
        };
        if !text.is_empty() && best.as_ref().is_none_or(|(known, _)| rank < *known) {
            best = Some((rank, text));
        }
    }
    best.map(|(_, name)| name)
}

/// The URIs of `GeneralNames` in their order, each as it stands; `None` for one that is not UTF-8.
///
/// # Errors
/// [`CertificateParseError`] where any part of it is not well-formed.
pub(crate) fn uris(subject_alt_name: &[u8]) -> Result<Vec<Option<&str>>, CertificateParseError> {
    let mut uris = Vec::new();
    for name in GeneralNames::read(subject_alt_name) {
        if let GeneralName::Uri(uri) = name? {
            uris.push(uri);
        }
    }
    Ok(uris)
}

/// `GeneralName ::= CHOICE`; `None` for content that its kind cannot have.
enum GeneralName<'a> {
    Email(Option<&'a str>),
    Dns(Option<&'a str>),
    Uri(Option<&'a str>),
    Ip(Option<IpAddr>),
    Other,
}

/// Reads `GeneralNames ::= SEQUENCE OF GeneralName`; ends after what is not well-formed.
struct GeneralNames<'a> {
    rest: Result<Reader<'a>, CertificateParseError>,
}

impl<'a> GeneralNames<'a> {
    fn read(extension: &'a [u8]) -> Self {
        Self {
            rest: Reader::new(extension).enter(tag::SEQUENCE),
        }
    }
}

impl<'a> Iterator for GeneralNames<'a> {
    type Item = Result<GeneralName<'a>, CertificateParseError>;

    fn next(&mut self) -> Option<Self::Item> {
        let end = Ok(Reader::new(&[]));
        let element = match &mut self.rest {
            Ok(rest) if rest.is_at_end() => return None,
            Ok(rest) => rest.any(),
            Err(error) => Err(*error),
        };
        let (kind, content) = match element {
            Ok(element) => element,
            Err(error) => {
                self.rest = end;
                return Some(Err(error));
            }
        };
        let content = content.content();
        let text = || std::str::from_utf8(content).ok();
        Some(Ok(match kind & !CONSTRUCTED {
            EMAIL => GeneralName::Email(text()),
            DNS => GeneralName::Dns(text()),
            URI => GeneralName::Uri(text()),
            IP => GeneralName::Ip(address(content)),
            _ => GeneralName::Other,
        }))
    }
}

/// Identifier octets of `GeneralName`, and the bit that makes no difference to them.
const EMAIL: u8 = 0x81;
const DNS: u8 = 0x82;
const URI: u8 = 0x86;
const IP: u8 = 0x87;
const CONSTRUCTED: u8 = 0x20;

fn address(octets: &[u8]) -> Option<IpAddr> {
    let v4 = <[u8; 4]>::try_from(octets).map(|octets| IpAddr::V4(Ipv4Addr::from(octets)));
    let v6 = <[u8; 16]>::try_from(octets).map(|octets| IpAddr::V6(Ipv6Addr::from(octets)));
    v4.or(v6).ok()
}
