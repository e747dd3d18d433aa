//! Announced pins: what is believed, from when on, and every way to get around it.

mod attacks;
mod authorities;
mod chain;
mod clocks;
pub mod command;
mod emergencies;
mod fetching;
mod flooding;
mod format;
pub mod ground;
mod handovers;
mod life;
mod openssl;
mod stale;
pub mod vectors;
