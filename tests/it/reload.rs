//! Keys that change on disk while they are served: which ones are taken, and that the good one
//! stays whatever happens to the files.

mod encrypted;
mod faults;
mod names;
mod rules;
mod scene;
mod staples;
mod storm;
