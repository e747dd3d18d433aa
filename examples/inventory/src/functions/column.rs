//! A column of one fact, built row by row.
//!
//! Texts are views, whose buffers have no bound for the whole column: names are as long as others make them.

use std::sync::Arc;

use base64_simd::{AsOut as _, STANDARD};
use datafusion::arrow::array::{
    ArrayRef, BooleanBuilder, Int64Builder, ListBuilder, StringViewBuilder, TimestampSecondBuilder,
    UInt32Builder,
};
use notafter::Certificate;
use notafter::cert::{CertificateDetails, CertificateFacts, DetailsError, Sha256Digest};
use notafter::time::Timestamp;

use super::rows::Row;
use super::{Fact, UTC};

/// The answers for one fact.
pub(super) struct Column {
    fact: Fact,
    cells: Cells,
    /// Hexadecimal digits on their way into the cells.
    digits: Vec<u8>,
}

enum Cells {
    Instants(TimestampSecondBuilder),
    Spans(Int64Builder),
    Texts(StringViewBuilder),
    Lists(ListBuilder<StringViewBuilder>),
    Flags(BooleanBuilder),
    Numbers(UInt32Builder),
}

impl Column {
    pub(super) fn new(fact: Fact, rows: usize) -> Self {
        let cells = match fact {
            Fact::NotBefore | Fact::NotAfter => {
                Cells::Instants(TimestampSecondBuilder::with_capacity(rows).with_timezone(UTC))
            }
            Fact::LifetimeSeconds => Cells::Spans(Int64Builder::with_capacity(rows)),
            Fact::Names => Cells::Lists(ListBuilder::new(StringViewBuilder::new())),
            Fact::IsCa | Fact::IsSelfIssued | Fact::MustStaple => {
                Cells::Flags(BooleanBuilder::with_capacity(rows))
            }
            Fact::KeyBits => Cells::Numbers(UInt32Builder::with_capacity(rows)),
            _ => Cells::Texts(StringViewBuilder::with_capacity(rows)),
        };
        Self {
            fact,
            cells,
            digits: Vec::new(),
        }
    }

    /// Adds the answer for a row.
    pub(super) fn push(&mut self, row: &Row<'_>) {
        let digits = &mut self.digits;
        match &mut self.cells {
            Cells::Instants(cells) => cells.append_option(facts(row).map(|facts| {
                let validity = facts.validity();
                let instant: Timestamp = match self.fact {
                    Fact::NotBefore => validity.not_before,
                    _ => validity.not_after,
                };
                instant.as_unix_seconds()
            })),
            Cells::Spans(cells) => cells.append_option(facts(row).map(|facts| {
                // A lifetime is below 2^39 seconds.
                i64::try_from(facts.validity().lifetime().as_secs()).unwrap_or(i64::MAX)
            })),
            Cells::Flags(cells) => cells.append_option(facts(row).map(|facts| match self.fact {
                Fact::IsCa => facts.is_ca(),
                Fact::IsSelfIssued => facts.is_self_issued(),
                _ => facts.must_staple(),
            })),
            Cells::Numbers(cells) => {
                let details = details(row).and_then(Result::ok);
                cells.append_option(details.map(|details| details.key_bits));
            }
            Cells::Lists(cells) => push_names(cells, row),
            Cells::Texts(cells) => push_text(cells, self.fact, row, digits),
        }
    }

    /// The finished column.
    pub(super) fn finish(self) -> ArrayRef {
        match self.cells {
            Cells::Instants(mut cells) => Arc::new(cells.finish()),
            Cells::Spans(mut cells) => Arc::new(cells.finish()),
            Cells::Texts(mut cells) => Arc::new(cells.finish()),
            Cells::Lists(mut cells) => Arc::new(cells.finish()),
            Cells::Flags(mut cells) => Arc::new(cells.finish()),
            Cells::Numbers(mut cells) => Arc::new(cells.finish()),
        }
    }
}

