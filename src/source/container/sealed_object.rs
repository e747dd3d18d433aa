//! A secret key in a JCEKS store: a `javax.crypto.SealedObject`, or Sun's class below it, in Java's own
//! serialization (Java Object Serialization Specification, 6.4). That says nothing of its length, so it is
//! walked to its end; nothing of it is kept, and an object of any other class is not walked.

use super::fault::ContainerFault;
use super::java_bytes::JavaBytes;

/// The class itself, and the one that Sun's provider puts below it.
const MAX_CLASSES: usize = 2;

/// Four since Java 1.4.
const MAX_FIELDS: u16 = 8;

const SEALED_OBJECT: &[u8] = b"javax.crypto.SealedObject";
const BYTES: &[u8] = b"[B";
const STRING: &[u8] = b"Ljava/lang/String;";

/// The stream's magic number and version, and that an object follows.
const BEGIN: &[u8] = &[0xac, 0xed, 0, 5, 0x73];
/// The first number of what is referred to.
const BASE: u32 = 0x7e_0000;

mod constant {
    pub(super) const NULL: u8 = 0x70;
    pub(super) const REFERENCE: u8 = 0x71;
    pub(super) const CLASS: u8 = 0x72;
    pub(super) const STRING: u8 = 0x74;
    pub(super) const ARRAY: u8 = 0x75;
    pub(super) const END_OF_ANNOTATIONS: u8 = 0x78;
    /// Of a class that writes its fields, and nothing else.
    pub(super) const SERIALIZABLE: u8 = 2;
}

const OTHER: ContainerFault = ContainerFault::NotRead(
    "a secret key, which only Java reads: what stands after it is not read",
);

/// Reads on behind the object.
///
/// # Errors
/// [`ContainerFault`] where it is cut, or another object, whose end is not known.
pub(super) fn skip(bytes: &mut JavaBytes<'_>) -> Result<(), ContainerFault> {
    let mut walk = Walk {
        bytes,
        seen: Vec::new(),
    };
    walk.object()
}

