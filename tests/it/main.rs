//! What the crate promises, tried on real bytes, real files and real handshakes.
#![allow(
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

mod adoption;
mod algorithms;
mod announcements;
mod attacks;
mod both_lines;
mod bounds;
mod command;
mod command_options;
mod config;
mod connections;
mod container_faults;
mod container_macs;
mod container_passphrases;
mod container_users;
mod containers;
mod delivery;
mod endpoint_names;
mod endpoints;
mod explain;
mod finding_series;
mod first_program;
mod fleet;
mod folders;
mod graphs;
mod guide;
mod handshake_counts;
mod hostile_names;
mod incidents;
mod judge;
mod layers;
mod limbo;
mod lints;
mod memory_model;
mod monitor;
mod monitor_faults;
mod never_weaker;
mod ops;
mod outages;
mod outlook;
mod parser_corpus;
mod pictures;
mod pin_forms;
mod pinning;
mod pins;
mod presented;
mod private_ca;
mod raw_public_keys;
mod recent;
mod reload;
mod report_forms;
mod root_keys;
mod secrets;
mod security_model;
mod sentences;
mod service;
mod shown;
mod slow_endpoints;
mod sources;
mod spiffe;
mod staples;
mod starttls;
mod store;
mod storms;
mod suites;
mod support;
mod telling;
mod transparency;
mod trust;
mod unproven_endpoints;
mod verdict_cache;
mod verifiers;
mod watched_again;
