#![no_main]
//! Is a saved state used as a whole or not at all, and does it say the same after another save?

use std::num::NonZeroUsize;

use libfuzzer_sys::fuzz_target;
use notafter::alert::{Matter, Transitions};
use notafter::event::Role;
use notafter::{Band, EventCode};
use notafter_fuzz::{NOW, assert_printable};

const ROOM: NonZeroUsize = NonZeroUsize::new(16).unwrap();

fuzz_target!(|data: &[u8]| {
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    let mut known = Transitions::new(ROOM);
    let matter =
        Matter::new(EventCode::PeerExpiring, Role::PeerServer).with_name(Some("known".to_owned()));
    known.observe(matter.clone(), Band::Critical, NOW);
    let before = known.save();
    match known.restore_from(text) {
        Err(error) => {
            assert_eq!(known.save(), before, "nothing of it is used");
            assert_printable(&error.to_string());
        }
        Ok(()) => {
            assert!(known.len() <= ROOM.get());
            // The known matter stays, unless it gave way to others for lack of room.
            let band = known.band(&matter);
            assert!(band == Some(Band::Critical) || known.evictions() > 0);
        }
    }
    let Ok(mut restored) = Transitions::restore(text, ROOM) else {
        return;
    };
    assert!(restored.len() <= ROOM.get());
    let saved = restored.save();
    let again = Transitions::restore(&saved, ROOM).expect("what was saved is restored");
    assert_eq!(again.save(), saved);
    // At worst it is told again once the longest interval is over.
    for offset in [0, 1, 86_400, i64::MAX, i64::MIN] {
        let now = NOW.saturating_add(offset);
        let _ = restored.next_repeat(&matter, now);
        let _ = restored.observe(matter.clone(), Band::Expired, now);
    }
});
