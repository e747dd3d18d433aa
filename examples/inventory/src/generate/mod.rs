//! Files to try it on: as many rows as wanted, made of real certificates, the same for the same seed.
//!
//! A row is a certificate of the corpora in which everything that differs from one certificate to the next
//! differs too: the serial number, the key (RSA moduli alone; a point that is not on its curve is refused by
//! other readers, so EC keys stay, and are shared by many hosts), the signature and the dates. So no dictionary and
//! no compression makes the file smaller than a real one. Nothing of it verifies; every byte of it parses.

mod bad;
mod error;
mod hosts;
mod moment;
mod output;
mod template;
mod templates;

pub use error::GenerateError;

use std::path::PathBuf;

use indicatif::{ProgressBar, ProgressStyle};
use notafter::time::Timestamp;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{RngCore as _, SeedableRng as _};

use hosts::Host;
use output::Output;
use templates::Templates;

/// What is to be generated.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Generation {
    /// Where the certificates are taken from: every PEM and DER file, and every PEM text in a gzipped JSON
    /// file, below this folder.
    pub corpora: PathBuf,
    /// The file, `.parquet` or `.csv`.
    pub file: PathBuf,
    /// How many rows.
    pub rows: u64,
    /// The same seed gives the same rows.
    pub seed: u64,
    /// Which part of the rows is no certificate, from 0 to 1.
    pub bad_share: f64,
    /// Leaves end between 30 days before and 370 days after this instant, CA certificates up to ten years
    /// after it.
    pub around: Timestamp,
}

impl Default for Generation {
    fn default() -> Self {
        Self {
            corpora: PathBuf::new(),
            file: PathBuf::new(),
            rows: 1_000_000,
            seed: 1,
            bad_share: 0.01,
            // 2026-06-01T00:00:00Z
            around: Timestamp::from_unix_seconds(1_780_272_000),
        }
    }
}

/// Rows that are held in memory and written as one row group: a reader holds a whole one too.
const GROUP: usize = 16_384;

/// Writes the file.
///
/// # Errors
/// [`GenerateError`] where there is nothing to make rows of, or the file cannot be written.
pub fn generate(wanted: &Generation) -> Result<(), GenerateError> {
    let mut rng = ChaCha8Rng::seed_from_u64(wanted.seed);
    let templates = Templates::read(&wanted.corpora, wanted.around, &mut rng)?;
    let mut output = Output::create(&wanted.file)?;
    let bar = ProgressBar::new(wanted.rows);
    if let Ok(style) = ProgressStyle::with_template(
        "{elapsed_precise} {bar:30} {human_pos} of {human_len} rows, {per_sec}, {eta} left",
    ) {
        bar.set_style(style);
    }
    let mut der = Vec::new();
    for number in 0..wanted.rows {
        let host = Host::next(wanted.rows, &mut rng);
        match share(&mut rng) < wanted.bad_share {
            true => output.row(&host, bad::row(&mut rng, &templates, &mut der))?,
            false => {
                templates.certificate(wanted.around, &mut rng, &mut der);
                output.row(&host, Some(&der))?;
            }
        }
        if number % 1024 == 0 {
            bar.set_position(number);
        }
    }
    output.finish()?;
    bar.finish_and_clear();
    Ok(())
}

/// Evenly from 0 up to 1, not included.
fn share(rng: &mut ChaCha8Rng) -> f64 {
    f64::from(rng.next_u32()) / (f64::from(u32::MAX) + 1.0)
}

/// Evenly from 0 up to `below`, not included; 0 where that is 0.
fn below(rng: &mut ChaCha8Rng, below: usize) -> usize {
    let below = below as u64;
    let picked = (u128::from(rng.next_u64()) * u128::from(below)) >> 64;
    usize::try_from(picked).unwrap_or(0)
}
