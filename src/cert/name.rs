//! Distinguished names for people.

use std::fmt::Write as _;

use super::der::{Reader, tag};
use crate::text::push_visible;

/// Attribute types with a customary short form, by the content octets of their OID.
const SHORT_FORMS: [(&[u8], &str); 26] = [
    (&[0x55, 0x04, 0x03], "CN"),
    (&[0x55, 0x04, 0x06], "C"),
    (&[0x55, 0x04, 0x07], "L"),
    (&[0x55, 0x04, 0x08], "ST"),
    (&[0x55, 0x04, 0x0a], "O"),
    (&[0x55, 0x04, 0x0b], "OU"),
    (&[0x55, 0x04, 0x04], "surname"),
    (&[0x55, 0x04, 0x05], "serialNumber"),
    (&[0x55, 0x04, 0x09], "streetAddress"),
    (&[0x55, 0x04, 0x0c], "title"),
    (&[0x55, 0x04, 0x0f], "businessCategory"),
    (&[0x55, 0x04, 0x11], "postalCode"),
    (&[0x55, 0x04, 0x2a], "givenName"),
    (&[0x55, 0x04, 0x2b], "initials"),
    (&[0x55, 0x04, 0x2e], "dnQualifier"),
    (&[0x55, 0x04, 0x0d], "description"),
    (&[0x55, 0x04, 0x29], "name"),
    (&[0x55, 0x04, 0x2c], "generationQualifier"),
    (&[0x55, 0x04, 0x41], "pseudonym"),
    (&[0x55, 0x04, 0x61], "organizationIdentifier"),
    (
        &[
            0x2b, 0x06, 0x01, 0x04, 0x01, 0x82, 0x37, 0x3c, 0x02, 0x01, 0x01,
        ],
        "msJurisdictionLocality",
    ),
    (
        &[
            0x2b, 0x06, 0x01, 0x04, 0x01, 0x82, 0x37, 0x3c, 0x02, 0x01, 0x02,
        ],
        "msJurisdictionStateOrProvince",
    ),
    (
        &[
            0x2b, 0x06, 0x01, 0x04, 0x01, 0x82, 0x37, 0x3c, 0x02, 0x01, 0x03,
        ],
        "msJurisdictionCountry",
    ),
    (
        &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x09, 0x01],
        "Email",
    ),
    (
        &[0x09, 0x92, 0x26, 0x89, 0x93, 0xf2, 0x2c, 0x64, 0x01, 0x19],
        "DC",
    ),
    (
        &[0x09, 0x92, 0x26, 0x89, 0x93, 0xf2, 0x2c, 0x64, 0x01, 0x01],
        "uid",
    ),
];

/// `C=US, O=Let's Encrypt, CN=R3`: the attributes in their order in the certificate.
///
/// Control and other invisible characters are escaped, so that a name from a peer cannot write
/// lines of its own into a log. An empty name is an empty text; one that cannot be read ends with
/// `<unreadable>`.
pub(crate) fn readable(name: &[u8]) -> String {
    let mut text = String::new();
    let mut relative_names = Reader::new(name);
    while !relative_names.is_at_end() {
        let Ok(set) = relative_names.enter(tag::SET) else {
            text.push_str("<unreadable>");
            break;
        };
        if set.is_at_end() {
            continue; // A relative name of no attributes says nothing.
        }
        if !text.is_empty() {
            text.push_str(", ");
        }
        if write_relative_name(&mut text, set).is_none() {
            text.push_str("<unreadable>");
            break;
        }
    }
    text
}

/// The last common name, which is what people call a certificate by.
pub(super) fn common_name(name: &[u8]) -> Option<String> {
    let mut relative_names = Reader::new(name);
    let mut found = None;
    while let Ok(mut set) = relative_names.enter(tag::SET) {
        while let Ok(mut attribute) = set.enter(tag::SEQUENCE) {
            let oid = attribute.enter(tag::OID).ok()?.content();
            let (kind, value) = attribute.any().ok()?;
            if oid == [0x55, 0x04, 0x03] {
                let mut text = String::new();
                write_value(&mut text, kind, value.content());
                found = Some(text);
            }
        }
    }
    found.filter(|text| !text.is_empty())
}

fn write_relative_name(text: &mut String, mut set: Reader<'_>) -> Option<()> {
    let mut first = true;
    while !set.is_at_end() {
        if !first {
            text.push_str(" + ");
        }
        first = false;
        let mut attribute = set.enter(tag::SEQUENCE).ok()?;
        let oid = attribute.enter(tag::OID).ok()?.content();
        let (kind, value) = attribute.any().ok()?;
        match SHORT_FORMS.iter().find(|(known, _)| *known == oid) {
            Some((_, short)) => text.push_str(short),
            None => write_oid(text, oid),
        }
        text.push('=');
        write_value(text, kind, value.content());
    }
    Some(())
}

fn write_value(text: &mut String, kind: u8, value: &[u8]) {
    let decoded = match kind {
        // UTF8String, NumericString, PrintableString, IA5String, VisibleString
        0x0c | 0x12 | 0x13 | 0x16 | 0x1a => std::str::from_utf8(value).ok().map(str::to_owned),
        // TeletexString: Latin-1 in practice
        0x14 => Some(value.iter().map(|byte| char::from(*byte)).collect()),
        // BMPString
        0x1e => from_units(value, 2),
        // UniversalString
        0x1c => from_units(value, 4),
        _ => None,
    };
    match decoded {
        Some(decoded) => decoded.chars().for_each(|c| push_visible(text, c)),
        None => {
            // RFC 4514, 2.4: a value without a string form is '#' and hexadecimal.
            text.push('#');
            text.push_str(&base16ct::lower::encode_string(value));
        }
    }
}

fn from_units(value: &[u8], width: usize) -> Option<String> {
    if value.len() % width != 0 {
        return None;
    }
    let big_endian = |unit: &[u8]| {
        unit.iter()
            .fold(0_u32, |n, byte| (n << 8) | u32::from(*byte))
    };
    if width == 4 {
        let chars = value.chunks(4).map(|unit| char::from_u32(big_endian(unit)));
        return chars.collect();
    }
    let units = value
        .chunks(2)
        .filter_map(|unit| u16::try_from(big_endian(unit)).ok());
    char::decode_utf16(units).collect::<Result<_, _>>().ok()
}

/// An OID in numbers and dots, from its content octets.
pub(crate) fn dotted(oid: &[u8]) -> String {
    let mut text = String::new();
    write_oid(&mut text, oid);
    text
}

fn write_oid(text: &mut String, oid: &[u8]) {
    let mut arc = 0_u64;
    let mut first = true;
    for byte in oid {
        arc = arc.wrapping_shl(7) | u64::from(byte & 0x7f);
        if byte & 0x80 != 0 {
            continue;
        }
        // X.690, 8.19.4: the first number holds two arcs.
        let written = if first {
            let top = (arc / 40).min(2);
            write!(text, "{top}.{}", arc - top * 40)
        } else {
            write!(text, ".{arc}")
        };
        debug_assert!(written.is_ok(), "writing into a String cannot fail");
        first = false;
        arc = 0;
    }
}
