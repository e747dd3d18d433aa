#![no_main]
//! Does every floor that is taken leave each of its hosts somebody to talk to?

use libfuzzer_sys::fuzz_target;
use notafter::PinStore;
use notafter::announce::{Announcement, PinFloor};
use notafter::pin::{ExpiryRule, PinsInForce as _};
use notafter_fuzz::{algorithms, assert_printable};

fuzz_target!(|data: &[u8]| {
    let announcement = Announcement::from_json(data);
    let floor = PinFloor::from_json(data);
    let announcement = match announcement {
        Ok(announcement) => announcement,
        Err(error) => {
            assert_printable(&error.to_string());
            assert!(floor.is_err());
            return;
        }
    };
    let issued = announcement.issued;
    let hosts: Vec<_> = announcement
        .pin_sets
        .iter()
        .flat_map(|set| set.hosts.clone())
        .collect();
    let made = PinFloor::new(announcement);
    let floor = match floor {
        Ok(floor) => floor,
        Err(error) => {
            assert_printable(&error.to_string());
            assert_eq!(made.err(), Some(error));
            return;
        }
    };
    assert!(made.is_ok());
    let (store, _) =
        match PinStore::builder(floor, ExpiryRule::FailClosed, algorithms()).open(issued) {
            Ok(opened) => opened,
            Err(error) => return assert_printable(&error.to_string()),
        };
    let generation = store.generation();
    let mut covered: Vec<_> = generation
        .sets
        .iter()
        .flat_map(|set| set.scopes().to_vec())
        .collect();
    assert_eq!(covered.len(), hosts.len());
    covered.retain(|host| !hosts.contains(host));
    assert!(covered.is_empty(), "hosts of nobody: {covered:?}");
    for set in generation.sets.iter() {
        assert!(
            set.accepted(issued).next().is_some(),
            "nobody would be let in: {set:?}"
        );
    }
});
