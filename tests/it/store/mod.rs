//! What a store keeps, and what becomes of it when disks, crashes and others get at it.

mod carriers;
mod copies;
mod disk;
mod faults;
mod floors;
