//! What a store keeps, and what becomes of it when disks, crashes and others get at it.

mod carriers;
mod configurations;
mod copies;
pub mod disk;
mod faults;
mod floors;
mod locks;
mod reopened;
mod rewritten;
