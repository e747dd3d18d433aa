//! Announced pins: what is believed, from when on, and every way to get around it.

mod attacks;
mod authorities;
mod clocks;
pub mod command;
mod fetching;
mod format;
pub mod ground;
mod life;
mod openssl;
mod vectors;
