//! A passphrase in the forms that containers stretch.

use pkcs8::der::zeroize::Zeroizing;

/// A passphrase in each form; all of them are wiped when dropped.
pub(super) struct Secret {
    /// As it was given: PBES2 takes it so.
    pub(super) bytes: Zeroizing<Vec<u8>>,
    /// In UTF-16, the higher byte first, with an end of two zeros (RFC 7292, B.1): each form that
    /// programs have given it.
    pub(super) wide: Vec<Zeroizing<Vec<u8>>>,
}

impl Secret {
    pub(super) fn new(bytes: Zeroizing<Vec<u8>>) -> Self {
        let latin1 = |bytes: &[u8]| wide(bytes.iter().map(|byte| u16::from(*byte)));
        let wide = match std::str::from_utf8(&bytes) {
            // Some take no passphrase for nothing at all, others for its end alone.
            Ok("") => vec![Zeroizing::new(vec![0, 0]), Zeroizing::default()],
            Ok(text) if text.is_ascii() => vec![wide(text.encode_utf16())],
            // OpenSSL before 1.1 took every byte for a character.
            Ok(text) => vec![wide(text.encode_utf16()), latin1(&bytes)],
            Err(_) => vec![latin1(&bytes)],
        };
        Self { bytes, wide }
    }

    /// In UTF-16 without an end, as Java hashes it.
    pub(super) fn utf16(&self) -> &[u8] {
        let wide = self.wide.first().map_or(&[][..], |wide| wide);
        wide.get(..wide.len().saturating_sub(2)).unwrap_or_default()
    }
}

fn wide(units: impl Iterator<Item = u16>) -> Zeroizing<Vec<u8>> {
    // Grown at once: what it would leave behind when it moves is not wiped.
    let mut wide = Zeroizing::new(Vec::with_capacity(2 * units.size_hint().1.unwrap_or(0) + 2));
    for unit in units {
        wide.extend(unit.to_be_bytes());
    }
    wide.extend([0, 0]);
    wide
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_passphrase_has_each_form_that_programs_give_it() {
        let cases: [(&[u8], &[&[u8]]); 4] = [
            (b"", &[&[0, 0], &[]]),
            (b"ab", &[&[0, b'a', 0, b'b', 0, 0]]),
            (
                "é".as_bytes(),
                &[&[0, 0xe9, 0, 0], &[0, 0xc3, 0, 0xa9, 0, 0]],
            ),
            (&[0xe9], &[&[0, 0xe9, 0, 0]]),
        ];
        for (bytes, expected) in cases {
            let secret = Secret::new(Zeroizing::new(bytes.to_vec()));
            let wide: Vec<&[u8]> = secret.wide.iter().map(|wide| &wide[..]).collect();
            assert_eq!(wide, expected);
        }
        let text = Secret::new(Zeroizing::new("a😀".into()));
        assert_eq!(text.utf16(), [0, b'a', 0xd8, 0x3d, 0xde, 0]);
    }
}
