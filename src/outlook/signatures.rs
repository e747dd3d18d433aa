//! Signatures that were checked once need no second check: several paths share most of theirs,
//! and the same paths are asked about at several instants.

use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};

use pki_types::{
    AlgorithmIdentifier, FipsStatus, InvalidSignature, SignatureVerificationAlgorithm,
};

use super::budget::{Budget, KNOWN_SIGNATURE, price_of_signature};
use crate::cert::SignatureAlgorithms;

/// What was found out about signatures, by their bytes.
#[derive(Debug, Default)]
pub(super) struct SignatureMemory {
    known: Mutex<CheckedSignatures>,
}

#[derive(Debug, Default)]
struct CheckedSignatures {
    /// In the order of what was checked.
    checks: Vec<CheckedSignature>,
    gave_up: bool,
}

#[derive(Debug)]
struct CheckedSignature {
    algorithm: usize,
    signature: Vec<u8>,
    public_key: Vec<u8>,
    message: Vec<u8>,
    verdict: Result<(), InvalidSignature>,
}

impl CheckedSignature {
    fn what(&self) -> (usize, &[u8], &[u8], &[u8]) {
        (
            self.algorithm,
            &self.signature,
            &self.public_key,
            &self.message,
        )
    }
}

impl SignatureMemory {
    /// The provider's algorithms, each asking this memory first, and the budget before it
    /// verifies.
    pub(super) fn remembering<'m>(
        &'m self,
        algorithms: SignatureAlgorithms,
        budget: &'m Budget,
        price_of_names: u64,
    ) -> Vec<Remembering<'m>> {
        self.known().gave_up = false;
        let algorithms = algorithms.iter().enumerate();
        let remembering = algorithms.map(|(index, inner)| Remembering {
            inner: *inner,
            index,
            memory: self,
            budget,
            price_of_names,
        });
        remembering.collect()
    }

    /// Whether the budget kept a signature of the last search from being checked.
    pub(super) fn gave_up(&self) -> bool {
        self.known().gave_up
    }

    fn known(&self) -> MutexGuard<'_, CheckedSignatures> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One algorithm with the memory before it. What it says of a signature is what the provider's
/// algorithm says of exactly these bytes.
pub(super) struct Remembering<'m> {
    inner: &'static dyn SignatureVerificationAlgorithm,
    index: usize,
    memory: &'m SignatureMemory,
    budget: &'m Budget,
    /// What may come after a signature that is good.
    price_of_names: u64,
}

impl SignatureVerificationAlgorithm for Remembering<'_> {
    fn verify_signature(
        &self,
        public_key: &[u8],
        message: &[u8],
        signature: &[u8],
    ) -> Result<(), InvalidSignature> {
        let mut known = self.memory.known();
        self.budget
            .charge(KNOWN_SIGNATURE.saturating_add(self.price_of_names));
        let asked = (self.index, signature, public_key, message);
        let place = known
            .checks
            .binary_search_by(|check| check.what().cmp(&asked));
        let place = match place {
            Ok(place) => {
                return known
                    .checks
                    .get(place)
                    .map_or(Err(InvalidSignature), |c| c.verdict);
            }
            Err(place) => place,
        };
        if self.budget.is_over() {
            known.gave_up = true;
            return Err(InvalidSignature);
        }
        self.budget.charge(price_of_signature(public_key, message));
        let verdict = self.inner.verify_signature(public_key, message, signature);
        let check = CheckedSignature {
            algorithm: self.index,
            signature: signature.to_vec(),
            public_key: public_key.to_vec(),
            message: message.to_vec(),
            verdict,
        };
        known.checks.insert(place, check);
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
