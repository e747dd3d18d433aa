//! What was known before, found again: mostly all of it comes in the same order.

use std::collections::HashMap;
use std::ffi::OsStr;

/// Something that is told apart by a key.
pub(super) trait Keyed {
    fn key(&self) -> &OsStr;
}

/// Finds things by their keys; where they come in their order, by looking at the next.
pub(super) struct KnownInOrder<'k, T> {
    known: &'k [T],
    next: usize,
    /// Once one was not the next.
    by_key: Option<HashMap<&'k OsStr, usize>>,
    found: Vec<bool>,
}

impl<'k, T: Keyed> KnownInOrder<'k, T> {
    pub(super) fn new(known: &'k [T]) -> Self {
        Self {
            known,
            next: 0,
            by_key: None,
            found: vec![false; known.len()],
        }
    }

    /// The one whose key this is.
    pub(super) fn find(&mut self, key: &OsStr) -> Option<&'k T> {
        self.find_by(|other| other == key, || key.to_owned())
    }

    /// The same for a key that is made where it is needed.
    pub(super) fn find_by<K: AsRef<OsStr>>(
        &mut self,
        is_it: impl Fn(&OsStr) -> bool,
        key: impl FnOnce() -> K,
    ) -> Option<&'k T> {
        let known = self.known;
        let is_next = known.get(self.next).is_some_and(|next| is_it(next.key()));
        let place = match is_next {
            true => self.next,
            false => {
                let all = || known.iter().enumerate();
                let index = || all().map(|(place, known)| (known.key(), place)).collect();
                let by_key = self.by_key.get_or_insert_with(index);
                *by_key.get(key().as_ref())?
            }
        };
        self.next = place + 1;
        if let Some(found) = self.found.get_mut(place) {
            *found = true;
        }
        known.get(place)
    }

    /// What was not asked for.
    pub(super) fn rest(&self) -> impl Iterator<Item = &'k T> {
        let both = self.known.iter().zip(&self.found);
        both.filter(|(_, found)| !**found).map(|(known, _)| known)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    impl Keyed for &str {
        fn key(&self) -> &OsStr {
            OsStr::new(*self)
        }
    }

    #[test]
    fn whatever_the_order_each_is_found_and_the_rest_is_left() {
        let cases: [(&[&str], &[&str]); 5] = [
            (&["a", "b", "c", "d"], &[]),
            (&["a", "c", "d"], &["b"]),
            (&["d", "x", "b"], &["a", "c"]),
            (&["x"], &["a", "b", "c", "d"]),
            (&[], &["a", "b", "c", "d"]),
        ];
        for (asked, rest) in cases {
            let known = ["a", "b", "c", "d"];
            let mut finder = KnownInOrder::new(&known);
            for key in asked {
                let found = finder.find(OsStr::new(key));
                assert_eq!(found, known.iter().find(|known| *known == key), "{asked:?}");
            }
            assert!(finder.rest().eq(rest), "{asked:?}");
        }
    }
}
