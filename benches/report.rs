//! What an outlook costs, next to one plain webpki verification of the same chain in the same
//! run. Prints one line a row, tab-separated: name, ours in ns, peer, the peer's in ns, ratio.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::disallowed_methods
)]

use std::hint::black_box;
use std::time::{Duration, Instant};

use notafter::{Certificate, CertificateFacts, ChainJudge, Timestamp, TrustAnchors, Usage};
use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};
use rustls::pki_types::CertificateDer;
use webpki::{EndEntityCert, KeyUsage};
use x509_parser::prelude::{FromDer as _, X509Certificate};

/// Rounds of each side, interleaved. The ratio is the median of the rounds' ratios, so that a
/// machine which slows down for a while slows both sides.
const ROUNDS: usize = 1_001;

fn main() {
    let one = Chain::mint(&[400]);
    let two = Chain::mint(&[9, 400]);
    let eight = Chain::mint(&[9, 10, 11, 12, 13, 14, 15, 400]);
    let algorithms = rustls::crypto::ring::default_provider()
        .signature_verification_algorithms
        .all;
    println!("name\tours_ns\tpeer\tpeer_ns\tratio");
    let chains = [
        ("outlook_one_path", &one),
        ("outlook_two_paths", &two),
        ("outlook_eight_paths", &eight),
    ];
    for (name, chain) in chains {
        let judge = ChainJudge::new(chain.anchors.clone(), algorithms, Usage::ServerAuth);
        row(
            name,
            "webpki verify",
            || chain.report(&judge),
            || chain.verify(algorithms),
        );
        let handshake = format!("{name}_handshake");
        row(
            &handshake,
            "webpki verify",
            || chain.handshake(&judge),
            || chain.verify(algorithms),
        );
    }
    let leaf = one.certificates.first().unwrap().der();
    // Nobody in it is trusted: webpki looks for a path as long as we do.
    let hopeless = eight.without_anchors();
    let judge = ChainJudge::new(hopeless.anchors.clone(), algorithms, Usage::ServerAuth);
    row(
        "outlook_hopeless",
        "webpki verify",
        || hopeless.report(&judge),
        || hopeless.refuse(algorithms),
    );
    let ladder = Chain::ladder();
    let judge = ChainJudge::new(ladder.anchors.clone(), algorithms, Usage::ServerAuth);
    // webpki needs seconds to give the ladder up: against one verification of an ordinary chain.
    row(
        "hostile_ladder",
        "webpki verify of an ordinary chain",
        || ladder.report(&judge),
        || one.verify(algorithms),
    );
    row(
        "hostile_ladder_handshake",
        "webpki verify of an ordinary chain",
        || drop(black_box(judge.handshake(&ladder.certificates, ladder.now))),
        || one.verify(algorithms),
    );
    row(
        "hostile_ladder_same_chain",
        "webpki verify of the same chain",
        || ladder.report(&judge),
        || ladder.refuse(algorithms),
    );
    let dead_ends = Chain::dead_ends();
    let judge = ChainJudge::new(dead_ends.anchors.clone(), algorithms, Usage::ServerAuth);
    row(
        "hostile_dead_ends",
        "webpki verify",
        || dead_ends.report(&judge),
        || dead_ends.verify(algorithms),
    );
    row(
        "facts",
        "x509-parser",
        || {
            black_box(CertificateFacts::parse(black_box(leaf)).unwrap());
        },
        || {
            black_box(X509Certificate::from_der(black_box(leaf)).unwrap());
        },
    );
}

