//! Scratch.
#![allow(
    dead_code, unused_imports,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::unreachable,
    clippy::print_stdout,
    clippy::disallowed_methods,
    clippy::needless_pass_by_value
)]
#[path = "it/support/mod.rs"]
mod support;
#[path = "it/trust/mod.rs"]
mod trust;
#[path = "it/monitor.rs"]
mod monitor;
#[path = "it/endpoints.rs"]
mod endpoints;
#[path = "it/command.rs"]
mod command;
mod service {
    #[path = "../it/service/closing.rs"]
    mod closing;
    #[path = "../it/service/ground.rs"]
    mod ground;
    #[path = "../it/service/openssl.rs"]
    mod openssl;
    #[path = "../it/service/pages.rs"]
    mod pages;
}
#[path = "it/pinning/mod.rs"]
mod pinning;
#[path = "it/fleet.rs"]
mod fleet;
