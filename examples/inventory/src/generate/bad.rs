//! Rows as nobody wants them, and as every inventory has them.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::RngCore as _;

use super::below;
use super::templates::Templates;

/// The longest of them, seldom.
const LONG: usize = 1 << 20;

/// Null, empty, cut, damaged, with something behind it, noise, a length of 4 GB, and a megabyte of noise.
pub(super) fn row<'d>(
    rng: &mut ChaCha8Rng,
    templates: &Templates,
    der: &'d mut Vec<u8>,
) -> Option<&'d [u8]> {
    templates.unchanged(rng, der);
    let length = der.len();
    match below(rng, 700) {
        0..100 => return None,
        100..200 => der.clear(),
        200..400 => der.truncate(below(rng, length)),
        400..500 => der.extend_from_slice(b"\n"),
        // The tag of the whole, of the signed part, or of what stands in it.
        500..600 => der[[0, 4][below(rng, 2)]] ^= 0x10,
        600..650 => der
            .splice(1..4, [0x84, 0xff, 0xff, 0xff, 0xff])
            .for_each(drop),
        650..699 => noise(rng, der, length),
        _ => noise(rng, der, LONG),
    }
    Some(der)
}

fn noise(rng: &mut ChaCha8Rng, der: &mut Vec<u8>, length: usize) {
    der.clear();
    der.resize(length, 0);
    rng.fill_bytes(der);
}
