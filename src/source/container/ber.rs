//! Elements of BER (X.690, chapter 8), of which DER is a part: containers are written with lengths of
//! indefinite form and strings in pieces, which certificates never are.

use std::borrow::Cow;

/// So deep may elements of indefinite length, and pieces of strings, lie within each other.
const MAX_DEPTH: usize = 32;

pub(super) mod tag {
    pub(in super::super) const INTEGER: u8 = 0x02;
    pub(in super::super) const OCTET_STRING: u8 = 0x04;
    pub(in super::super) const OID: u8 = 0x06;
    pub(in super::super) const SEQUENCE: u8 = 0x30;
    pub(in super::super) const SET: u8 = 0x31;
    /// `[0]`, constructed.
    pub(in super::super) const ZERO: u8 = 0xa0;
    pub(super) const CONSTRUCTED: u8 = 0x20;
    pub(super) const NUMBER: u8 = 0x1f;
}

/// The bytes are not what belongs there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Damaged;

/// One element.
#[derive(Debug, Clone, Copy)]
pub(super) struct Element<'a> {
    pub(super) tag: u8,
    /// With its header, and its end where that is marked.
    pub(super) whole: &'a [u8],
    pub(super) content: &'a [u8],
}

impl<'a> Element<'a> {
    /// The first element of these bytes, with this tag.
    pub(super) fn first(bytes: &'a [u8], tag: u8) -> Result<Self, Damaged> {
        Elements { rest: bytes }.one(tag)
    }

    pub(super) const fn elements(self) -> Elements<'a> {
        Elements { rest: self.content }
    }

    /// What an OCTET STRING holds, whatever its tag: in one piece, or in several.
    pub(super) fn octets(self) -> Result<Cow<'a, [u8]>, Damaged> {
        if self.tag & tag::CONSTRUCTED == 0 {
            return Ok(Cow::Borrowed(self.content));
        }
        let mut octets = Vec::new();
        self.add_octets(&mut octets, MAX_DEPTH)?;
        Ok(Cow::Owned(octets))
    }

    fn add_octets(self, octets: &mut Vec<u8>, depth: usize) -> Result<(), Damaged> {
        if self.tag & tag::CONSTRUCTED == 0 {
            octets.extend(self.content);
            return Ok(());
        }
        let depth = depth.checked_sub(1).ok_or(Damaged)?;
        for piece in self.elements() {
            let piece = piece?;
            if piece.tag & !tag::CONSTRUCTED != tag::OCTET_STRING {
                return Err(Damaged);
            }
            piece.add_octets(octets, depth)?;
        }
        Ok(())
    }

    /// A positive INTEGER of up to 32 bits.
    pub(super) fn number(self) -> Result<u32, Damaged> {
        let significant = match self.content {
            [0, rest @ ..] => rest,
            [first, ..] if *first < 0x80 => self.content,
            _ => return Err(Damaged),
        };
        if significant.len() > 4 {
            return Err(Damaged);
        }
        let add = |number: u32, octet: &u8| (number << 8) | u32::from(*octet);
        Ok(significant.iter().fold(0, add))
    }
}

/// The elements of one, in their order.
#[derive(Debug, Clone, Copy)]
pub(super) struct Elements<'a> {
    rest: &'a [u8],
}

impl<'a> Elements<'a> {
    /// The next element, which must have this tag.
    pub(super) fn one(&mut self, tag: u8) -> Result<Element<'a>, Damaged> {
        let element = self.next().ok_or(Damaged)??;
        match element.tag == tag {
            true => Ok(element),
            false => Err(Damaged),
        }
    }
}

impl<'a> Iterator for Elements<'a> {
    type Item = Result<Element<'a>, Damaged>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.rest.is_empty() {
            return None;
        }
        let (element, rest) = split(self.rest, MAX_DEPTH).unzip();
        // After damage nothing more is known.
        self.rest = rest.unwrap_or_default();
        Some(element.ok_or(Damaged))
    }
}

