//! The whole story on loopback.

/// Tells it.
pub fn run() -> Result<(), Box<dyn std::error::Error>> {
    crate::print(crate::args::USAGE);
    Ok(())
}
