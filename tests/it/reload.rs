//! Keys that change while they are served: which ones are taken, and that the good one
//! stays whatever happens to the files.

mod causes;
mod containers;
mod encrypted;
mod faults;
mod identities;
mod key_sources;
mod many;
mod names;
mod renewals;
mod rules;
mod s_client;
mod scene;
mod standing;
mod staples;
mod storm;