fn push_text(cells: &mut StringViewBuilder, fact: Fact, row: &Row<'_>, digits: &mut Vec<u8>) {
    match (fact, row) {
        (Fact::Error, Row::Bad(bad)) => cells.append_value(bad.to_string()),
        (Fact::ErrorCode, Row::Bad(bad)) => cells.append_value(bad.code()),
        (_, Row::Null | Row::Bad(_)) | (Fact::Error | Fact::ErrorCode, _) => cells.append_null(),
        (_, Row::Certificate(facts)) if fact.needs_details() => {
            cells.append_option(detail(fact, facts));
        }
        (_, Row::Certificate(facts)) => match fact {
            Fact::Subject => cells.append_value(facts.subject()),
            Fact::Issuer => cells.append_value(facts.issuer()),
            Fact::Serial => push_hex(cells, Some(facts.serial()), digits),
            Fact::SubjectKeyId => push_hex(cells, facts.subject_key_id(), digits),
            Fact::AuthorityKeyId => push_hex(cells, facts.authority_key_id(), digits),
            Fact::SpkiSha256 => push_pin(cells, &Sha256Digest::of(facts.spki_der())),
            _ => {
                let fingerprint = Sha256Digest::of(facts.der());
                push_hex(cells, Some(fingerprint.as_bytes()), digits);
            }
        },
    }
}

/// `sha256/BASE64`, as `notafter::SpkiPin` is printed.
fn push_pin(cells: &mut StringViewBuilder, digest: &Sha256Digest) {
    let mut pin = *b"sha256/............................................";
    if let Some(base64) = pin.get_mut(7..) {
        let _ = STANDARD.encode(digest.as_bytes(), base64.as_out());
    }
    cells.append_option(str::from_utf8(&pin).ok());
}

fn push_hex(cells: &mut StringViewBuilder, octets: Option<&[u8]>, digits: &mut Vec<u8>) {
    let Some(octets) = octets else {
        return cells.append_null();
    };
    digits.clear();
    digits.resize(octets.len().saturating_mul(2), 0);
    // The buffer has room for all digits.
    cells.append_option(base16ct::lower::encode_str(octets, digits).ok());
}

fn push_names(cells: &mut ListBuilder<StringViewBuilder>, row: &Row<'_>) {
    let certificate = facts(row).and_then(|facts| Certificate::from_der(facts.der()).ok());
    let Some(names) = certificate.map(|certificate| certificate.subject_alt_names()) else {
        return cells.append(false);
    };
    let list = cells.values();
    names.dns.iter().for_each(|name| list.append_value(name));
    let addresses = names.ip.iter().map(ToString::to_string);
    addresses.for_each(|ip| list.append_value(ip));
    names.uri.iter().for_each(|name| list.append_value(name));
    names.email.iter().for_each(|name| list.append_value(name));
    cells.append(true);
}

fn facts<'r, 'a>(row: &'r Row<'a>) -> Option<&'r CertificateFacts<'a>> {
    match row {
        Row::Certificate(facts) => Some(facts),
        Row::Null | Row::Bad(_) => None,
    }
}

/// The full parse; `None` where the row is no certificate.
fn details(row: &Row<'_>) -> Option<Result<CertificateDetails, DetailsError>> {
    facts(row).and_then(parsed)
}

fn parsed(facts: &CertificateFacts<'_>) -> Option<Result<CertificateDetails, DetailsError>> {
    // These bytes have been read as a certificate already.
    let certificate = Certificate::from_der(facts.der()).ok()?;
    Some(certificate.details())
}

fn detail(fact: Fact, facts: &CertificateFacts<'_>) -> Option<String> {
    match (fact, parsed(facts)?) {
        (Fact::KeyType, Ok(details)) => Some(details.key_type.to_string()),
        (Fact::SignatureAlgorithm, Ok(details)) => Some(details.signature_algorithm),
        (Fact::DetailsError, Err(error)) => Some(error.to_string()),
        _ => None,
    }
}
