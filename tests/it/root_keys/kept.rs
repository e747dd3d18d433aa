//! What is kept over restarts, and who could change it.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use data_encoding::BASE64;
use notafter::announce::{Durability, PinFolder, RootAnnouncedPins, RootOutcome};
use notafter::cert::{RootKeyHash, Sha256Digest};
use notafter::pin::{Acceptance, PinPosition, PinState};
use serde_json::{Value, json};

use super::{Root, accepts, algorithms, codes, kept, pin_of, set};
use crate::announcements::ground::{Ground, floor};
use crate::support::pki::{NOW, days};

const COPIES: [&str; 2] = ["roots-1", "roots-2"];
const NOTHING: [&str; 0] = [];

fn read(folder: &Path, file: &str) -> Value {
    let text = fs::read_to_string(folder.join(file)).unwrap();
    let (json, _) = text.split_once("\nsha256 ").unwrap();
    serde_json::from_str(json).unwrap()
}

/// Writes it as somebody who knows how.
fn write(folder: &Path, file: &str, state: &Value) {
    let json = state.to_string();
    let digest = Sha256Digest::of(json.as_bytes());
    fs::write(folder.join(file), format!("{json}\nsha256 {digest}\n")).unwrap();
}

#[test]
fn first_sight_is_kept_over_restarts() {
    for hash in [RootKeyHash::Sha256, RootKeyHash::Sha512] {
        let (root, next) = (Root::new("Root"), Root::new("Next"));
        let folder = tempfile::tempdir().unwrap();
        let (pins, notices) = kept(set([root.current()]), folder.path(), NOW);
        assert_eq!(notices, NOTHING);
        let observed = pins
            .observe(&root.naming_from(-10, &next, hash), NOW)
            .unwrap();
        assert_eq!(observed.durability, Durability::Kept);
        let confirmed = pins.observe(&next.plain(), days(2)).unwrap();
        assert_eq!(confirmed.durability, Durability::Kept);
        for day in [10, 29] {
            let (pins, notices) = kept(set([root.current()]), folder.path(), days(day));
            assert_eq!(notices, NOTHING);
            assert_eq!(
                pin_of(&pins, &next).unwrap().acceptance,
                Acceptance::From(days(30))
            );
            let again = pins
                .observe(&root.naming_from(-10, &next, hash), days(day))
                .unwrap();
            assert_eq!(again.outcome, RootOutcome::Known);
        }
        // The other copy alone is as good.
        for file in COPIES {
            fs::remove_file(folder.path().join(file)).unwrap();
            let (pins, notices) = kept(set([root.current()]), folder.path(), days(31));
            assert_eq!(notices, ["state_copy_damaged"]);
            assert!(accepts(&pins, &next, days(31)));
            assert!(folder.path().join(file).exists());
        }
        // A binary that does not pin the root loses nothing.
        let other = set([Root::new("Other").current()]);
        let (pins, notices) = kept(other, folder.path(), days(32));
        assert_eq!((notices, accepts(&pins, &next, days(400))), (vec![], false));
        let (pins, _) = kept(set([root.current()]), folder.path(), days(33));
        assert!(accepts(&pins, &next, days(33)));
        // One that retires it ends it.
        let backup = Root::new("Backup").current();
        let retired = set([root.pinned(PinState::Retired, PinPosition::Anchor), backup]);
        let (_, notices) = kept(retired, folder.path(), days(34));
        assert_eq!(notices, ["pin_successor_withdrawn"]);
        let (pins, notices) = kept(set([root.current()]), folder.path(), days(35));
        assert_eq!((notices, pin_of(&pins, &next)), (vec![], None));
    }
}

