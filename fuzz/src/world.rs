//! A small world of CAs and leaves, the same in every run: keys come from their numbers, and Ed25519
//! signatures from keys and bytes alone.

use std::sync::{Arc, LazyLock};

use notafter::{Certificate, SpkiPin, TrustAnchors};
use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, GeneralSubtree, IsCa,
    Issuer, KeyPair, KeyUsagePurpose, NameConstraints, PKCS_ED25519,
};
use rustls::RootCertStore;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use time::{Duration, OffsetDateTime};

use crate::NOW;

/// What peers may present, and whom they are believed by.
pub struct World {
    /// Cross-signed, expired, constrained, misused: whatever may stand above a leaf.
    pub authorities: Vec<CertificateDer<'static>>,
    pub leaves: Vec<CertificateDer<'static>>,
    pub anchors: TrustAnchors,
    pub roots: Arc<RootCertStore>,
}

static WORLD: LazyLock<World> = LazyLock::new(World::new);

/// The names that leaves have, and some that none has.
pub const NAMES: [&str; 6] = [
    "a.example",
    "x.b.example",
    "c.example",
    "127.0.0.1",
    "other.example",
    "A.EXAMPLE",
];

#[derive(Clone, Copy)]
struct Dates(i64, i64);

impl World {
    pub fn get() -> &'static Self {
        &WORLD
    }

    /// A chain as a peer would present it.
    pub fn chain(&self, leaf: usize, above: &[usize]) -> Vec<Certificate> {
        let above = above
            .iter()
            .map(|n| &self.authorities[n % self.authorities.len()]);
        let leaf = std::iter::once(&self.leaves[leaf % self.leaves.len()]);
        let chain = leaf.chain(above).map(Certificate::from_der);
        chain.collect::<Result<_, _>>().expect("minted")
    }

    pub fn pin(&self, leaf: usize) -> SpkiPin {
        SpkiPin::from_certificate(&self.chain(leaf, &[])[0])
    }

    pub fn pin_of_authority(&self, number: usize) -> SpkiPin {
        let der = &self.authorities[number % self.authorities.len()];
        SpkiPin::from_certificate(&Certificate::from_der(der).expect("minted"))
    }

    fn new() -> Self {
        let long = Dates(-1000, 3650);
        let (root_a, root_b, root_c) = (ca("root A", 1), ca("root B", 2), ca("root C", 3));
        let (first, second) = (ca("first", 4), ca("second", 5));
        let mut narrow = ca("narrow", 6);
        narrow.0.name_constraints = Some(NameConstraints {
            permitted_subtrees: vec![GeneralSubtree::DnsName("other.example".to_owned())],
            excluded_subtrees: Vec::new(),
        });
        let mut last = ca("second", 5);
        last.0.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));

        let authorities = vec![
            signed(&root_a, &root_a, long),
            signed(&root_b, &root_b, Dates(-1000, 200)),
            signed(&root_b, &root_a, Dates(-100, 100)),
            signed(&root_c, &root_c, long),
            signed(&first, &root_a, Dates(-100, 500)),
            signed(&first, &root_b, Dates(-100, 300)),
            signed(&second, &first, Dates(-50, 50)),
            signed(&first, &root_a, Dates(-100, -1)),
            signed(&narrow, &root_a, Dates(-100, 500)),
            signed(&last, &first, Dates(-50, 40)),
            signed(&first, &root_c, long),
            signed(&second, &second, long),
        ];
        let plain = |key| leaf(&["a.example", "*.b.example", "127.0.0.1"], key);
        let mut for_clients = plain(13);
        for_clients.0.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        let leaves = vec![
            signed(&plain(10), &first, Dates(-10, 20)),
            signed(&plain(11), &second, Dates(-5, 60)),
            signed(&plain(10), &first, Dates(-100, -1)),
            signed(&plain(12), &first, Dates(5, 30)),
            signed(&for_clients, &first, Dates(-10, 30)),
            signed(&plain(14), &root_c, Dates(-10, 30)),
            signed(&plain(15), &plain(15), Dates(-10, 30)),
            signed(&plain(16), &narrow, Dates(-10, 30)),
            signed(&leaf(&["c.example"], 17), &first, Dates(-10, 90)),
            signed(&plain(18), &plain(10), Dates(-10, 30)),
            signed(&plain(10), &root_b, Dates(-3, 1)),
        ];
        let roots = [authorities[0].clone(), authorities[1].clone()];
        let anchors = TrustAnchors::builder().with_certificates(&roots).build();
        Self {
            roots: Arc::new(RootCertStore::from(&anchors)),
            authorities,
            leaves,
            anchors,
        }
    }
}

/// The private key with this number.
pub fn key(number: u8) -> PrivatePkcs8KeyDer<'static> {
    let mut der = vec![
        0x30, 0x2e, 2, 1, 0, 0x30, 5, 6, 3, 0x2b, 0x65, 0x70, 4, 0x22, 4, 0x20,
    ];
    der.extend([number; 32]);
    PrivatePkcs8KeyDer::from(der)
}

/// The first leaf's key.
pub fn first_leafs_key() -> PrivateKeyDer<'static> {
    PrivateKeyDer::Pkcs8(key(10))
}

struct Draft(CertificateParams, KeyPair);

fn draft(mut params: CertificateParams, name: &str, number: u8) -> Draft {
    params.distinguished_name.push(DnType::CommonName, name);
    let key = KeyPair::from_pkcs8_der_and_sign_algo(&key(number), &PKCS_ED25519);
    Draft(params, key.expect("a key of ours"))
}

fn ca(name: &str, number: u8) -> Draft {
    let mut params = CertificateParams::default();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    draft(params, name, number)
}

fn leaf(names: &[&str], number: u8) -> Draft {
    let names: Vec<_> = names.iter().map(|name| (*name).to_owned()).collect();
    let mut params = CertificateParams::new(names.clone()).expect("names of ours");
    params.extended_key_usages = vec![
        ExtendedKeyUsagePurpose::ServerAuth,
        ExtendedKeyUsagePurpose::ClientAuth,
    ];
    draft(params, &names[0], number)
}

fn signed(subject: &Draft, issuer: &Draft, Dates(from, to): Dates) -> CertificateDer<'static> {
    let now = OffsetDateTime::from_unix_timestamp(NOW.as_unix_seconds()).expect("now");
    let mut params = subject.0.clone();
    params.not_before = now + Duration::days(from);
    params.not_after = now + Duration::days(to);
    let issuer = Issuer::from_params(&issuer.0, &issuer.1);
    let certificate = params.signed_by(&subject.1, &issuer).expect("keys of ours");
    certificate.der().clone()
}
