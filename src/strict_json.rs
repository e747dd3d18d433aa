//! JSON without second meanings: what two readers could read differently is refused, also inside of
//! fields that nobody looks at.
//!
//! `#[derive(Deserialize)]` cannot hold this. It refuses a repeated field only where it knows the
//! field, and announcements pass over fields that they do not know, so `deny_unknown_fields` is no way
//! out; it takes a list for an object, field by field; it rounds numbers that it skips; and its own
//! bound on nesting is 128. `serde_json` itself parses; here stands only what it lets through. The
//! value that comes out is its own; whoever reads it names the place of each complaint.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};

/// Objects and lists within each other; an announcement needs 5, a form of pins 3.
const MAX_DEPTH: usize = 16;

/// How `serde_json` hands over a number where some crate of the build has switched its feature
/// `arbitrary_precision` on.
const NUMBER_TOKEN: &str = "$serde_json::private::Number";

/// Reads exactly one value, whose numbers are integers of 64 bits and whose objects have each key
/// once.
///
/// # Errors
/// That of `serde_json`, with line and column.
pub(crate) fn parse(bytes: &[u8]) -> Result<Value, serde_json::Error> {
    let mut reader = serde_json::Deserializer::from_slice(bytes);
    let value = StrictValue { depth: 0 }.deserialize(&mut reader)?;
    reader.end()?;
    Ok(value)
}

/// Reads a value that stands within so many objects and lists.
#[derive(Clone, Copy)]
struct StrictValue {
    depth: usize,
}

impl StrictValue {
    fn deeper<E: Error>(self) -> Result<Self, E> {
        let depth = self.depth + 1;
        if depth > MAX_DEPTH {
            return Err(E::custom(format_args!(
                "objects and lists are nested more than {MAX_DEPTH} deep"
            )));
        }
        Ok(Self { depth })
    }
}

impl<'de> DeserializeSeed<'de> for StrictValue {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, reader: D) -> Result<Value, D::Error> {
        reader.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for StrictValue {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON whose numbers are integers")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E>(self, number: u64) -> Result<Value, E> {
        Ok(number.into())
    }

    fn visit_i64<E>(self, number: i64) -> Result<Value, E> {
        Ok(number.into())
    }

    fn visit_f64<E: Error>(self, _: f64) -> Result<Value, E> {
        Err(no_integer())
    }

    fn visit_str<E>(self, text: &str) -> Result<Value, E> {
        Ok(text.into())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Value, A::Error> {
        let inside = self.deeper()?;
        let mut values = Vec::new();
        while let Some(value) = list.next_element_seed(inside)? {
            values.push(value);
        }
        Ok(Value::Array(values))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value, A::Error> {
        let inside = self.deeper();
        let mut fields = Map::new();
        while let Some(key) = map.next_key::<String>()? {
            // A number is no object, and so not a level of its own.
            if key == NUMBER_TOKEN && fields.is_empty() {
                return number(&map.next_value::<String>()?);
            }
            let inside = match &inside {
                Ok(inside) => *inside,
                Err(_) => break,
            };
            if fields.contains_key(&key) {
                let reason = format!("the key {key:?} stands twice");
                return Err(A::Error::custom(reason));
            }
            let value = map.next_value_seed(inside)?;
            fields.insert(key, value);
        }
        inside.map(|_| Value::Object(fields))
    }
}

/// A number by its digits, judged as `serde_json` itself would without its feature.
fn number<E: Error>(digits: &str) -> Result<Value, E> {
    match (digits.parse::<u64>(), digits.parse::<i64>()) {
        (Ok(number), _) => Ok(number.into()),
        (_, Ok(negative)) if negative < 0 => Ok(negative.into()),
        _ => Err(no_integer()),
    }
}

fn no_integer<E: Error>() -> E {
    E::custom("a number is not an integer of at most 64 bits")
}
