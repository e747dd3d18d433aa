//! What kind of private key this is, for whoever is told that it cannot be used. Nothing private
//! is read: the algorithm's name, and how many bits an RSA modulus has.

use std::fmt;

use pki_types::PrivateKeyDer;

use crate::cert::der::{Reader, tag};

/// The algorithm of a private key, with what decides whether providers take it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum KeyKind {
    Rsa {
        bits: usize,
    },
    RsaPss,
    /// By the name of its curve.
    Ecdsa(&'static str),
    /// PKCS#8 without the public half, which ring wants.
    EcdsaAlone(&'static str),
    /// On a curve that is not known here.
    EcdsaOther,
    /// By the name of its parameter set.
    MlDsa(&'static str),
    /// By its name.
    Named(&'static str),
    Unknown,
}

/// Object identifiers of algorithms, without tag and length.
const RSA: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01];
const RSA_PSS: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x0a];
const EC: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01];
const NAMED: [(&[u8], &str); 5] = [
    (&[0x2b, 0x65, 0x70], "Ed25519"),
    (&[0x2b, 0x65, 0x71], "Ed448"),
    (&[0x2b, 0x65, 0x6e], "X25519, which signs nothing"),
    (&[0x2b, 0x65, 0x6f], "X448, which signs nothing"),
    (&[0x2a, 0x86, 0x48, 0xce, 0x38, 0x04, 0x01], "DSA"),
];
const ML_DSA: [(&[u8], &str); 3] = [
    (
        &[0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x03, 0x11],
        "ML-DSA-44",
    ),
    (
        &[0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x03, 0x12],
        "ML-DSA-65",
    ),
    (
        &[0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x03, 0x13],
        "ML-DSA-87",
    ),
];
const CURVES: [(&[u8], &str); 5] = [
    (&[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07], "P-256"),
    (&[0x2b, 0x81, 0x04, 0x00, 0x22], "P-384"),
    (&[0x2b, 0x81, 0x04, 0x00, 0x23], "P-521"),
    (&[0x2b, 0x81, 0x04, 0x00, 0x21], "P-224"),
    (&[0x2b, 0x81, 0x04, 0x00, 0x0a], "secp256k1"),
];

impl KeyKind {
    /// The kind of this key.
    pub(crate) fn of(key: &PrivateKeyDer<'_>) -> Self {
        let kind = match key {
            PrivateKeyDer::Pkcs1(key) => rsa(key.secret_pkcs1_der()),
            PrivateKeyDer::Sec1(key) => sec1(key.secret_sec1_der()),
            PrivateKeyDer::Pkcs8(key) => pkcs8(key.secret_pkcs8_der()),
            _ => None,
        };
        kind.unwrap_or(Self::Unknown)
    }

    /// Why a provider that says `error` does not take such a key.
    pub(crate) fn refusal(self, error: &impl fmt::Display) -> String {
        match self {
            // Every provider takes these.
            Self::Ecdsa("P-256" | "P-384") | Self::Named("Ed25519") | Self::Unknown => {
                error.to_string()
            }
            Self::Rsa { bits: 2048..=4096 } => error.to_string(),
            Self::Rsa { bits: ..2048 } => format!("it is {self}, and 2048 are the least"),
            Self::Ecdsa("P-521") | Self::EcdsaAlone("P-256" | "P-384") | Self::MlDsa(_) => {
                format!("it is {self}, which aws-lc-rs takes and ring does not")
            }
            _ => format!("it is {self}"),
        }
    }
}

impl fmt::Display for KeyKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Rsa { bits } => write!(f, "RSA with {bits} bits"),
            Self::RsaPss => f.write_str("RSA for PSS alone"),
            Self::Ecdsa(curve) => write!(f, "ECDSA over {curve}"),
            Self::EcdsaAlone(curve) => {
                write!(
                    f,
                    "ECDSA over {curve} without its public half, as Java writes it"
                )
            }
            Self::EcdsaOther => f.write_str("ECDSA over an uncommon curve"),
            Self::MlDsa(name) | Self::Named(name) => f.write_str(name),
            Self::Unknown => f.write_str("of an unknown kind"),
        }
    }
}

/// RFC 5915, 3: the curve.
const PARAMETERS: u8 = 0xa0;

/// RFC 5958, 2: version, algorithm, key.
fn pkcs8(der: &[u8]) -> Option<KeyKind> {
    let mut fields = Reader::new(der).enter(tag::SEQUENCE).ok()?;
    fields.enter(tag::INTEGER).ok()?;
    let mut algorithm = fields.enter(tag::SEQUENCE).ok()?;
    let inner = fields.enter(tag::OCTET_STRING).ok()?;
    let oid = algorithm.enter(tag::OID).ok()?.content();
    match oid {
        RSA => rsa(inner.content()),
        RSA_PSS => Some(KeyKind::RsaPss),
        EC => Some(match curve(algorithm) {
            KeyKind::Ecdsa(curve) if !has_public_half(inner) => KeyKind::EcdsaAlone(curve),
            kind => kind,
        }),
        _ => {
            let ml_dsa = named(&ML_DSA, oid).map(KeyKind::MlDsa);
            ml_dsa.or_else(|| named(&NAMED, oid).map(KeyKind::Named))
        }
    }
}

/// RFC 5915, 3: of what comes after version and key, the public half has the number 1.
fn has_public_half(mut inner: Reader<'_>) -> bool {
    const PUBLIC_KEY: u8 = 0xa1;
    let fields = inner.enter(tag::SEQUENCE).and_then(|mut fields| {
        fields.enter(tag::INTEGER)?;
        fields.enter(tag::OCTET_STRING)?;
        Ok(fields)
    });
    let Ok(mut fields) = fields else {
        return true;
    };
    // The curve may stand before it.
    fields.content().first() == Some(&PUBLIC_KEY)
        || (fields.enter(PARAMETERS).is_ok() && fields.content().first() == Some(&PUBLIC_KEY))
}

/// RFC 8017, A.1.2: version, modulus, and what is private.
fn rsa(der: &[u8]) -> Option<KeyKind> {
    let mut fields = Reader::new(der).enter(tag::SEQUENCE).ok()?;
    fields.enter(tag::INTEGER).ok()?;
    let modulus = fields.enter(tag::INTEGER).ok()?.content();
    let mut significant = modulus.iter().skip_while(|byte| **byte == 0);
    let first = significant.next()?;
    let leading = usize::try_from(first.leading_zeros()).ok()?;
    let bits = (significant.count() + 1) * 8;
    Some(KeyKind::Rsa {
        bits: bits - leading,
    })
}

/// RFC 5915, 3: version, key, the curve.
fn sec1(der: &[u8]) -> Option<KeyKind> {
    let mut fields = Reader::new(der).enter(tag::SEQUENCE).ok()?;
    fields.enter(tag::INTEGER).ok()?;
    fields.enter(tag::OCTET_STRING).ok()?;
    Some(match fields.enter(PARAMETERS) {
        Ok(parameters) => curve(parameters),
        Err(_) => KeyKind::EcdsaOther,
    })
}

fn curve(mut parameters: Reader<'_>) -> KeyKind {
    let oid = parameters.enter(tag::OID).map(|oid| oid.content());
    let known = oid.ok().and_then(|oid| named(&CURVES, oid));
    known.map_or(KeyKind::EcdsaOther, KeyKind::Ecdsa)
}

fn named(table: &[(&[u8], &'static str)], oid: &[u8]) -> Option<&'static str> {
    let row = table.iter().find(|(known, _)| *known == oid);
    row.map(|(_, name)| *name)
}
