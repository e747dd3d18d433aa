//! The chains that rows are measured on, minted anew for each run.

use std::hint::black_box;

use notafter::{Certificate, ChainJudge, Timestamp, TrustAnchors};
use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
};
use rustls::pki_types::{CertificateDer, SignatureVerificationAlgorithm};
use webpki::{EndEntityCert, KeyUsage};

/// What signatures are verified with.
pub(super) type Algorithms = &'static [&'static dyn SignatureVerificationAlgorithm];

pub(super) fn algorithms() -> Algorithms {
    let provider = rustls::crypto::ring::default_provider();
    provider.signature_verification_algorithms.all
}

fn now() -> time::OffsetDateTime {
    time::OffsetDateTime::from_unix_timestamp(1_767_225_600).unwrap()
}

pub(super) fn validity(params: &mut CertificateParams, days: i64) {
    params.not_before = now() - time::Duration::days(10);
    params.not_after = now() + time::Duration::days(days);
}

pub(super) fn ca(name: &str, days: i64) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.distinguished_name.push(DnType::CommonName, name);
    validity(&mut params, days);
    params
}

/// A leaf with 80 days left, and one cross-signed twin of its issuer for each end given, in days.
pub(super) struct Chain {
    pub(super) certificates: Vec<Certificate>,
    pub(super) intermediates: Vec<CertificateDer<'static>>,
    pub(super) root: CertificateDer<'static>,
    pub(super) anchors: TrustAnchors,
    pub(super) now: Timestamp,
    /// The leaf's private key, PKCS #8.
    pub(super) key: Vec<u8>,
}

impl Chain {
    /// How many bytes its certificates have.
    pub(super) fn bytes(&self) -> usize {
        self.certificates.iter().map(|c| c.der().len()).sum()
    }

    pub(super) fn mint(ends: &[i64]) -> Self {
        let now = now();
        let (root_key, issuing_key, leaf_key) = (
            KeyPair::generate().unwrap(),
            KeyPair::generate().unwrap(),
            KeyPair::generate().unwrap(),
        );
        let root_params = ca("Root", 3000);
        let root = root_params.self_signed(&root_key).unwrap().der().clone();
        let root_issuer = Issuer::new(root_params, root_key);
        let twins = ends.iter().map(|days| {
            let twin = ca("Issuing", *days)
                .signed_by(&issuing_key, &root_issuer)
                .unwrap();
            twin.der().clone()
        });
        let intermediates: Vec<_> = twins.collect();
        let mut leaf = CertificateParams::new(["a.example".to_owned()]).unwrap();
        validity(&mut leaf, 80);
        let leaf = leaf
            .signed_by(&leaf_key, &Issuer::new(ca("Issuing", 400), issuing_key))
            .unwrap();
        let certificates = std::iter::once(leaf.der()).chain(&intermediates);
        Self {
            certificates: certificates
                .map(|der| Certificate::from_der(der).unwrap())
                .collect(),
            intermediates,
            anchors: TrustAnchors::builder().with_certificates([&root]).build(),
            root,
            now: Timestamp::from_unix_seconds(now.unix_timestamp()),
            key: leaf_key.serialize_der(),
        }
    }

    /// The same chain for somebody who trusts nobody in it.
    pub(super) fn without_anchors(&self) -> Self {
        let stranger = Self::mint(&[400]);
        Self {
            certificates: self.certificates.clone(),
            intermediates: self.intermediates.clone(),
            root: stranger.root,
            anchors: stranger.anchors,
            now: self.now,
            key: self.key.clone(),
        }
    }

    /// The same chain for somebody whose anchor has another name.
    pub(super) fn for_a_stranger(&self) -> Self {
        let key = KeyPair::generate().unwrap();
        let other = ca("Other root", 3000).self_signed(&key).unwrap();
        let mut chain = self.without_anchors();
        chain.anchors = TrustAnchors::builder()
            .with_certificates([other.der()])
            .build();
        chain
    }

    /// Six levels of eight certificates of the same name each, up to the name of the root.
    pub(super) fn ladder() -> Self {
        let mut chain = Self::mint(&[]);
        for level in 0..6 {
            let name = |level| {
                if level == 0 {
                    "Issuing".to_owned()
                } else {
                    format!("Level {level}")
                }
            };
            let issuer = if level == 5 {
                "Root".to_owned()
            } else {
                name(level + 1)
            };
            for _ in 0..8 {
                chain.present(&issuer, &name(level));
            }
        }
        chain
    }

    /// A real chain, and 510 certificates of its issuer's name by its issuer's name, each of them
    /// valid from another second on.
    pub(super) fn crowd() -> Self {
        let mut chain = Self::mint(&[400]);
        for n in 0..510 {
            chain.present_from("Issuing", "Issuing", n);
        }
        chain
    }

