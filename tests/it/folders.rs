//! Watched folders: what a change in a large one costs, what is said of a file that goes, and that
//! one which is rewritten where it lies is told of once.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, UNIX_EPOCH};

use notafter::{Band, EventCode, Monitor, Severity, Target, Timestamp};
use rustls::crypto::{CryptoProvider, WebPkiSupportedAlgorithms};
use rustls::pki_types::{
    AlgorithmIdentifier, InvalidSignature, SignatureVerificationAlgorithm, alg_id,
};

use crate::monitor::{Pki, told};
use crate::support::pki::{NOW, days, pem_bundle};
use crate::support::tls::{Recorder, ring};

const DAY: i64 = 86_400;

/// Counts what it verifies.
#[derive(Debug)]
struct Counting;

static SIGNATURES: AtomicUsize = AtomicUsize::new(0);

impl SignatureVerificationAlgorithm for Counting {
    fn verify_signature(
        &self,
        public_key: &[u8],
        message: &[u8],
        signature: &[u8],
    ) -> Result<(), InvalidSignature> {
        SIGNATURES.fetch_add(1, Ordering::Relaxed);
        let all = ring().signature_verification_algorithms.all;
        let same = |algorithm: &&&dyn SignatureVerificationAlgorithm| {
            algorithm.public_key_alg_id() == self.public_key_alg_id()
                && algorithm.signature_alg_id() == self.signature_alg_id()
        };
        let algorithm = all.iter().find(same).unwrap();
        algorithm.verify_signature(public_key, message, signature)
    }

    fn public_key_alg_id(&self) -> AlgorithmIdentifier {
        alg_id::ECDSA_P256
    }

    fn signature_alg_id(&self) -> AlgorithmIdentifier {
        alg_id::ECDSA_SHA256
    }
}

fn counting() -> Arc<CryptoProvider> {
    static ALL: &[&dyn SignatureVerificationAlgorithm] = &[&Counting];
    Arc::new(CryptoProvider {
        signature_verification_algorithms: WebPkiSupportedAlgorithms {
            all: ALL,
            mapping: &[],
        },
        ..(*ring()).clone()
    })
}

/// A folder that is looked at, from [`NOW`] on.
struct Watching {
    folder: tempfile::TempDir,
    recorder: Arc<Recorder>,
    monitor: Arc<Monitor>,
    now: Timestamp,
}

impl Watching {
    fn start(pki: &Pki, poll_interval: u64, fill: impl FnOnce(&Path)) -> Self {
        Self::start_with(pki, ring(), poll_interval, fill)
    }

