//! What watching a folder costs: the first look, a look at which nothing has changed, one after one
//! file has, and the memory. In CPU time of all threads (Linux; 0 elsewhere), so that cores, and
//! what else is done on the machine, do not count.

use std::fs::{self, File};
use std::hint::black_box;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, UNIX_EPOCH};

use notafter::{Loader, Monitor, Target, Timestamp};
use rcgen::{CertificateParams, Issuer, KeyPair};

use super::chains::{Chain, algorithms, ca, validity};
use super::telling::{monitor_builder, resident};

const DAY: u64 = 86_400;
/// So long each side is measured at the least: the system counts in hundredths of a second.
const LONG_ENOUGH: Duration = Duration::from_secs(1);

pub(super) fn rows() {
    for files in [1_000, 10_000, 100_000] {
        let folder = Folder::mint(files);
        let mut watching = Watching::start(&folder);
        watching.first_look(&folder, files);
        watching.still(&folder, files);
        watching.change(&folder, files);
    }
}

/// A folder of leaves, each with its issuer's certificate behind it.
struct Folder {
    files: tempfile::TempDir,
    chain: Chain,
    /// Two that can take each other's place.
    alternatives: [String; 2],
    /// How many bytes of DER there are in all of them.
    der: usize,
}

impl Folder {
    fn mint(files: usize) -> Self {
        let chain = Chain::mint(&[400]);
        let key = KeyPair::generate().unwrap();
        let issuing_key = KeyPair::generate().unwrap();
        let root_key = KeyPair::generate().unwrap();
        let root = ca("Root of many", 3_000);
        let anchor = root.self_signed(&root_key).unwrap();
        let root = Issuer::new(root, root_key);
        let issuing = ca("Issuer of many", 2_000);
        let intermediate = issuing.signed_by(&issuing_key, &root).unwrap();
        let issuing = Issuer::new(issuing, issuing_key);
        let mut der = 0;
        let mut pem = |number: usize| {
            let mut leaf = CertificateParams::new([format!("n{number}.example")]).unwrap();
            validity(&mut leaf, 80);
            let leaf = leaf.signed_by(&key, &issuing).unwrap();
            der += leaf.der().len() + intermediate.der().len();
            leaf.pem() + &intermediate.pem()
        };
        let folder = tempfile::tempdir().unwrap();
        for number in 0..files {
            let path = folder.path().join(format!("{number:06}.pem"));
            write_old(&path, &pem(number), chain.now);
        }
        let alternatives = [pem(files), pem(files + 1)];
        let anchors = notafter::TrustAnchors::builder().with_certificates([anchor.der()]);
        Self {
            files: folder,
            chain: Chain {
                anchors: anchors.build(),
                ..chain
            },
            alternatives,
            der,
        }
    }

    fn one(&self) -> PathBuf {
        self.files.path().join("000500.pem")
    }

    /// Whether each is as it was, as a person would ask.
    fn stat(&self) {
        let entries = fs::read_dir(self.files.path()).unwrap();
        let metadata = entries.map(|entry| entry.unwrap().metadata().unwrap());
        black_box(metadata.map(|metadata| metadata.len()).sum::<u64>());
    }
}

/// Written a day ago: what is newer is read once more.
fn write_old(path: &Path, contents: &str, now: Timestamp) {
    fs::write(path, contents).unwrap();
    let seconds = now.to_unix_time().unwrap().as_secs() - DAY;
    let file = File::options().write(true).open(path).unwrap();
    file.set_modified(UNIX_EPOCH + Duration::from_secs(seconds))
        .unwrap();
}

struct Watching {
    monitor: Arc<Monitor>,
    now: Timestamp,
}

impl Watching {
    fn start(folder: &Folder) -> Self {
        let monitor = monitor_builder(folder.chain.anchors.clone())
            .with_loader(Loader::new().with_max_files(1_000_000))
            .build()
            .unwrap();
        monitor.watch("folder", Target::from_path(folder.files.path()));
        Self {
            monitor,
            now: folder.chain.now,
        }
    }

    fn first_look(&mut self, folder: &Folder, files: usize) {
        let before = resident();
        let ours = cpu(|| self.look()).as_secs_f64();
        let grown = resident().saturating_sub(before);
        assert!(self.monitor.health_at(self.now).ready);
        let signatures = Chain::mint(&[400]);
        let one = each(|| signatures.verify(algorithms()));
        #[allow(clippy::cast_precision_loss)] // Far below 2^52.
        let [files_f, grown, der] = [files, grown, folder.der].map(|n| n as f64);
        print(
            &format!("monitor_folder_first_{files}"),
            ours,
            "webpki verify of each",
            one * files_f,
        );
        let (grown, der) = (grown / files_f, der / files_f);
        let ratio = grown / der;
        println!("monitor_folder_bytes_{files}\t{grown:.1}\tits DER\t{der:.1}\t{ratio:.3}");
    }

    fn look(&self) {
        black_box(self.monitor.tick(self.now));
    }

    fn tick(&mut self) {
        self.now = self.now.saturating_add(60);
        self.look();
    }

    fn still(&mut self, folder: &Folder, files: usize) {
        let ours = each(|| self.tick());
        let theirs = each(|| folder.stat());
        print(
            &format!("monitor_folder_still_{files}"),
            ours,
            "stat of each file",
            theirs,
        );
    }

    fn change(&mut self, folder: &Folder, files: usize) {
        let mut turn = 0;
        let ours = each(|| {
            turn += 1;
            write_old(&folder.one(), &folder.alternatives[turn % 2], self.now);
            self.tick();
        });
        let theirs = each(|| folder.stat());
        print(
            &format!("monitor_folder_change_{files}"),
            ours,
            "stat of each file",
            theirs,
        );
    }
}

/// Seconds of CPU time of one piece of work that is done again and again.
fn each(mut work: impl FnMut()) -> f64 {
    let (mut spent, mut times) = (Duration::ZERO, 0_u32);
    while spent < LONG_ENOUGH && times < 100_000 {
        spent += cpu(|| (0..10).for_each(|_| work()));
        times += 10;
    }
    spent.as_secs_f64() / f64::from(times)
}

/// The CPU time of this process for some work (Linux; 0 elsewhere).
fn cpu(work: impl FnOnce()) -> Duration {
    let before = cpu_so_far();
    work();
    cpu_so_far().saturating_sub(before)
}

fn cpu_so_far() -> Duration {
    let stat = fs::read_to_string("/proc/self/stat").unwrap_or_default();
    // Behind the name, which may hold anything: user and system time are the 12th and the 13th.
    let fields = stat.rsplit_once(')').map_or("", |(_, fields)| fields);
    let ticks = fields.split_whitespace().skip(11).take(2);
    let ticks: u64 = ticks.filter_map(|field| field.parse::<u64>().ok()).sum();
    Duration::from_millis(ticks * 10)
}

fn print(name: &str, ours: f64, peer: &str, theirs: f64) {
    let [ours, theirs] = [ours, theirs].map(|seconds| seconds * 1e9);
    let ratio = ours / theirs;
    println!("{name}\t{ours:.1}\t{peer}\t{theirs:.1}\t{ratio:.3}");
}
