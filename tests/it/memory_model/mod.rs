//! Memory equals no memory, over generated PKIs, pins, clocks and inner verifiers: a verifier that
//! has been asked before says what a fresh one of the same configuration says at that instant, and
//! a guard hands out only sessions whose chain a fresh verifier accepts now, in this epoch.
//!
//! Two things are allowed. What only the inner verifier knows may be remembered for a minute. And a
//! guard may refuse what it could have handed out, but each test counts that it does not do so
//! always.
//!
//! Every test prints the seed of each disagreement. `NOTAFTER_MODEL_SEED=n` runs that seed alone;
//! `NOTAFTER_MODEL_QUESTIONS=10000000` asks so many questions instead of 150,000.

mod client_sessions;
mod ground;
mod handshakes;
mod inner;
mod known;
mod pins;
mod question;
mod relaxations;
mod server_sessions;
mod setup;
mod unproven;
mod verdicts;