    fn start_with(
        pki: &Pki,
        provider: Arc<CryptoProvider>,
        poll_interval: u64,
        fill: impl FnOnce(&Path),
    ) -> Self {
        let (folder, recorder) = (tempfile::tempdir().unwrap(), Arc::<Recorder>::default());
        fill(folder.path());
        let monitor = pki
            .builder(recorder.clone())
            .with_provider(provider)
            .with_poll_interval(Duration::from_secs(poll_interval))
            .build()
            .unwrap();
        monitor.watch("certs", Target::from_path(folder.path()));
        monitor.tick(NOW);
        Self {
            folder,
            recorder,
            monitor,
            now: NOW,
        }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn tick(&mut self, seconds: i64) {
        self.now = self.now.saturating_add(seconds);
        self.monitor.tick(self.now);
    }

    fn told(&self) -> Vec<(&'static str, &'static str)> {
        told(&self.recorder)
    }
}

/// Writes a file as it was so many seconds before an instant.
fn write(path: &Path, contents: impl AsRef<[u8]>, now: Timestamp, age: i64) {
    fs::write(path, contents).unwrap();
    let seconds = u64::try_from(now.as_unix_seconds() - age).unwrap();
    let file = File::options().write(true).open(path).unwrap();
    file.set_modified(UNIX_EPOCH + Duration::from_secs(seconds))
        .unwrap();
}

#[test]
fn a_look_at_a_large_folder_judges_what_changed_and_nothing_else() {
    const FILES: usize = 150;
    let pki = Pki::new();
    let chains: Vec<_> = (0..FILES)
        .map(|_| pem_bundle(&pki.chain(-10, 80)))
        .collect();
    let mut watching = Watching::start_with(&pki, counting(), 60, |folder| {
        for (n, chain) in chains.iter().enumerate() {
            write(&folder.join(format!("{n:03}.pem")), chain, NOW, DAY);
        }
        // A warning, daily; it comes to be critical 10 days before its end, 5 days from now.
        write(
            &folder.join("ending.pem"),
            pem_bundle(&pki.chain(-75, 15)),
            NOW,
            DAY,
        );
    });
    let signatures = || SIGNATURES.swap(0, Ordering::Relaxed);
    let all = signatures();
    assert_eq!(
        all,
        2 * (FILES + 1),
        "the leaf's and the intermediate's of each"
    );
    assert_eq!(watching.told(), [("expiring", "warning")]);
    for _ in 0..5 {
        watching.tick(60);
        assert_eq!(signatures(), 0);
    }
    let one = watching.path("077.pem");
    write(&one, pem_bundle(&pki.chain(-1, 89)), watching.now, DAY);
    watching.tick(60);
    assert_eq!((signatures(), watching.told()), (2, vec![]));
    // Written anew with what it holds: that is read, and nothing is judged.
    write(&one, fs::read(&one).unwrap(), watching.now, 60);
    watching.tick(60);
    assert_eq!(signatures(), 0);
    write(&one, "", watching.now, 60);
    watching.tick(60);
    assert_eq!(
        (signatures(), watching.told()),
        (0, vec![("source_failed", "warning")])
    );
    write(&one, &chains[0], watching.now, 60);
    watching.tick(60);
    assert_eq!(
        (signatures(), watching.told()),
        (2, vec![("source_recovered", "info")])
    );
    fs::remove_file(&one).unwrap();
    watching.tick(60);
    assert_eq!(
        (signatures(), watching.told()),
        (0, vec![("source_removed", "info")])
    );
    assert_eq!(watching.monitor.snapshot().chains.len(), FILES);
    // A repetition, and a date, are of one certificate.
    watching.now = days(1);
    watching.tick(0);
    assert_eq!(
        (signatures(), watching.told()),
        (2, vec![("expiring", "warning")])
    );
    watching.now = days(5).saturating_add(-1);
    watching.tick(0);
    watching.told();
    signatures();
    watching.tick(1);
    assert_eq!(
        (signatures(), watching.told()),
        (2, vec![("expiring", "critical")])
    );
    // What is asked for is read and judged, however still it seems.
    watching.monitor.refresh("certs");
    watching.tick(1);
    assert_eq!(signatures(), 2 * FILES);
}

#[test]
fn a_file_that_goes_is_told_as_removed_and_one_that_is_mended_as_readable_again() {
    let pki = Pki::new();
    let good = pem_bundle(&pki.chain(-10, 80));
    let mut watching = Watching::start(&pki, 60, |folder| {
        for name in ["good.pem", "damaged.pem", "mended.pem", "kept.pem"] {
            write(&folder.join(name), &good, NOW, DAY);
        }
        write(
            &folder.join("ending.pem"),
            pem_bundle(&pki.chain(-85, 5)),
            NOW,
            DAY,
        );
        fs::create_dir(folder.join("inner")).unwrap();
        write(&folder.join("inner/deep.pem"), "", NOW, DAY);
    });
    assert_eq!(
        watching.told(),
        [("expiring", "critical"), ("source_failed", "critical")]
    );
    for name in ["damaged.pem", "mended.pem"] {
        write(
            &watching.path(name),
            "-----BEGIN CERTIFICATE-----\nMII\n",
            watching.now,
            0,
        );
    }
    watching.tick(60);
    assert_eq!(watching.told(), [("source_failed", "warning"); 2]);
    for name in ["good.pem", "damaged.pem", "ending.pem", "inner/deep.pem"] {
        fs::remove_file(watching.path(name)).unwrap();
    }
    write(&watching.path("mended.pem"), &good, watching.now, 0);
    watching.tick(60);
    let events = watching.recorder.take();
    let mut short: Vec<_> = events
        .iter()
        .map(|event| {
            let source = Path::new(event.source.as_deref().unwrap());
            let name = source.file_name().unwrap().to_str().unwrap().to_owned();
            (name, event.code, event.severity, event.band)
        })
        .collect();
    short.sort();
    let note = Severity::Info;
    let expected = [
        (
            "damaged.pem",
            EventCode::SourceRemoved,
            note,
            Some(Band::Ok),
        ),
        ("deep.pem", EventCode::SourceRemoved, note, Some(Band::Ok)),
        // Its alarm ends, and says why.
        ("ending.pem", EventCode::Recovered, note, Some(Band::Ok)),
        ("good.pem", EventCode::SourceRemoved, note, None),
        (
            "mended.pem",
            EventCode::SourceRecovered,
            note,
            Some(Band::Ok),
        ),
    ];
    let expected =
        expected.map(|(name, code, severity, band)| (name.to_owned(), code, severity, band));
    assert_eq!(short, expected);
    let said = |code| events.iter().filter(move |event| event.code == code);
    assert!(said(EventCode::SourceRemoved).all(|event| event.message.contains("removed")));
    assert!(said(EventCode::Recovered).all(|event| event.message.contains("was removed")));
    assert!(
        said(EventCode::SourceRecovered).all(|event| event.message.ends_with("can be read again"))
    );
    // Nothing is said twice, and what is there again is no news.
    watching.tick(60);
    write(&watching.path("good.pem"), &good, watching.now, 0);
    watching.tick(60);
    assert!(watching.told().is_empty());
    // Watching something else is not reading it.
    write(&watching.path("kept.pem"), "", watching.now, 0);
    watching.tick(60);
    assert_eq!(watching.told(), [("source_failed", "warning")]);
    watching
        .monitor
        .watch("certs", Target::from_path(watching.path("good.pem")));
    watching.tick(1);
    assert_eq!(watching.told(), [("source_removed", "info")]);
}

#[test]
fn a_folder_of_files_that_go_at_once_is_one_event() {
    let pki = Pki::new();
    let good = pem_bundle(&pki.chain(-10, 80));
    let mut watching = Watching::start(&pki, 60, |folder| {
        write(&folder.join("kept.pem"), &good, NOW, DAY);
        fs::create_dir(folder.join("inner")).unwrap();
        for n in 0..30 {
            write(&folder.join(format!("inner/{n}.pem")), &good, NOW, DAY);
        }
    });
    fs::remove_dir_all(watching.path("inner")).unwrap();
    watching.tick(60);
    let events = watching.recorder.take();
    assert_eq!(events.len(), 1, "{events:?}");
    let (code, affected) = (events[0].code, events[0].affected);
    assert_eq!((code, affected), (EventCode::SourceRemoved, 30));
}

#[test]
fn a_file_rewritten_where_it_lies_does_not_flap_and_lasting_damage_is_told() {
    let pki = Pki::new();
    let good = pem_bundle(&pki.chain(-10, 80));
    let mut watching = Watching::start(&pki, 1, |folder| {
        write(&folder.join("a.pem"), &good, NOW, DAY);
        write(&folder.join("b.pem"), &good, NOW, DAY);
    });
    let path = watching.path("a.pem");
    // Cut within a block and between two, gone for a second, and good again.
    let half = &good[..good.len() / 3];
    let without_intermediate = &good[..=good.find("END CERTIFICATE-----\n").unwrap() + 20];
    for second in 0..40 {
        match second % 4 {
            0 => write(&path, half, watching.now, 0),
            1 => write(&path, without_intermediate, watching.now, 0),
            2 => fs::remove_file(&path).unwrap(),
            _ => write(&path, &good, watching.now, 0),
        }
        watching.tick(1);
        assert_eq!(watching.told(), [], "{second}");
        assert_eq!(watching.monitor.snapshot().chains.len(), 2, "{second}");
        assert_eq!(
            watching.monitor.snapshot().worst(),
            Some(Band::Ok),
            "{second}"
        );
    }
    // Damaged for good: told when it has been so for ten seconds, and mended at once.
    write(&path, half, watching.now, 0);
    let mut quiet = 0;
    while watching.told().is_empty() {
        watching.tick(1);
        quiet += 1;
    }
    assert_eq!(quiet, 11, "seen a second later, told once ten have passed");
    write(&path, &good, watching.now, 0);
    watching.tick(1);
    assert_eq!(watching.told(), [("source_recovered", "info")]);
    // Damaged, and written to every second: not whole at any look for a minute.
    let mut looks = 0;
    while watching.told().is_empty() {
        let damaged = &good[..good.len() / 3 + looks];
        write(&path, damaged, watching.now.saturating_add(1), 0);
        watching.tick(1);
        looks += 1;
    }
    assert_eq!(looks, 61);
    // Gone for good: the same.
    write(&path, &good, watching.now, 0);
    watching.tick(1);
    watching.told();
    fs::remove_file(&path).unwrap();
    let mut quiet = 0;
    while watching.told().is_empty() {
        watching.tick(1);
        quiet += 1;
    }
    assert_eq!(quiet, 11);
    assert_eq!(watching.monitor.snapshot().chains.len(), 1);
}

#[test]
fn between_rare_looks_a_file_that_was_written_to_a_moment_ago_gets_a_second_look() {
    let pki = Pki::new();
    let good = pem_bundle(&pki.chain(-10, 80));
    let mut watching = Watching::start(&pki, 60, |folder| {
        write(&folder.join("a.pem"), &good, NOW, DAY);
    });
    let path = watching.path("a.pem");
    let half = &good[..good.len() / 3];
    let next = |watching: &mut Watching| {
        let next = watching.monitor.tick(watching.now.saturating_add(60));
        watching.now = watching.now.saturating_add(60);
        next.seconds_since(watching.now)
    };
    write(&path, half, watching.now.saturating_add(60), 3);
    assert_eq!(next(&mut watching), 10);
    assert_eq!(watching.told(), []);
    // It was being written.
    write(&path, &good, watching.now, 0);
    watching.tick(10);
    assert_eq!(watching.told(), []);
    // It lies damaged.
    write(&path, half, watching.now.saturating_add(60), 3);
    assert_eq!(next(&mut watching), 10);
    watching.tick(10);
    assert_eq!(watching.told(), [("source_failed", "warning")]);
    // One that has lain damaged for longer is told of at once.
    write(&path, &good, watching.now, 0);
    watching.tick(60);
    assert_eq!(watching.told(), [("source_recovered", "info")]);
    write(&path, half, watching.now.saturating_add(60), 30);
    next(&mut watching);
    assert_eq!(watching.told(), [("source_failed", "warning")]);
}
