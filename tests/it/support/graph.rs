//! Random small PKIs: several roots, cross-signs, windows that overlap, touch and leave gaps, and
//! certificates whose signature is of another key. The same seed makes the same graph.

use notafter::{Certificate, Timestamp, TrustAnchors};
use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose,
};
use rustls::pki_types::CertificateDer;
use time::{Duration, OffsetDateTime};

use super::pki::NOW;

pub const NAME: &str = "a.example";

/// A leaf, what is presented with it, and what is trusted.
pub struct Graph {
    pub leaf: CertificateDer<'static>,
    pub intermediates: Vec<CertificateDer<'static>>,
    pub roots: Vec<CertificateDer<'static>>,
}

/// A small generator of numbers that need not be good, only the same every time.
pub struct Dice(u64);

impl Dice {
    pub fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ 0x5851_f42d_4c95_7f2d)
    }

    /// A number below `n`.
    pub fn below(&mut self, n: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) % n
    }

    pub fn pick<'t, T>(&mut self, of: &'t [T]) -> &'t T {
        &of[usize::try_from(self.below(of.len() as u64)).unwrap()]
    }

    /// A validity on a grid of days, so that windows share their ends, touch, and leave gaps.
    fn window(&mut self, starts: u64, lengths: u64, shift: i64) -> (i64, i64) {
        let first = i64::try_from(self.below(starts)).unwrap() * 10;
        let length = i64::try_from(self.below(lengths) + 1).unwrap() * 10;
        let day = 86_400;
        // Ends lie on the beginning of a day or one second before it.
        let end = (first + length) * day - i64::try_from(self.below(2)).unwrap();
        (first * day + shift, end + shift)
    }
}

struct Authority {
    name: String,
    key: KeyPair,
}

impl Graph {
    /// The graph of this seed, all its dates shifted by so many seconds.
    pub fn mint(seed: u64, shift: i64) -> Self {
        let mut dice = Dice::new(seed);
        let authorities = |kind: &str, count: u64| -> Vec<Authority> {
            let authority = |n| Authority {
                name: format!("{kind} {n}"),
                key: KeyPair::generate().unwrap(),
            };
            (0..count).map(authority).collect()
        };
        let root_count = 1 + dice.below(3);
        let ca_count = 1 + dice.below(3);
        let (roots, cas) = (authorities("Root", root_count), authorities("CA", ca_count));
        // Somebody with another key under the same names.
        let impostor = KeyPair::generate().unwrap();
        let root_windows: Vec<_> = roots.iter().map(|_| dice.window(3, 9, shift)).collect();
        let root_ders = roots.iter().zip(&root_windows).map(|(root, (from, to))| {
            let params = ca_params(&root.name, *from, *to);
            params.self_signed(&root.key).unwrap().der().clone()
        });
        let root_ders: Vec<_> = root_ders.collect();
        let mut intermediates = Vec::new();
        for _ in 0..(2 + dice.below(6)) {
            let subject = dice.pick(&cas);
            let by_root = dice.below(3) > 0;
            let issuer = dice.pick(if by_root { &roots } else { &cas });
            if issuer.name == subject.name {
                continue;
            }
            let (from, to) = dice.window(7, 4, shift);
            let forged = dice.below(8) == 0;
            let key = if forged { &impostor } else { &issuer.key };
            let issuer = ca_params(&issuer.name, 0, 1);
            let issuer = Issuer::from_params(&issuer, key);
            let params = ca_params(&subject.name, from, to);
            intermediates.push(
                params
                    .signed_by(&subject.key, &issuer)
                    .unwrap()
                    .der()
                    .clone(),
            );
        }
        let issuer = dice.pick(&cas);
        let mut params = CertificateParams::new([NAME.to_owned()]).unwrap();
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.use_authority_key_identifier_extension = true;
        let (from, to) = dice.window(2, 3, shift);
        validity(&mut params, from, to + 50 * 86_400);
        let issuer_params = ca_params(&issuer.name, 0, 1);
        let issuer = Issuer::from_params(&issuer_params, &issuer.key);
        let leaf = params
            .signed_by(&KeyPair::generate().unwrap(), &issuer)
            .unwrap();
        // Not every root is trusted, but one is.
        let trusted = root_ders.into_iter().enumerate();
        let trusted = trusted.filter(|(n, _)| *n == 0 || dice.below(3) > 0);
        Self {
            leaf: leaf.der().clone(),
            intermediates,
            roots: trusted.map(|(_, der)| der).collect(),
        }
    }

    pub fn chain(&self) -> Vec<Certificate> {
        let ders = std::iter::once(&self.leaf).chain(&self.intermediates);
        ders.map(|der| Certificate::from_der(der).unwrap())
            .collect()
    }

    pub fn anchors(&self) -> TrustAnchors {
        TrustAnchors::builder()
            .with_certificates(&self.roots)
            .build()
    }

    /// One second before, at, and after every date.
    pub fn breakpoints(&self) -> Vec<Timestamp> {
        let roots = self
            .roots
            .iter()
            .map(|der| Certificate::from_der(der).unwrap());
        let dates = self.chain().into_iter().chain(roots);
        let dates = dates.flat_map(|c| [c.not_before(), c.not_after()]);
        let mut instants: Vec<_> = dates
            .flat_map(|t| [-1, 0, 1].map(|d| t.saturating_add(d)))
            .collect();
        instants.sort();
        instants.dedup();
        instants
    }
}

fn ca_params(name: &str, from: i64, to: i64) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params.distinguished_name.push(DnType::CommonName, name);
    params.use_authority_key_identifier_extension = true;
    validity(&mut params, from, to);
    params
}

fn validity(params: &mut CertificateParams, from: i64, to: i64) {
    let now = OffsetDateTime::from_unix_timestamp(NOW.as_unix_seconds()).unwrap();
    params.not_before = now + Duration::seconds(from);
    params.not_after = now + Duration::seconds(to);
}
