//! What every model test stands on: the pool of worlds, episodes, and what is found.

use std::sync::{Arc, OnceLock};

use rustls::crypto::CryptoProvider;

use crate::support::graph::Dice;
use crate::support::tls::ring;
use crate::support::world::World;

/// Each test asks so many of these shares of all questions.
const SHARES: u64 = 150;

/// How many questions all tests together ask.
pub fn questions() -> u64 {
    let asked = std::env::var("NOTAFTER_MODEL_QUESTIONS");
    asked.map_or(SHARES * 1_000, |text| text.parse().unwrap())
}

/// The one seed that was asked for.
fn only_seed() -> Option<u64> {
    let asked = std::env::var("NOTAFTER_MODEL_SEED");
    asked.ok().map(|text| text.parse().unwrap())
}

/// The world of this seed. Minting is costly, so there are less worlds than seeds.
pub fn world(seed: u64) -> &'static World {
    static POOL: OnceLock<Vec<OnceLock<World>>> = OnceLock::new();
    let size = (questions() / 1_500).clamp(64, 4_096);
    let pool = POOL.get_or_init(|| (0..size).map(|_| OnceLock::new()).collect());
    let number = seed % size;
    pool[usize::try_from(number).unwrap()].get_or_init(|| World::mint(number))
}

pub fn provider() -> Arc<CryptoProvider> {
    static RING: OnceLock<Arc<CryptoProvider>> = OnceLock::new();
    RING.get_or_init(ring).clone()
}

/// What the episodes of one test came to.
#[derive(Default)]
pub struct Findings {
    pub asked: u64,
    /// Questions answered with yes, or sessions handed out.
    pub passed: u64,
    /// Sessions that could have been handed out.
    pub could: u64,
    wrong: Vec<String>,
    wrong_count: u64,
    /// Whether the test looks at one seed only.
    replay: bool,
}

impl Findings {
    pub fn wrong(&mut self, seed: u64, what: String) {
        self.wrong_count += 1;
        let told = self.wrong.iter().filter(|w| w.contains("seed")).count();
        if told < 8
            && !self
                .wrong
                .iter()
                .any(|w| w.contains(&format!("seed {seed} ")))
        {
            self.wrong.push(format!("seed {seed} {what}"));
        }
    }

    /// Fails with the first disagreements.
    pub fn settle(self, name: &str) -> Self {
        println!(
            "{name}: asked {}, passed {}, could {}, wrong {}",
            self.asked, self.passed, self.could, self.wrong_count
        );
        assert!(
            self.wrong.is_empty(),
            "{name}: {} of {} are wrong. Replay one with NOTAFTER_MODEL_SEED (and the same \
             NOTAFTER_MODEL_QUESTIONS, {}):\n{}",
            self.wrong_count,
            self.asked,
            questions(),
            self.wrong.join("\n")
        );
        self
    }

    /// That at least one in `n` of those that could pass did.
    pub fn at_least_one_in(&self, n: u64) {
        let enough = self.replay || self.passed * n >= self.could && self.passed > 20;
        assert!(enough, "{} of {} passed", self.passed, self.could);
    }
}

/// Plays episodes until so many shares of the questions are asked.
pub fn play(
    name: &str,
    shares: u64,
    mut episode: impl FnMut(u64, &mut Dice, &mut Findings),
) -> Findings {
    let mut findings = Findings::default();
    if let Some(seed) = only_seed() {
        findings.replay = true;
        episode(seed, &mut Dice::new(seed ^ 0xe91_50de), &mut findings);
        return findings.settle(name);
    }
    let mut seed = 1;
    while findings.asked < questions() * shares / SHARES {
        episode(seed, &mut Dice::new(seed ^ 0xe91_50de), &mut findings);
        seed += 1;
    }
    findings.settle(name)
}