fn row(name: &str, peer: &str, ours: impl Fn(), theirs: impl Fn()) {
    // Both sides run often enough in a round that reading the clock does not count.
    let batch = batch(&theirs);
    let (mut our_times, mut their_times, mut ratios) = (Vec::new(), Vec::new(), Vec::new());
    for round in 0..ROUNDS {
        // Who goes first alternates, so that neither side has the warmer cache every time.
        let (ours, theirs) = if round % 2 == 0 {
            let ours = time(&ours, batch);
            (ours, time(&theirs, batch))
        } else {
            let theirs = time(&theirs, batch);
            (time(&ours, batch), theirs)
        };
        our_times.push(ours);
        their_times.push(theirs);
        ratios.push(ours / theirs);
    }
    let [ours, theirs, ratio] = [our_times, their_times, ratios].map(median);
    println!("{name}\t{ours:.1}\t{peer}\t{theirs:.1}\t{ratio:.3}");
}

fn batch(work: &impl Fn()) -> u32 {
    let one = time(work, 100).max(1.0);
    let nanos = Duration::from_micros(200).as_secs_f64() * 1e9;
    // At least one, at most a thousand: within u32.
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    let batch = (nanos / one).clamp(1.0, 1000.0) as u32;
    batch
}

/// Nanoseconds of one piece of work.
fn time(work: &impl Fn(), batch: u32) -> f64 {
    let start = Instant::now();
    for _ in 0..batch {
        work();
    }
    start.elapsed().as_secs_f64() * 1e9 / f64::from(batch)
}

fn median(mut times: Vec<f64>) -> f64 {
    times.sort_by(f64::total_cmp);
    times.get(times.len() / 2).copied().unwrap_or_default()
}

fn now() -> time::OffsetDateTime {
    time::OffsetDateTime::from_unix_timestamp(1_767_225_600).unwrap()
}

fn validity(params: &mut CertificateParams, days: i64) {
    params.not_before = now() - time::Duration::days(10);
    params.not_after = now() + time::Duration::days(days);
}

fn ca(name: &str, days: i64) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.distinguished_name.push(DnType::CommonName, name);
    validity(&mut params, days);
    params
}

/// A leaf with 80 days left, and one cross-signed twin of its issuer for each end given, in days.
struct Chain {
    certificates: Vec<Certificate>,
    intermediates: Vec<CertificateDer<'static>>,
    anchors: TrustAnchors,
    now: Timestamp,
}

impl Chain {
    fn mint(ends: &[i64]) -> Self {
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
            now: Timestamp::from_unix_seconds(now.unix_timestamp()),
        }
    }

    /// The same chain for somebody who trusts nobody in it.
    fn without_anchors(&self) -> Self {
        let stranger = Self::mint(&[400]);
        Self {
            certificates: self.certificates.clone(),
            intermediates: self.intermediates.clone(),
            anchors: stranger.anchors,
            now: self.now,
        }
    }

    /// Six levels of eight certificates of the same name each, up to the name of the root.
    fn ladder() -> Self {
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

    /// A real chain, and 256 certificates that lead nowhere.
    fn dead_ends() -> Self {
        let mut chain = Self::mint(&[400]);
        for n in 0..256 {
            chain.present("Nowhere", &format!("Dead end {n}"));
        }
        chain
    }

    /// Presents a CA certificate that anybody can make.
    fn present(&mut self, issuer: &str, subject: &str) {
        let issuer = Issuer::new(ca(issuer, 3000), KeyPair::generate().unwrap());
        let made = ca(subject, 400)
            .signed_by(&KeyPair::generate().unwrap(), &issuer)
            .unwrap();
        self.certificates
            .push(Certificate::from_der(made.der()).unwrap());
        self.intermediates.push(made.der().clone());
    }

    fn refuse(
        &self,
        algorithms: &'static [&'static dyn rustls::pki_types::SignatureVerificationAlgorithm],
    ) {
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

    fn report(&self, judge: &ChainJudge) {
        black_box(judge.report(black_box(&self.certificates), None, self.now));
    }

    fn handshake(&self, judge: &ChainJudge) {
        black_box(judge.handshake(black_box(&self.certificates), self.now)).unwrap();
    }

    fn verify(
        &self,
        algorithms: &'static [&'static dyn rustls::pki_types::SignatureVerificationAlgorithm],
    ) {
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
