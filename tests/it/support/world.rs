//! Random small PKIs to ask verifiers about again and again: short paths, cross-signs, dates that
//! lie seconds, days or months around NOW, revocation lists and staples. The same seed makes the
//! same shape, but for the keys.

use std::sync::Arc;

use notafter::{Certificate, SpkiPin, Timestamp, TrustAnchors};
use rcgen::{
    BasicConstraints, CertificateParams, CertificateRevocationListParams, DnType,
    ExtendedKeyUsagePurpose, IsCa, Issuer, KeyIdMethod, KeyPair, KeyUsagePurpose,
    RevokedCertParams, SerialNumber,
};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use time::OffsetDateTime;

use super::graph::Dice;
use super::ocsp::{self, Hash};
use super::pki::{NOW, days};

/// Every leaf is for both.
pub const NAMES: [&str; 2] = ["service.example", "other.example"];

const HOUR: i64 = 3_600;
const DAY: i64 = 86_400;

/// The last second of what lasts.
const LONG: i64 = 400 * DAY;

/// Who may be met, what they present, and who is trusted.
pub struct World {
    pub anchors: Arc<TrustAnchors>,
    pub roots: Vec<CertificateDer<'static>>,
    pub peers: Vec<Peer>,
    pub ca_pins: Vec<SpkiPin>,
    /// One revocation list of each CA.
    pub lists: Vec<Vec<u8>>,
    /// Everything at which something begins or ends.
    pub instants: Vec<Timestamp>,
}

/// A leaf with its key, and what may come along with it.
pub struct Peer {
    pub leaf: CertificateDer<'static>,
    /// The same in everything but that it lasts.
    pub twin: CertificateDer<'static>,
    pub key: PrivateKeyDer<'static>,
    pub pin: SpkiPin,
    /// The intermediates in the orders and choices in which they are presented.
    pub chains: Vec<Vec<CertificateDer<'static>>>,
    /// None, a good one, and one that says "revoked".
    pub staples: Vec<Vec<u8>>,
}

struct Authority {
    name: String,
    key: KeyPair,
}

impl Authority {
    fn params(&self, window: Window) -> CertificateParams {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        params
            .distinguished_name
            .push(DnType::CommonName, &*self.name);
        window.apply(&mut params);
        params
    }

    fn sign(&self, params: &CertificateParams, key: &KeyPair) -> CertificateDer<'static> {
        let own = self.params(Window(0, LONG));
        let issuer = Issuer::from_params(&own, &self.key);
        params.signed_by(key, &issuer).unwrap().der().clone()
    }

    fn list(&self, revoked: &[&Certificate], next_update: i64) -> Vec<u8> {
        let revoked = revoked.iter().map(|certificate| {
            let serial = certificate.serial_hex().replace(':', "");
            let serial = data_encoding::HEXLOWER_PERMISSIVE.decode(serial.as_bytes());
            RevokedCertParams {
                serial_number: SerialNumber::from(serial.unwrap()),
                revocation_time: offset(-LONG),
                reason_code: None,
                invalidity_date: None,
            }
        });
        let params = CertificateRevocationListParams {
            this_update: offset(-LONG),
            next_update: offset(next_update),
            crl_number: SerialNumber::from(1),
            issuing_distribution_point: None,
            revoked_certs: revoked.collect(),
            key_identifier_method: KeyIdMethod::Sha256,
        };
        let own = self.params(Window(0, LONG));
        let issuer = Issuer::from_params(&own, &self.key);
        params.signed_by(&issuer).unwrap().der().to_vec()
    }
}

/// From and to, in seconds from NOW.
#[derive(Clone, Copy)]
struct Window(i64, i64);

impl Window {
    fn any(dice: &mut Dice) -> Self {
        let from = match dice.below(6) {
            0 => *dice.pick(&[-HOUR, -1, 0, 1, HOUR, DAY, 10 * DAY]),
            _ => -*dice.pick(&[LONG, 100 * DAY, 10 * DAY, DAY]),
        };
        Self(from, Self::end(dice).max(from + 1))
    }

    fn end(dice: &mut Dice) -> i64 {
        match dice.below(7) {
            0..4 => LONG,
            4 => *dice.pick(&[0, 1, 30, 59, 60, 61, 90]),
            _ => *dice.pick(&[HOUR, DAY, 5 * DAY, 9 * DAY, 20 * DAY, 60 * DAY, 100 * DAY]),
        }
    }

    fn apply(self, params: &mut CertificateParams) {
        params.not_before = offset(self.0);
        params.not_after = offset(self.1);
    }
}

fn offset(seconds: i64) -> OffsetDateTime {
    let now = OffsetDateTime::from_unix_timestamp(NOW.as_unix_seconds()).unwrap();
    now + time::Duration::seconds(seconds)
}

