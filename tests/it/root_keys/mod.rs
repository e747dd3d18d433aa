//! Roots that name the key that will follow theirs (RFC 8649): what is read, what is believed, from when on
//! it counts, and every way to get around that.

mod anchors;
mod facts;
mod faults;
mod handshake;
mod kept;
mod refusals;
mod rules;

use std::path::Path;
use std::sync::Arc;

use notafter::announce::{PinFolder, RootAnnouncedPins, StoreNotice};
use notafter::cert::{NextRootKey, RootKeyHash};
use notafter::pin::{Pin, PinPosition, PinState, PinsInForce};
use notafter::{Certificate, PinSet, SpkiPin, Timestamp};
use pki_types::SignatureVerificationAlgorithm;
use rcgen::{BasicConstraints, CertificateParams, CustomExtension, DnType, IsCa, Issuer, KeyPair};

use crate::support::pki;
use crate::support::tls::ring;

pub const OID: [u64; 9] = [1, 3, 6, 1, 4, 1, 51483, 2, 1];

/// The value of an extension that names a digest.
pub fn value(hash: &[u8], digest: &[u8]) -> Vec<u8> {
    let element = |tag: u8, content: &[u8]| {
        let length = u8::try_from(content.len()).unwrap();
        [&[tag, length], content].concat()
    };
    let algorithm = element(0x30, &element(0x06, hash));
    element(0x30, &[algorithm, element(0x04, digest)].concat())
}

pub fn value_of(next: &NextRootKey) -> Vec<u8> {
    let last = match next.hash() {
        RootKeyHash::Sha256 => 1,
        RootKeyHash::Sha384 => 2,
        _ => 3,
    };
    let oid = [0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, last];
    value(&oid, next.digest())
}

pub fn extension(value: Vec<u8>) -> CustomExtension {
    CustomExtension::from_oid_content(&OID, value)
}

/// A root, of which any number of certificates can be made.
pub struct Root {
    pub name: &'static str,
    pub key: KeyPair,
}

impl Root {
    pub fn new(name: &'static str) -> Self {
        let key = KeyPair::generate().unwrap();
        Self { name, key }
    }

    pub fn params(&self, from: i64, to: i64) -> CertificateParams {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params
            .distinguished_name
            .push(DnType::CommonName, self.name);
        pki::validity(&mut params, from, to);
        params
    }

    /// Its self-signed certificate with these values of the extension.
    pub fn with_values(&self, from: i64, to: i64, values: &[Vec<u8>]) -> Certificate {
        let mut params = self.params(from, to);
        params.custom_extensions = values.iter().cloned().map(extension).collect();
        let certificate = params.self_signed(&self.key).unwrap();
        Certificate::from_der(certificate.der()).unwrap()
    }

    /// Without the extension, valid from 100 days ago on.
    pub fn plain(&self) -> Certificate {
        self.with_values(-100, 3000, &[])
    }

    /// Names the key of another one, valid from this day on.
    pub fn naming_from(&self, from: i64, next: &Self, hash: RootKeyHash) -> Certificate {
        self.with_values(from, 3000, &[value_of(&next.named_by(hash))])
    }

    /// Names it by SHA-256, valid from 10 days ago on.
    pub fn naming(&self, next: &Self) -> Certificate {
        self.naming_from(-10, next, RootKeyHash::Sha256)
    }

    /// A certificate for its key and name, signed by another key.
    pub fn signed_by(&self, issuer: &Self, params: CertificateParams) -> Certificate {
        let issuer_params = issuer.params(-100, 3000);
        let issuer = Issuer::from_params(&issuer_params, &issuer.key);
        let certificate = params.signed_by(&self.key, &issuer).unwrap();
        Certificate::from_der(certificate.der()).unwrap()
    }

    pub fn named_by(&self, hash: RootKeyHash) -> NextRootKey {
        NextRootKey::of_spki(hash, self.plain().facts().spki_der())
    }

    pub fn pin(&self) -> SpkiPin {
        SpkiPin::from_certificate(&self.plain())
    }

    pub fn pinned(&self, state: PinState, position: PinPosition) -> Pin {
        Pin::new(self.pin(), state).with_position(position)
    }

    /// Current, as an anchor.
    pub fn current(&self) -> Pin {
        self.pinned(PinState::Current, PinPosition::Anchor)
    }
}

pub fn set(pins: impl IntoIterator<Item = Pin>) -> PinSet {
    let pins = pins.into_iter();
    let builder = pins.fold(PinSet::builder(), notafter::pin::PinSetBuilder::with_pin);
    builder.build().unwrap()
}

pub fn algorithms() -> &'static [&'static dyn SignatureVerificationAlgorithm] {
    ring().signature_verification_algorithms.all
}

/// Around these pins, with nothing kept.
pub fn around(pins: impl Into<Arc<dyn PinsInForce>>, now: Timestamp) -> Arc<RootAnnouncedPins> {
    RootAnnouncedPins::builder(pins, algorithms()).open(now).0
}

/// Around these pins, kept in a folder.
pub fn kept(
    pins: impl Into<Arc<dyn PinsInForce>>,
    folder: &Path,
    now: Timestamp,
) -> (Arc<RootAnnouncedPins>, Vec<&'static str>) {
    let builder = RootAnnouncedPins::builder(pins, algorithms());
    let builder = builder.with_storage(Arc::new(PinFolder::new(folder)));
    let (pins, notices) = builder.open(now);
    (pins, codes(&notices))
}

pub fn codes(notices: &[StoreNotice]) -> Vec<&'static str> {
    notices.iter().map(StoreNotice::as_str).collect()
}

/// The pins of the only set.
pub fn pins_of(pins: &RootAnnouncedPins) -> Vec<Pin> {
    let generation = pins.generation();
    let [only] = &generation.sets.iter().collect::<Vec<_>>()[..] else {
        panic!("one set");
    };
    only.pins().to_vec()
}

/// The pin of this root, if there is one.
pub fn pin_of(pins: &RootAnnouncedPins, root: &Root) -> Option<Pin> {
    pins_of(pins).into_iter().find(|pin| pin.key == root.pin())
}

/// Whether this root's key is accepted.
pub fn accepts(pins: &RootAnnouncedPins, root: &Root, now: Timestamp) -> bool {
    let generation = pins.generation();
    let mut accepted = generation.sets.iter().flat_map(|set| set.accepted(now));
    accepted.any(|pin| pin.key == root.pin())
}
