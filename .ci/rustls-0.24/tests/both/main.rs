//! What must hold with every line of rustls, from the crate's own sources: `tests/it/both_lines` meets rustls 0.23
//! there, and the development line of 0.24 here.

#[path = "../../../../tests/it/both_lines/mod.rs"]
mod both_lines;
mod bridge;
mod guard;
#[path = "../edge/loopback.rs"]
mod loopback;
mod support;