impl World {
    pub fn mint(seed: u64) -> Self {
        let dice = &mut Dice::new(seed);
        let (root_count, ca_count) = (1 + dice.below(3), 1 + dice.below(2));
        let roots = authorities("Root", root_count);
        let cas = authorities("CA", ca_count);
        let root_ders = roots.iter().map(|root| {
            let params = root.params(Window::any(dice));
            params.self_signed(&root.key).unwrap().der().clone()
        });
        let root_ders: Vec<_> = root_ders.collect();
        let mut intermediates = Vec::new();
        for ca in &cas {
            for issuer in &roots {
                if dice.below(4) > 0 || intermediates.is_empty() {
                    let params = ca.params(Window::any(dice));
                    intermediates.push(issuer.sign(&params, &ca.key));
                }
            }
        }
        // One CA below the other makes paths of two lengths.
        if let [first, second] = &cas[..] {
            let params = first.params(Window::any(dice));
            intermediates.push(second.sign(&params, &first.key));
        }
        let issuers: Vec<_> = cas.iter().chain(&cas).chain(roots.first()).collect();
        let peers = (0..1 + dice.below(3)).map(|_| {
            let issuer = dice.pick(&issuers);
            Peer::mint(dice, issuer, &intermediates)
        });
        let peers: Vec<_> = peers.collect();
        let read = |der: &CertificateDer<'static>| Certificate::from_der(der).unwrap();
        let all: Vec<_> = root_ders.iter().chain(&intermediates).map(read).collect();
        let mut instants: Vec<_> = all
            .iter()
            .chain(
                &peers
                    .iter()
                    .map(|peer| read(&peer.leaf))
                    .collect::<Vec<_>>(),
            )
            .flat_map(|c| [c.not_before(), c.not_after()])
            .collect();
        let next_update = *dice.pick(&[60, HOUR, DAY, 8 * DAY, 30 * DAY]);
        instants.push(NOW.saturating_add(next_update - 1));
        instants.extend([NOW, days(STAPLED)]);
        let lists = cas.iter().chain(&roots).map(|ca| {
            let revoked: Vec<_> = all.iter().filter(|_| dice.below(8) == 0).collect();
            ca.list(&revoked, next_update)
        });
        let lists = lists.collect();
        instants.sort();
        instants.dedup();
        Self {
            anchors: Arc::new(
                TrustAnchors::builder()
                    .with_certificates(&root_ders)
                    .build(),
            ),
            ca_pins: roots.iter().chain(&cas).map(Authority::pin).collect(),
            roots: root_ders,
            peers,
            lists,
            instants,
        }
    }
}

/// Good staples are good for so many days from NOW.
const STAPLED: i64 = 6;

impl Peer {
    fn mint(
        dice: &mut Dice,
        issuer: &Authority,
        intermediates: &[CertificateDer<'static>],
    ) -> Self {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(NAMES.map(str::to_owned)).unwrap();
        params.extended_key_usages = vec![
            ExtendedKeyUsagePurpose::ServerAuth,
            ExtendedKeyUsagePurpose::ClientAuth,
        ];
        let window = Window::any(dice);
        window.apply(&mut params);
        let leaf = issuer.sign(&params, &key);
        Window(window.0, 2 * LONG).apply(&mut params);
        let twin = issuer.sign(&params, &key);
        let all = intermediates.to_vec();
        let mut reversed = all.clone();
        reversed.reverse();
        let mut chains = vec![all.clone(), reversed];
        for _ in 0..2 {
            let some = all.iter().filter(|_| dice.below(2) == 0);
            chains.push(some.cloned().collect());
        }
        let certificate = Certificate::from_der(&leaf).unwrap();
        Self {
            pin: SpkiPin::from_certificate(&certificate),
            staples: issuer.staples(&certificate),
            leaf,
            twin,
            key: PrivateKeyDer::Pkcs8(key.serialize_der().into()),
            chains,
        }
    }
}

impl Authority {
    fn pin(&self) -> SpkiPin {
        let params = self.params(Window(0, LONG));
        let der = params.self_signed(&self.key).unwrap();
        SpkiPin::from_certificate(&Certificate::from_der(der.der()).unwrap())
    }

    fn staples(&self, leaf: &Certificate) -> Vec<Vec<u8>> {
        let own = self.params(Window(0, LONG)).self_signed(&self.key).unwrap();
        let own = Certificate::from_der(own.der()).unwrap();
        let dates = (NOW, Some(days(STAPLED)));
        let revoked = ocsp::revoked(days(-1), None);
        let stapled = [ocsp::good(), revoked].map(|status| {
            let answer = ocsp::answer((leaf, &own), Hash::Sha1, status, dates);
            let data = ocsp::data(ocsp::by_name(&own), NOW, vec![answer]);
            ocsp::signed(data, &self.key, &[])
        });
        std::iter::once(Vec::new()).chain(stapled).collect()
    }
}

fn authorities(kind: &str, count: u64) -> Vec<Authority> {
    let named = |n| Authority {
        name: format!("{kind} {n}"),
        key: KeyPair::generate().unwrap(),
    };
    (0..count).map(named).collect()
}
