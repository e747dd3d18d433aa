//! The certificates of the corpora, ready to be copied.

use std::collections::BTreeMap;
use std::io::{Read as _, Result as IoResult};
use std::path::Path;

use flate2::read::GzDecoder;
use notafter::Certificate;
use notafter::cert::Sha256Digest;
use notafter::source::SourceContents;
use notafter::time::Timestamp;
use rand_chacha::ChaCha8Rng;
use serde_json::Value;

use super::template::Template;
use super::{GenerateError, below};

/// Leaves and CA certificates, in the order of their fingerprints: so no order of files changes a row.
pub(super) struct Templates {
    leaves: Vec<Template>,
    authorities: Vec<Template>,
}

const DAY: usize = 86_400;
/// One row in so many is a CA certificate.
const LEAVES_PER_AUTHORITY: usize = 50;

impl Templates {
    /// Reads every file below the folder; what cannot be read is passed over.
    ///
    /// # Errors
    /// [`GenerateError`] where the folder cannot be listed or holds no certificate.
    pub(super) fn read(
        corpora: &Path,
        around: Timestamp,
        rng: &mut ChaCha8Rng,
    ) -> Result<Self, GenerateError> {
        let mut found = BTreeMap::new();
        gather(corpora, &mut found).map_err(|error| GenerateError::File {
            path: corpora.to_owned(),
            error,
        })?;
        let templates = found.values().filter_map(Template::of);
        let (mut authorities, leaves): (Vec<_>, Vec<_>) =
            templates.partition(|template| template.is_ca);
        if authorities.is_empty() || leaves.is_empty() {
            return Err(GenerateError::NoCertificates {
                corpora: corpora.to_owned(),
            });
        }
        // All copies of a CA certificate end together: between two months and ten years on.
        for authority in &mut authorities {
            authority.end_at(later(around, 60 * DAY + below(rng, 3_590 * DAY)));
        }
        Ok(Self {
            leaves,
            authorities,
        })
    }

    /// A certificate: a leaf with dates of its own, seldom a CA certificate.
    pub(super) fn certificate(&self, around: Timestamp, rng: &mut ChaCha8Rng, der: &mut Vec<u8>) {
        if below(rng, LEAVES_PER_AUTHORITY) == 0 {
            return pick(&self.authorities, rng).copy(rng, der);
        }
        let leaf = pick(&self.leaves, rng);
        leaf.copy(rng, der);
        let first = around.saturating_add(-30 * 86_400);
        leaf.date(der, later(first, below(rng, 400 * DAY)));
    }

    /// A leaf as it is.
    pub(super) fn unchanged(&self, rng: &mut ChaCha8Rng, der: &mut Vec<u8>) {
        der.clear();
        der.extend_from_slice(pick(&self.leaves, rng).bytes());
    }
}

fn pick<'t>(templates: &'t [Template], rng: &mut ChaCha8Rng) -> &'t Template {
    &templates[below(rng, templates.len())]
}

fn later(instant: Timestamp, seconds: usize) -> Timestamp {
    instant.saturating_add(i64::try_from(seconds).unwrap_or(i64::MAX))
}

fn gather(folder: &Path, found: &mut BTreeMap<Sha256Digest, Certificate>) -> IoResult<()> {
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            gather(&path, found)?;
            continue;
        }
        let bytes = std::fs::read(&path)?;
        match path.extension().and_then(|extension| extension.to_str()) {
            Some("gz") => gather_json(&bytes, found),
            // Packed, and not for use here.
            Some("bin") => {}
            _ => gather_bytes(&bytes, found),
        }
    }
    Ok(())
}

fn gather_bytes(bytes: &[u8], found: &mut BTreeMap<Sha256Digest, Certificate>) {
    for certificate in SourceContents::from_bytes("", bytes).certificates {
        let certificate = certificate.certificate;
        found.insert(certificate.fingerprint(), certificate);
    }
}

fn gather_json(packed: &[u8], found: &mut BTreeMap<Sha256Digest, Certificate>) {
    let mut text = Vec::new();
    if GzDecoder::new(packed).read_to_end(&mut text).is_ok()
        && let Ok(value) = serde_json::from_slice(&text)
    {
        gather_texts(&value, found);
    }
}

fn gather_texts(value: &Value, found: &mut BTreeMap<Sha256Digest, Certificate>) {
    match value {
        Value::String(text) if text.contains("-----BEGIN") => gather_bytes(text.as_bytes(), found),
        Value::Array(values) => values.iter().for_each(|value| gather_texts(value, found)),
        Value::Object(values) => values.values().for_each(|value| gather_texts(value, found)),
        _ => {}
    }
}