#[test]
fn whoever_writes_the_folder_can_forge_no_root() {
    let [root, next, thief] = ["Root", "Next", "Thief"].map(Root::new);
    let folder = tempfile::tempdir().unwrap();
    let pinned = || set([root.current()]);
    let (pins, _) = kept(pinned(), folder.path(), NOW);
    pins.observe(&root.naming(&next), NOW).unwrap();
    let good = read(folder.path(), COPIES[0]);
    let impostor = Root {
        name: "Root",
        key: rcgen::KeyPair::generate().unwrap(),
    };
    let mut forged = root.params(-5, 3000);
    forged.custom_extensions = vec![super::extension(super::value_of(
        &thief.named_by(RootKeyHash::Sha256),
    ))];
    let long_ago = days(-3000).as_unix_seconds();
    let entry = |certificate: &notafter::Certificate| {
        let certificate = BASE64.encode(certificate.der());
        json!({ "first_sight": long_ago, "certificate": certificate })
    };
    // Signed by somebody else in the root's name; by an unpinned root; by nobody.
    for (certificate, notices) in [
        (
            root.signed_by(&impostor, forged),
            vec!["state_copy_damaged"],
        ),
        (thief.naming(&thief), vec![]),
        (root.plain(), vec![]),
    ] {
        let mut state = good.clone();
        state["roots"] = json!([entry(&certificate)]);
        state["sequence"] = json!(1000);
        COPIES
            .iter()
            .for_each(|file| write(folder.path(), file, &state));
        let (pins, told) = kept(pinned(), folder.path(), days(1));
        assert_eq!(told, notices);
        for at in [days(1), days(4000)] {
            assert!(!accepts(&pins, &thief, at) && !accepts(&pins, &next, at));
        }
    }
    // What the root signed, with an instant of one's own: no earlier than it was issued.
    let mut state = good.clone();
    state["roots"] = json!([entry(&root.naming_from(-10, &next, RootKeyHash::Sha256))]);
    COPIES
        .iter()
        .for_each(|file| write(folder.path(), file, &state));
    let (pins, _) = kept(pinned(), folder.path(), days(1));
    assert_eq!(
        pin_of(&pins, &next).unwrap().acceptance,
        Acceptance::From(days(20))
    );
    // Nor before the build, where that is told.
    let builder = RootAnnouncedPins::builder(pinned(), algorithms());
    let storage = Arc::new(PinFolder::new(folder.path()));
    let (pins, _) = builder
        .with_storage(storage)
        .with_known_past(days(-1))
        .open(days(1));
    assert_eq!(
        pin_of(&pins, &next).unwrap().acceptance,
        Acceptance::From(days(29))
    );
    // A key that is not the one that is named.
    let mut state = good.clone();
    let sha512 = root.naming_from(-10, &next, RootKeyHash::Sha512);
    state["roots"] = json!([entry(&sha512)]);
    state["roots"][0]["next_spki"] = json!(BASE64.encode(thief.plain().facts().spki_der()));
    COPIES
        .iter()
        .for_each(|file| write(folder.path(), file, &state));
    let (pins, _) = kept(pinned(), folder.path(), days(1));
    assert_eq!(pins.announced()[0].pin, None);
    assert!(!accepts(&pins, &thief, days(400)));
}

#[test]
fn damage_is_told_and_both_copies_lost_begin_all_hold_downs_anew() {
    let (root, next) = (Root::new("Root"), Root::new("Next"));
    let folder = tempfile::tempdir().unwrap();
    let pinned = || set([root.current()]);
    let (pins, _) = kept(pinned(), folder.path(), NOW);
    pins.observe(&root.naming(&next), NOW).unwrap();
    let whole = fs::read(folder.path().join(COPIES[0])).unwrap();
    for cut in [0, 10, whole.len() - 1] {
        fs::write(folder.path().join(COPIES[0]), &whole[..cut]).unwrap();
        let (pins, notices) = kept(pinned(), folder.path(), days(31));
        assert_eq!(notices, ["state_copy_damaged"]);
        assert!(accepts(&pins, &next, days(31)));
    }
    // A newer version of this crate wrote it: it is not overwritten.
    let mut newer = read(folder.path(), COPIES[0]);
    newer["format"] = json!(2);
    write(folder.path(), COPIES[0], &newer);
    let (pins, notices) = kept(pinned(), folder.path(), days(31));
    assert_eq!(notices, ["state_copy_damaged", "state_not_saved"]);
    assert!(accepts(&pins, &next, days(31)));
    assert_eq!(read(folder.path(), COPIES[0]), newer);
    // What this version does not know is passed over.
    let mut older = read(folder.path(), COPIES[1]);
    older["another"] = json!({ "field": 1 });
    COPIES
        .iter()
        .for_each(|file| write(folder.path(), file, &older));
    let (pins, notices) = kept(pinned(), folder.path(), days(31));
    assert_eq!(notices, NOTHING);
    assert!(accepts(&pins, &next, days(31)));
    for file in COPIES {
        fs::remove_file(folder.path().join(file)).unwrap();
    }
    let (pins, notices) = kept(pinned(), folder.path(), days(31));
    let lost = ["state_copy_damaged", "state_copy_damaged", "state_lost"];
    assert_eq!(notices, lost);
    assert_eq!(pin_of(&pins, &next), None);
    pins.observe(&root.naming(&next), days(31)).unwrap();
    assert_eq!(
        pin_of(&pins, &next).unwrap().acceptance,
        Acceptance::From(days(61))
    );
}