/// What may be referred to by its number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Referable<'a> {
    Class(&'a [u8]),
    Text(&'a [u8]),
    Bytes,
    Object,
}

/// What a field holds.
#[derive(Debug, Clone, Copy)]
enum Field {
    Bytes,
    Text,
}

struct Walk<'w, 'a> {
    bytes: &'w mut JavaBytes<'a>,
    seen: Vec<Referable<'a>>,
}

impl<'a> Walk<'_, 'a> {
    fn object(&mut self) -> Result<(), ContainerFault> {
        for constant in BEGIN {
            self.expect(*constant)?;
        }
        let fields = self.classes()?;
        self.seen.push(Referable::Object);
        for field in fields {
            match field {
                Field::Bytes => self.byte_array()?,
                Field::Text => self.string()?,
            }
        }
        Ok(())
    }

    /// The fields of the class, of which those below it have none.
    fn classes(&mut self) -> Result<Vec<Field>, ContainerFault> {
        for _ in 0..MAX_CLASSES {
            self.expect(constant::CLASS)?;
            let (name, fields) = self.class()?;
            if name == SEALED_OBJECT {
                self.expect(constant::NULL)?;
                return Ok(fields);
            }
            if !fields.is_empty() {
                return Err(OTHER);
            }
        }
        Err(OTHER)
    }

    /// A class without its superclass.
    fn class(&mut self) -> Result<(&'a [u8], Vec<Field>), ContainerFault> {
        let name = self.bytes.text()?;
        self.bytes.take(8)?;
        self.seen.push(Referable::Class(name));
        self.expect(constant::SERIALIZABLE)?;
        let count = self.bytes.short()?;
        if count > MAX_FIELDS {
            return Err(OTHER);
        }
        let mut fields = Vec::new();
        for _ in 0..count {
            let kind = self.bytes.octet()?;
            self.bytes.text()?;
            fields.push(match (kind, self.field_class()?) {
                (b'[', BYTES) => Field::Bytes,
                (b'L', STRING) => Field::Text,
                _ => return Err(OTHER),
            });
        }
        self.expect(constant::END_OF_ANNOTATIONS)?;
        Ok((name, fields))
    }

    fn field_class(&mut self) -> Result<&'a [u8], ContainerFault> {
        match self.bytes.octet()? {
            constant::STRING => self.new_text(),
            constant::REFERENCE => match self.referred()? {
                Referable::Text(text) => Ok(text),
                _ => Err(OTHER),
            },
            _ => Err(OTHER),
        }
    }

    fn byte_array(&mut self) -> Result<(), ContainerFault> {
        match self.bytes.octet()? {
            constant::NULL => return Ok(()),
            constant::REFERENCE if self.referred()? == Referable::Bytes => return Ok(()),
            constant::ARRAY => {}
            _ => return Err(OTHER),
        }
        match self.bytes.octet()? {
            constant::CLASS => {
                let (name, fields) = self.class()?;
                self.expect(constant::NULL)?;
                if name != BYTES || !fields.is_empty() {
                    return Err(OTHER);
                }
            }
            constant::REFERENCE if self.referred()? == Referable::Class(BYTES) => {}
            _ => return Err(OTHER),
        }
        self.seen.push(Referable::Bytes);
        self.bytes.counted()?;
        Ok(())
    }

    fn string(&mut self) -> Result<(), ContainerFault> {
        match self.bytes.octet()? {
            constant::NULL => Ok(()),
            constant::STRING => self.new_text().map(drop),
            constant::REFERENCE if matches!(self.referred()?, Referable::Text(_)) => Ok(()),
            _ => Err(OTHER),
        }
    }

    fn new_text(&mut self) -> Result<&'a [u8], ContainerFault> {
        let text = self.bytes.text()?;
        self.seen.push(Referable::Text(text));
        Ok(text)
    }

    fn referred(&mut self) -> Result<Referable<'a>, ContainerFault> {
        let number = self.bytes.number()?;
        let index = number.checked_sub(BASE).ok_or(OTHER)?;
        let index = usize::try_from(index).map_err(|_| OTHER)?;
        self.seen.get(index).copied().ok_or(OTHER)
    }

    fn expect(&mut self, constant: u8) -> Result<(), ContainerFault> {
        match self.bytes.octet()? == constant {
            true => Ok(()),
            false => Err(OTHER),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::java_bytes::SHORT;
    use super::*;

    fn text(text: &[u8]) -> Vec<u8> {
        let length = u16::try_from(text.len()).unwrap().to_be_bytes();
        [&length[..], text].concat()
    }

    fn class(name: &[u8], flags: u8, fields: &[&[u8]]) -> Vec<u8> {
        let count = u16::try_from(fields.len()).unwrap().to_be_bytes();
        let fields = fields.concat();
        let parts = [
            &[constant::CLASS][..],
            &text(name),
            &[7; 8],
            &[flags],
            &count,
        ];
        [
            &parts.concat()[..],
            &fields,
            &[constant::END_OF_ANNOTATIONS],
        ]
        .concat()
    }

    fn string(written: &[u8]) -> Vec<u8> {
        [&[constant::STRING], &text(written)[..]].concat()
    }

    fn field(kind: u8, name: &[u8], class: &[u8]) -> Vec<u8> {
        [&[kind], &text(name)[..], class].concat()
    }

    fn reference(number: u32) -> Vec<u8> {
        [&[constant::REFERENCE], &(BASE + number).to_be_bytes()[..]].concat()
    }

    /// A `SealedObject` with these fields and values, and classes before it.
    fn object(below: &[Vec<u8>], fields: &[&[u8]], values: &[&[u8]]) -> Vec<u8> {
        let class = class(SEALED_OBJECT, constant::SERIALIZABLE, fields);
        [
            BEGIN,
            &below.concat(),
            &class,
            &[constant::NULL],
            &values.concat(),
        ]
        .concat()
    }

    fn array(class: &[u8], content: &[u8]) -> Vec<u8> {
        let length = u32::try_from(content.len()).unwrap().to_be_bytes();
        [&[constant::ARRAY], class, &length, content].concat()
    }

    fn skipped(bytes: &[u8]) -> Result<usize, ContainerFault> {
        let behind = [bytes, b"behind it"].concat();
        let mut bytes = JavaBytes::new(&behind);
        skip(&mut bytes).map(|()| bytes.left())
    }

    #[test]
    fn objects_are_walked_to_their_end_and_others_are_not() {
        let byte_class = class(BYTES, constant::SERIALIZABLE, &[]);
        let byte_class = [&byte_class[..], &[constant::NULL]].concat();
        let new = array(&byte_class, &[1, 2, 3]);
        let bytes = field(b'[', b"encodedParams", &string(BYTES));
        let algorithm = field(b'L', b"sealAlg", &string(STRING));
        let below = class(b"com.sun.Below", constant::SERIALIZABLE, &[]);
        let null = &[constant::NULL][..];
        let good = [
            // As Java before 8u171 writes it: without a class below. Numbers count from the class.
            object(&[], &[&bytes, &algorithm], &[&new, &string(b"AES")]),
            object(
                std::slice::from_ref(&below),
                &[&bytes, &algorithm],
                &[&new, &string(b"AES")],
            ),
            object(&[], &[&bytes, &algorithm], &[null, null]),
            object(&[], &[], &[]),
            // `[B` at 1 is a text, the object 2, the class of the first array 3, the array 4.
            object(
                &[],
                &[&bytes, &field(b'[', b"encryptedContent", &reference(1))],
                &[&new, &array(&reference(3), &[4; 300])],
            ),
            object(
                &[],
                &[&bytes, &field(b'[', b"encryptedContent", &reference(1))],
                &[&new, &reference(4)],
            ),
        ];
        for (number, object) in good.iter().enumerate() {
            assert_eq!(skipped(object), Ok(9), "{number}");
            for end in 0..object.len() {
                let mut bytes = JavaBytes::new(&object[..end]);
                assert_eq!(skip(&mut bytes), Err(SHORT), "{number} {end}");
            }
        }
        let nine = vec![&algorithm[..]; 9];
        let other = [
            object(&[below.clone(), below.clone()], &[], &[]),
            object(
                &[class(b"Below", constant::SERIALIZABLE, &[&bytes])],
                &[],
                &[],
            ),
            object(&[class(b"Below", 3, &[])], &[], &[]),
            object(&[], &nine, &[]),
            object(
                &[],
                &[&field(b'L', b"sealAlg", &string(b"Ljava/lang/Object;"))],
                &[],
            ),
            object(&[], &[&field(b'I', b"count", &string(BYTES))], &[]),
            // A text where an array belongs, another array, references to what is not there or other.
            object(&[], &[&bytes], &[&string(b"AES")]),
            object(&[], &[&bytes], &[&array(&reference(0), &[1])]),
            object(&[], &[&bytes], &[&reference(9)]),
            object(&[], &[&bytes], &[&reference(1)]),
            object(&[], &[&algorithm], &[&reference(0)]),
            object(&[], &[&algorithm], &[&[constant::REFERENCE, 0, 0, 0, 1]]),
        ];
        for (number, object) in other.iter().enumerate() {
            assert_eq!(skipped(object), Err(OTHER), "{number}");
        }
    }

    #[test]
    fn what_promises_more_bytes_than_there_are_is_cut() {
        let bytes = field(b'[', b"encodedParams", &string(BYTES));
        let byte_class = class(BYTES, constant::SERIALIZABLE, &[]);
        let long = [
            &[constant::ARRAY][..],
            &byte_class,
            &[constant::NULL, 0xff, 0xff, 0xff, 0xff],
        ];
        let object = object(&[], &[&bytes], &[&long.concat()]);
        assert_eq!(skipped(&object), Err(SHORT));
    }
}
