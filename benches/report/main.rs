//! What the crate costs, next to peers that do the same work on the same bytes in the same run.
//! Prints one line a row, tab-separated: name, ours in ns, peer, the peer's in ns, ratio.
//!
//! Each module is one part of the table; `cargo bench --bench report -- outlook facts` measures
//! only the parts named.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::disallowed_methods
)]

mod announcements;
mod chains;
mod facts;
mod folders;
mod growth;
mod hostile;
mod measure;
mod outlook;
mod pem;
mod reload;
mod telling;
mod wrapper;

/// The parts of the table, in its order.
const PARTS: [(&str, fn()); 10] = [
    ("outlook", outlook::rows),
    ("growth", growth::rows),
    ("hostile", hostile::rows),
    ("facts", facts::rows),
    ("wrapper", wrapper::rows),
    ("pem", pem::rows),
    ("telling", telling::rows),
    ("folders", folders::rows),
    ("reload", reload::rows),
    ("announcements", announcements::rows),
];

fn main() {
    // Cargo adds `--bench`.
    let arguments = std::env::args().skip(1);
    let wanted: Vec<_> = arguments.filter(|text| !text.starts_with('-')).collect();
    measure::head();
    for (name, rows) in PARTS {
        if wanted.is_empty() || wanted.iter().any(|part| part == name) {
            rows();
        }
    }
}