#[test]
fn without_a_folder_it_is_said_that_no_hold_down_may_ever_end() {
    let root = Root::new("Root");
    let (_, notices) = RootAnnouncedPins::builder(set([root.current()]), algorithms()).open(NOW);
    assert_eq!(codes(&notices), ["hold_down_cannot_end"]);
}

#[test]
fn a_clock_set_back_shortens_no_hold_down_that_is_known() {
    let [one, two, next] = ["Root 1", "Root 2", "Next"].map(Root::new);
    let folder = tempfile::tempdir().unwrap();
    let pinned = || set([one.current(), two.current()]);
    let (pins, _) = kept(pinned(), folder.path(), NOW);
    pins.observe(&one.naming(&next), NOW).unwrap();
    pins.tick(days(50));
    // Back in the past, also after a restart.
    let (pins, notices) = kept(pinned(), folder.path(), days(5));
    assert_eq!(notices, ["state_ahead"]);
    let observed = pins.observe(&two.naming(&one), days(5)).unwrap();
    assert_eq!(observed.next.unwrap().first_sight, days(50));
    // A device whose clock begins in 1970, and which knows when it was built.
    let builder = RootAnnouncedPins::builder(pinned(), algorithms());
    let (pins, _) = builder.with_known_past(days(-3)).open(days(-9));
    let observed = pins.observe(&one.naming(&next), days(-9)).unwrap();
    assert_eq!(observed.next.unwrap().first_sight, days(-3));
}

#[test]
fn two_processes_share_a_folder_and_somebody_else_ripens_nothing_in_it() {
    let [root, other, next] = ["Root", "Other", "Next"].map(Root::new);
    let folder = tempfile::tempdir().unwrap();
    let pinned = || set([root.current(), other.current()]);
    let (one, _) = kept(pinned(), folder.path(), NOW);
    let (two, _) = kept(pinned(), folder.path(), NOW);
    one.observe(&root.naming(&next), days(2)).unwrap();
    // What the other process saw counts from when it saw it.
    assert_eq!(codes(&two.tick(days(10))), ["pin_successor_pending"]);
    assert_eq!(
        pin_of(&two, &next).unwrap().acceptance,
        Acceptance::From(days(32))
    );
    two.observe(&other.naming(&root), days(10)).unwrap();
    one.tick(days(11));
    assert_eq!(one.announced().len(), 2);
    assert_eq!(
        pin_of(&one, &next).unwrap().acceptance,
        Acceptance::From(days(32))
    );
    // Somebody inserts what a root signed, as if it had been seen long ago.
    let third = Root::new("Third");
    let pinned = set([root.current(), other.current(), third.current()]);
    let (running, _) = kept(pinned, folder.path(), days(12));
    let mut state = read(folder.path(), COPIES[0]);
    let inserted = BASE64.encode(third.naming(&other).der());
    let long_ago = days(-9).as_unix_seconds();
    let inserted = json!({ "first_sight": long_ago, "certificate": inserted });
    state["roots"].as_array_mut().unwrap().push(inserted);
    for earlier in state["roots"].as_array_mut().unwrap() {
        earlier["first_sight"] = json!(long_ago);
    }
    state["sequence"] = json!(1000);
    COPIES
        .iter()
        .for_each(|file| write(folder.path(), file, &state));
    running.tick(days(13));
    let first_sights = |pins: &RootAnnouncedPins| -> Vec<_> {
        pins.announced()
            .iter()
            .map(|next| next.first_sight)
            .collect()
    };
    assert_eq!(first_sights(&running), [days(2), days(10), days(12)]);
    let (reopened, _) = kept(set([root.current()]), folder.path(), days(14));
    assert_eq!(first_sights(&reopened), [days(2), days(10), days(12)]);
}

#[test]
fn the_folder_of_a_store_of_announcements_may_be_the_same() {
    let (root, next) = (Root::new("Root"), Root::new("Next"));
    let folder = tempfile::tempdir().unwrap();
    let storage = || Arc::new(PinFolder::new(folder.path()));
    let announced = Ground::on(floor(), Some(storage()), NOW);
    assert_eq!(announced.notices, []);
    let (pins, notices) = kept(set([root.current()]), folder.path(), NOW);
    assert_eq!(notices, NOTHING);
    pins.observe(&root.naming(&next), NOW).unwrap();
    let again = Ground::on(floor(), Some(storage()), days(1));
    assert_eq!(again.notices, []);
    let (pins, notices) = kept(set([root.current()]), folder.path(), days(30));
    assert_eq!(notices, NOTHING);
    assert!(accepts(&pins, &next, days(30)));
}
