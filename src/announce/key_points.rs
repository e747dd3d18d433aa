//! Which bytes are a public key at all, and not only as long as one.
//!
//! Of a key of low order, anyone can make signatures that some verifiers take; a point off the
//! curve is no key. Neither can belong to an honest signer, so an authority that lists one is not
//! what its owners meant.

/// y of the points of order 1, 2, 4 and 8 of edwards25519, little-endian, without the sign of x
/// (RFC 8032, 5.1.2). Their other encodings are not below p and refused as such.
const ED25519_LOW_ORDER: [[u8; 32]; 5] = [
    // Order 4.
    [0; 32],
    // Order 1.
    [
        1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
        0, 0,
    ],
    // Order 2: p - 1.
    [
        0xec, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
        0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
        0xff, 0x7f,
    ],
    // Order 8.
    [
        0x26, 0xe8, 0x95, 0x8f, 0xc2, 0xb2, 0x27, 0xb0, 0x45, 0xc3, 0xf4, 0x89, 0xf2, 0xef, 0x98,
        0xf0, 0xd5, 0xdf, 0xac, 0x05, 0xd3, 0xc6, 0x33, 0x39, 0xb1, 0x38, 0x02, 0x88, 0x6d, 0x53,
        0xfc, 0x05,
    ],
    [
        0xc7, 0x17, 0x6a, 0x70, 0x3d, 0x4d, 0xd8, 0x4f, 0xba, 0x3c, 0x0b, 0x76, 0x0d, 0x10, 0x67,
        0x0f, 0x2a, 0x20, 0x53, 0xfa, 0x2c, 0x39, 0xcc, 0xc6, 0x4e, 0xc7, 0xfd, 0x77, 0x92, 0xac,
        0x03, 0x7a,
    ],
];

/// p = 2^255 - 19, little-endian.
const ED25519_P: [u8; 32] = [
    0xed, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
    0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f,
];

/// Whether these 32 bytes are no encoding of a point (RFC 8032, 5.1.3), or one of low order.
pub(super) fn is_low_order_ed25519(key: &[u8]) -> bool {
    let Ok(mut y) = <[u8; 32]>::try_from(key) else {
        return true;
    };
    if let Some(last) = y.last_mut() {
        *last &= 0x7f;
    }
    y.iter().rev().ge(ED25519_P.iter().rev()) || ED25519_LOW_ORDER.contains(&y)
}

/// Whether x and y, 32 bytes each, are a point of P-256: `y^2 = x^3 - 3x + b` (FIPS 186-4, D.1.2.3;
/// SEC 1, 3.2.2.1).
pub(super) fn is_on_p256(point: &[u8]) -> bool {
    let Some((x, y)) = point.split_at_checked(32) else {
        return false;
    };
    let (Some(x), Some(y)) = (P256Element::read(x), P256Element::read(y)) else {
        return false;
    };
    let minus_three_x = x.plus(x).plus(x).negated();
    let right = x.times(x).times(x).plus(minus_three_x).plus(P256_B);
    y.times(y) == right
}

/// A number below p = 2^256 - 2^224 + 2^192 + 2^96 - 1, the lowest limb first. Nothing here is secret,
/// so nothing needs to take the same time.
#[derive(Clone, Copy, PartialEq, Eq)]
struct P256Element([u64; 4]);

const P256_P: [u64; 4] = [
    0xffff_ffff_ffff_ffff,
    0x0000_0000_ffff_ffff,
    0x0000_0000_0000_0000,
    0xffff_ffff_0000_0001,
];

const P256_B: P256Element = P256Element([
    0x3bce_3c3e_27d2_604b,
    0x651d_06b0_cc53_b0f6,
    0xb3eb_bd55_7698_86bc,
    0x5ac6_35d8_aa3a_93e7,
]);

impl P256Element {
    /// Reads 32 bytes, the highest first; `None` unless they are below p.
    fn read(bytes: &[u8]) -> Option<Self> {
        let mut limbs = [0; 4];
        for (limb, bytes) in limbs.iter_mut().rev().zip(bytes.chunks(8)) {
            *limb = u64::from_be_bytes(bytes.try_into().ok()?);
        }
        let whole = bytes.len() == 32 && limbs.iter().rev().lt(P256_P.iter().rev());
        whole.then_some(Self(limbs))
    }

    fn plus(self, other: Self) -> Self {
        let (sum, carry) = add(self.0, other.0);
        let (less, borrow) = subtract(sum, P256_P);
        // Below p, unless the sum overflowed or p could be taken off.
        Self(if carry || !borrow { less } else { sum })
    }

    fn negated(self) -> Self {
        let (difference, _) = subtract(P256_P, self.0);
        // p itself is 0.
        Self(difference).plus(Self([0; 4]))
    }

    fn times(self, other: Self) -> Self {
        let mut product = Self([0; 4]);
        for limb in self.0.iter().rev() {
            for bit in (0..64).rev() {
                product = product.plus(product);
                if limb >> bit & 1 == 1 {
                    product = product.plus(other);
                }
            }
        }
        product
    }
}

fn add(one: [u64; 4], other: [u64; 4]) -> ([u64; 4], bool) {
    let (mut sum, mut carry) = ([0; 4], false);
    for (limb, (a, b)) in sum.iter_mut().zip(one.into_iter().zip(other)) {
        let (partial, first) = a.overflowing_add(b);
        let (whole, second) = partial.overflowing_add(u64::from(carry));
        (*limb, carry) = (whole, first || second);
    }
    (sum, carry)
}

fn subtract(one: [u64; 4], other: [u64; 4]) -> ([u64; 4], bool) {
    let (mut difference, mut borrow) = ([0; 4], false);
    for (limb, (a, b)) in difference.iter_mut().zip(one.into_iter().zip(other)) {
        let (partial, first) = a.overflowing_sub(b);
        let (whole, second) = partial.overflowing_sub(u64::from(borrow));
        (*limb, borrow) = (whole, first || second);
    }
    (difference, borrow)
}
