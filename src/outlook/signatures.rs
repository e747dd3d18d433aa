//! Signatures that were checked once need no second check: several paths share most of theirs,
//! and the same paths are asked about at several instants.

use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};

use pki_types::{
    AlgorithmIdentifier, FipsStatus, InvalidSignature, SignatureVerificationAlgorithm,
};

use super::paths::Algorithms;

/// The most distinct signatures that may fail in one search. Chains of real CAs have none that
/// fails, or a few where a CA kept its name with a new key; each one costs a verification.
const MAX_FAILURES: usize = 16;

/// What was found out about signatures, by their bytes.
#[derive(Debug, Default)]
pub(super) struct SignatureMemory {
    known: Mutex<Known>,
}

#[derive(Debug, Default)]
struct Known {
    checks: Vec<Check>,
    failures: usize,
    gave_up: bool,
}

#[derive(Debug)]
struct Check {
    algorithm: usize,
    /// Signature, public key and message, one after the other.
    bytes: Vec<u8>,
    /// Where the signature ends, and where the public key does.
    ends: (usize, usize),
    verdict: Result<(), InvalidSignature>,
}

impl SignatureMemory {
    /// The provider's algorithms, each asking this memory first.
    pub(super) fn remembering(&self, algorithms: Algorithms) -> Vec<Remembering<'_>> {
        let algorithms = algorithms.iter().enumerate();
        let remembering = algorithms.map(|(index, inner)| Remembering {
            inner: *inner,
            index,
            memory: self,
        });
        remembering.collect()
    }

    /// Whether so many signatures failed that the rest was not checked.
    pub(super) fn gave_up(&self) -> bool {
        self.known().gave_up
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One algorithm with the memory before it. What it says of a signature is what the provider's
/// algorithm says of exactly these bytes.
pub(super) struct Remembering<'m> {
    inner: &'static dyn SignatureVerificationAlgorithm,
    index: usize,
    memory: &'m SignatureMemory,
}

impl SignatureVerificationAlgorithm for Remembering<'_> {
    fn verify_signature(
        &self,
        public_key: &[u8],
        message: &[u8],
        signature: &[u8],
    ) -> Result<(), InvalidSignature> {
        let mut known = self.memory.known();
        let ends = (signature.len(), signature.len() + public_key.len());
        let check = known.checks.iter().find(|check| {
            check.algorithm == self.index
                && check.ends == ends
                && check.bytes.get(..ends.0) == Some(signature)
                && check.bytes.get(ends.0..ends.1) == Some(public_key)
                && check.bytes.get(ends.1..) == Some(message)
        });
        if let Some(check) = check {
            return check.verdict;
        }
        if known.failures >= MAX_FAILURES {
            known.gave_up = true;
            return Err(InvalidSignature);
        }
        let verdict = self.inner.verify_signature(public_key, message, signature);
        known.failures += usize::from(verdict.is_err());
        known.checks.push(Check {
            algorithm: self.index,
            bytes: [signature, public_key, message].concat(),
            ends,
            verdict,
        });
        verdict
    }

    fn public_key_alg_id(&self) -> AlgorithmIdentifier {
        self.inner.public_key_alg_id()
    }

    fn signature_alg_id(&self) -> AlgorithmIdentifier {
        self.inner.signature_alg_id()
    }

    fn fips_status(&self) -> FipsStatus {
        self.inner.fips_status()
    }

    fn fips(&self) -> bool {
        self.inner.fips()
    }
}

impl fmt::Debug for Remembering<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.fmt(f)
    }
}
