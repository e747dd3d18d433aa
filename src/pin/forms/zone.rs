//! Records as zone files have them (RFC 1035, 5.1), as far as TLSA records need it.

use super::error::{FormPlace, FormProblem, FormReadError};

/// One record: its fields with spaces between them, and where it begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ZoneRecord {
    pub(super) fields: Vec<String>,
    pub(super) place: FormPlace,
}

/// The records: one a line, or over several between parentheses; comments begin with a semicolon.
pub(super) fn records(text: &str) -> Result<Vec<ZoneRecord>, FormReadError> {
    let mut records = Vec::new();
    let mut fields: Vec<String> = Vec::new();
    let mut begun = None;
    let mut is_open = false;
    for (number, line) in text.lines().enumerate() {
        let code = line.split(';').next().unwrap_or_default();
        let column = code.chars().take_while(|c| c.is_whitespace()).count();
        let place = position(number, column);
        for field in code
            .replace('(', " ( ")
            .replace(')', " ) ")
            .split_whitespace()
        {
            match (field, is_open) {
                ("(", false) => is_open = true,
                (")", true) => is_open = false,
                ("(" | ")", _) => {
                    return Err(FormProblem::unexpected(field, "a field").at(place));
                }
                _ => fields.push(field.to_owned()),
            }
            begun.get_or_insert_with(|| place.clone());
        }
        if is_open {
            continue;
        }
        if let Some(place) = begun.take() {
            let fields = std::mem::take(&mut fields);
            records.push(ZoneRecord { fields, place });
        }
    }
    match begun {
        Some(place) => Err(FormProblem::Missing {
            what: "the closing )",
        }
        .at(place)),
        None => Ok(records),
    }
}

fn position(line: usize, column: usize) -> FormPlace {
    let number = |n: usize| u32::try_from(n.saturating_add(1)).unwrap_or(u32::MAX);
    FormPlace::Position {
        line: number(line),
        column: number(column),
    }
}
