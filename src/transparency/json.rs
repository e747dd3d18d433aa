//! log_list.json of version 3, as Google and Apple publish it.

use base64_simd::STANDARD;
use serde_json::Value;

use super::{Log, LogKind, LogList, LogListError, LogState, TemporalInterval};
use crate::cert::Sha256Digest;
use crate::text::quoted;
use crate::time::Timestamp;

/// More bytes than that are no list of logs; the published ones have about 50 KB.
const MAX_BYTES: usize = 4 * 1024 * 1024;

/// The most characters that are kept of a name, and repeated of what is wrong.
const MAX_NAME: usize = 128;

impl LogList {
    /// Reads log_list.json of version 3 (its schema: `log_list_schema.json` beside it): `logs` and
    /// `tiled_logs` of each operator, with their states, intervals and previous operators.
    ///
    /// What is not known is passed over. A log that cannot be read, or whose state is none that is known, is one of
    /// [`LogList::problems`], and the others count. At most 4 MiB.
    ///
    /// # How do I read the list that Chrome goes by?
    /// ```
    /// use notafter::transparency::LogList;
    /// # let json = include_bytes!("../../tests/data/transparency/log_list-2026.json");
    /// // GET https://www.gstatic.com/ct/log_list/v3/log_list.json
    /// let list = LogList::from_json(json)?;
    /// assert!(list.problems().is_empty());
    /// println!("{} logs, published {:?}", list.len(), list.published());
    /// # Ok::<(), notafter::transparency::LogListError>(())
    /// ```
    ///
    /// # Errors
    /// [`LogListError`] where it is none as a whole, or there is no log in it that can be read.
    pub fn from_json(json: &[u8]) -> Result<Self, LogListError> {
        let (bytes, limit) = (json.len(), MAX_BYTES);
        if bytes > limit {
            return Err(LogListError::TooLarge { bytes, limit });
        }
        let document: Value = serde_json::from_slice(json).map_err(|error| LogListError::Json {
            line: error.line(),
            column: error.column(),
            reason: quoted(&error.to_string(), MAX_NAME),
        })?;
        let operators = document.get("operators").and_then(Value::as_array);
        let operators = operators.ok_or(LogListError::NoOperators)?;
        let mut list = Self::default();
        match instant(&document, "log_list_timestamp") {
            Ok(published) => list.set_published(published),
            // Apple's says when it was published in another way.
            Err(_) if document.get("log_list_timestamp").is_none() => {}
            Err(reason) => list.note("log_list_timestamp".to_owned(), reason),
        }
        for (n, operator) in operators.iter().enumerate() {
            read_operator(&mut list, operator, &format!("operators[{n}]"));
        }
        match list.is_empty() {
            true => Err(LogListError::NoLogs),
            false => Ok(list),
        }
    }
}

fn read_operator(list: &mut LogList, operator: &Value, place: &str) {
    let name = match text(operator, "name") {
        Ok(name) => name,
        Err(reason) => return list.note(format!("{place}.name"), reason),
    };
    let kinds = [
        ("logs", LogKind::Rfc6962),
        ("tiled_logs", LogKind::StaticCtApi),
    ];
    for (field, kind) in kinds {
        let logs = match operator.get(field) {
            None => continue,
            Some(Value::Array(logs)) => logs,
            Some(_) => {
                list.note(format!("{place}.{field}"), "it is no array".to_owned());
                continue;
            }
        };
        for (n, value) in logs.iter().enumerate() {
            let place = format!("{place}.{field}[{n}]");
            match read_log(list, value, name, &place) {
                Ok(log) => {
                    if let Err(error) = list.add(log.with_kind(kind)) {
                        list.note(place, error.to_string());
                    }
                }
                Err((field, reason)) => list.note(format!("{place}.{field}"), reason),
            }
        }
    }
}

/// Reads one log; what is wrong with its lesser parts is noted.
///
/// # Errors
/// The field without which it is none, and what is wrong with it.
fn read_log(
    list: &mut LogList,
    value: &Value,
    operator: &str,
    place: &str,
) -> Result<Log, (&'static str, String)> {
    let log_id = log_id(value).map_err(|reason| ("log_id", reason))?;
    if let Some(key) = value.get("key").and_then(Value::as_str) {
        let key = STANDARD.decode_to_vec(key).unwrap_or_default();
        if Sha256Digest::of(&key) != log_id {
            return Err(("key", "its SHA-256 is not the log_id".to_owned()));
        }
    }
    let mut log = Log::new(log_id, shortened(operator));
    if let Ok(description) = text(value, "description") {
        log = log.with_description(shortened(description));
    }
    log = read_states(list, value, log, place);
    if let Some(interval) = value.get("temporal_interval") {
        let start = instant(interval, "start_inclusive");
        match start.and_then(|start| Ok((start, instant(interval, "end_exclusive")?))) {
            Ok((start_inclusive, end_exclusive)) => {
                log = log.with_temporal_interval(TemporalInterval {
                    start_inclusive,
                    end_exclusive,
                });
            }
            Err(reason) => list.note(format!("{place}.temporal_interval"), reason),
        }
    }
    let previous = value.get("previous_operators").and_then(Value::as_array);
    for previous in previous.into_iter().flatten() {
        let name = text(previous, "name");
        match name.and_then(|name| Ok((name, instant(previous, "end_time")?))) {
            Ok((name, end)) => log = log.with_previous_operator(shortened(name), end),
            Err(reason) => list.note(format!("{place}.previous_operators"), reason),
        }
    }
    Ok(log)
}

/// `"state": { "usable": { "timestamp": ".." } }`
fn read_states(list: &mut LogList, value: &Value, mut log: Log, place: &str) -> Log {
    let place = format!("{place}.state");
    let Some(states) = value.get("state").and_then(Value::as_object) else {
        let reason = "it is not stated, so nothing of this log counts";
        list.note(place, reason.to_owned());
        return log;
    };
    for (word, stated) in states {
        let known = LogState::ALL.iter().find(|state| state.as_str() == word);
        match (known, instant(stated, "timestamp")) {
            (Some(state), Ok(since)) => log = log.with_state(*state, since),
            (Some(_), Err(reason)) => list.note(place.clone(), reason),
            (None, _) => {
                let word = quoted(word, MAX_NAME);
                let reason = format!("'{word}' is no state that is known, so it does not count");
                list.note(place.clone(), reason);
            }
        }
    }
    log
}

fn log_id(value: &Value) -> Result<Sha256Digest, String> {
    let base64 = text(value, "log_id")?;
    let decoded = STANDARD.decode_to_vec(base64).unwrap_or_default();
    let digest = <[u8; 32]>::try_from(decoded);
    digest.map(Sha256Digest::from_bytes).map_err(|_| {
        let given = quoted(base64, MAX_NAME);
        format!("'{given}' is no base64 of 32 bytes")
    })
}

fn text<'v>(value: &'v Value, field: &str) -> Result<&'v str, String> {
    let text = value.get(field).and_then(Value::as_str);
    text.ok_or_else(|| format!("there is no text '{field}'"))
}

fn instant(value: &Value, field: &str) -> Result<Timestamp, String> {
    let instant = text(value, field)?.parse::<Timestamp>();
    instant.map_err(|error| error.to_string())
}

fn shortened(name: &str) -> String {
    name.chars().take(MAX_NAME).collect()
}