/// The first element, and what comes after it.
fn split(bytes: &[u8], depth: usize) -> Option<(Element<'_>, &[u8])> {
    let (&tag, after) = bytes.split_first()?;
    let (&length, after) = after.split_first()?;
    if tag & tag::NUMBER == tag::NUMBER {
        return None;
    }
    let (content, rest) = match length {
        0x80 => split_marked(tag, after, depth)?,
        ..0x80 => after.split_at_checked(usize::from(length))?,
        0x81..=0x84 => {
            let (octets, after) = after.split_at_checked(usize::from(length - 0x80))?;
            let add = |length: usize, octet: &u8| (length << 8) | usize::from(*octet);
            after.split_at_checked(octets.iter().fold(0, add))?
        }
        _ => return None,
    };
    let whole = bytes.get(..bytes.len() - rest.len())?;
    let element = Element {
        tag,
        whole,
        content,
    };
    Some((element, rest))
}

/// The content of an element whose end is marked, and what comes after the mark.
fn split_marked(tag: u8, bytes: &[u8], depth: usize) -> Option<(&[u8], &[u8])> {
    if tag & tag::CONSTRUCTED == 0 {
        return None;
    }
    let depth = depth.checked_sub(1)?;
    let mut rest = bytes;
    loop {
        if let Some(after) = rest.strip_prefix(&[0, 0]) {
            let content = bytes.get(..bytes.len() - rest.len())?;
            return Some((content, after));
        }
        (_, rest) = split(rest, depth)?;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn nested(depth: usize) -> Vec<u8> {
        let inner = [4, 1, 7];
        [
            &[0x24, 0x80].repeat(depth)[..],
            &inner,
            &[0, 0].repeat(depth),
        ]
        .concat()
    }

    #[test]
    fn what_is_in_pieces_is_put_together_and_no_deeper_than_the_bound() {
        let pieces = [0x24, 0x80, 4, 2, 1, 2, 0x24, 3, 4, 1, 3, 0, 0, 9];
        let element = Elements { rest: &pieces }.next().unwrap().unwrap();
        assert_eq!(&*element.octets().unwrap(), [1, 2, 3]);
        assert_eq!(element.whole, &pieces[..13]);
        for (depth, is_read) in [(MAX_DEPTH, true), (MAX_DEPTH + 1, false)] {
            let bytes = nested(depth);
            let read = Element::first(&bytes, 0x24).and_then(Element::octets);
            assert_eq!(read.is_ok_and(|octets| *octets == [7]), is_read, "{depth}");
        }
    }

    #[test]
    fn what_promises_more_than_there_is_is_damaged() {
        let damaged: [&[u8]; 9] = [
            &[0x30],
            &[0x30, 1],
            &[0x30, 0x80],
            &[0x30, 0x80, 0],
            &[0x30, 0x84, 0xff, 0xff, 0xff, 0xff, 1],
            &[0x30, 0x85, 0, 0, 0, 0, 0],
            &[0x30, 0x82, 1],
            &[0x04, 0x80, 0, 0],
            &[0x1f, 1, 0],
        ];
        for bytes in damaged {
            let mut elements = Elements { rest: bytes };
            assert_eq!(elements.next().map(|found| found.is_err()), Some(true));
            assert!(elements.next().is_none());
        }
    }

    #[test]
    fn numbers_are_positive_and_have_32_bits() {
        let cases: [(&[u8], Result<u32, Damaged>); 6] = [
            (&[2, 1, 5], Ok(5)),
            (&[2, 2, 8, 0], Ok(2048)),
            (&[2, 5, 0, 0xff, 0xff, 0xff, 0xff], Ok(u32::MAX)),
            (&[2, 5, 1, 0, 0, 0, 0], Err(Damaged)),
            (&[2, 1, 0x80], Err(Damaged)),
            (&[2, 0], Err(Damaged)),
        ];
        for (bytes, expected) in cases {
            let number = Element::first(bytes, tag::INTEGER).and_then(Element::number);
            assert_eq!(number, expected, "{bytes:?}");
        }
    }
}