    /// A real chain, and three levels of 170 certificates below one that may not issue for servers:
    /// all that they cost is steps. Each of them is valid from another second on.
    pub(super) fn labyrinth() -> Self {
        let mut chain = Self::mint(&[400]);
        for n in 0..510 {
            let (subject, issuer) = match n % 3 {
                0 => ("Issuing", "Level 1"),
                1 => ("Level 1", "Level 2"),
                _ => ("Level 2", "Level 3"),
            };
            chain.present_from(issuer, subject, n);
        }
        let mut top = ca("Level 3", 400);
        top.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        let root = Issuer::new(ca("Root", 3000), KeyPair::generate().unwrap());
        let top = top.signed_by(&KeyPair::generate().unwrap(), &root).unwrap();
        chain.push(top.der());
        chain
    }

    /// As much of that as the default bounds of what a peer may present let through.
    pub(super) fn labyrinth_within_bounds() -> Self {
        let mut chain = Self::mint(&[60]);
        for level in 0..4 {
            for n in 0..3 {
                let name = |level| match level {
                    0 => "Issuing".to_owned(),
                    level => format!("Level {level}"),
                };
                chain.present_from(&name(level + 1), &name(level), n);
            }
        }
        let mut top = ca("Level 4", 400);
        top.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        let root = Issuer::new(ca("Root", 3000), KeyPair::generate().unwrap());
        let top = top.signed_by(&KeyPair::generate().unwrap(), &root).unwrap();
        chain.push(top.der());
        chain
    }

    /// Four levels of three certificates up to the name of the root, behind a real path that ends
    /// before its leaf.
    pub(super) fn ladder_within_bounds() -> Self {
        let mut chain = Self::mint(&[60]);
        for level in 0..4 {
            for n in 0..3 {
                let name = |level| match level {
                    0 => "Issuing".to_owned(),
                    4 => "Root".to_owned(),
                    level => format!("Level {level}"),
                };
                chain.present_from(&name(level + 1), &name(level), n);
            }
        }
        chain
    }

    /// A real chain, and so many certificates that lead nowhere.
    pub(super) fn dead_ends(count: usize) -> Self {
        let mut chain = Self::mint(&[400]);
        for n in 0..count {
            chain.present("Nowhere", &format!("Dead end {n}"));
        }
        chain
    }

    /// The same chain for somebody who trusts so many others as well.
    pub(super) fn with_anchors(mut self, count: usize) -> Self {
        let key = KeyPair::generate().unwrap();
        let mut anchors = TrustAnchors::builder();
        for n in 1..count {
            let other = ca(&format!("Other root {n}"), 3000)
                .self_signed(&key)
                .unwrap();
            anchors = anchors.with_certificates([other.der()]);
        }
        anchors = anchors.with_certificates([&self.root]);
        self.anchors = anchors.build();
        self
    }

    /// Presents a CA certificate that anybody can make.
    fn present(&mut self, issuer: &str, subject: &str) {
        self.present_from(issuer, subject, 0);
    }

    /// The same, valid from so many seconds after the others on.
    fn present_from(&mut self, issuer: &str, subject: &str, seconds: i64) {
        let issuer = Issuer::new(ca(issuer, 3000), KeyPair::generate().unwrap());
        let mut made = ca(subject, 400);
        made.not_before += time::Duration::seconds(seconds);
        let made = made.signed_by(&KeyPair::generate().unwrap(), &issuer);
        self.push(made.unwrap().der());
    }

    fn push(&mut self, der: &CertificateDer<'static>) {
        self.certificates.push(Certificate::from_der(der).unwrap());
        self.intermediates.push(der.clone());
    }

    pub(super) fn refuse(&self, algorithms: Algorithms) {
        let leaf = EndEntityCert::try_from(self.certificates.first().unwrap().der()).unwrap();
        let now = self.now.to_unix_time().unwrap();
        let anchors = self.anchors.as_slice();
        let usage = KeyUsage::server_auth();
        let path = leaf.verify_for_usage(
            algorithms,
            anchors,
            &self.intermediates,
            now,
            usage,
            None,
            None,
        );
        black_box(path.map(|_| ()).unwrap_err());
    }

    pub(super) fn report(&self, judge: &ChainJudge) {
        black_box(judge.report(black_box(&self.certificates), None, self.now));
    }

    pub(super) fn handshake(&self, judge: &ChainJudge) {
        black_box(judge.handshake(black_box(&self.certificates), self.now)).unwrap();
    }

    pub(super) fn verify(&self, algorithms: Algorithms) {
        let leaf = EndEntityCert::try_from(self.certificates.first().unwrap().der()).unwrap();
        let now = self.now.to_unix_time().unwrap();
        let path = leaf.verify_for_usage(
            algorithms,
            self.anchors.as_slice(),
            black_box(&self.intermediates),
            now,
            KeyUsage::server_auth(),
            None,
            None,
        );
        black_box(path.unwrap().anchor());
    }
}
