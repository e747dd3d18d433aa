//! Which certificate of a chain it was: what no error says, found in what was shown.

use super::explanation::{ClockDoubt, Detail, Explanation, Whose};
use crate::cert::Certificate;
use crate::outlook::Position;
use crate::time::{ClockSuspicion, Timestamp};
use crate::verifier::RefusalReason;

impl Explanation {
    /// Finds, in the chain that was shown (leaf first), the certificate that it is about: the peer's
    /// chain, or our own where [`Explanation::whose`] says so. `now` is this machine's clock, for where
    /// the error does not say when it was judged, as no alert does.
    ///
    /// Where the peer refused our own chain for its dates and all of it is within them, the peer's clock
    /// is doubted; where most of the peer's chain is not valid yet, our own is.
    ///
    /// # They say that our certificate has expired. Has it?
    /// ```
    /// use notafter::Timestamp;
    /// use notafter::explain::explain;
    /// # use notafter::Certificate;
    /// fn why(
    ///     error: &(dyn std::error::Error + 'static),
    ///     served: &[Certificate],
    ///     now: Timestamp,
    /// ) -> Option<String> {
    ///     let explanation = explain(error)?.with_chain(served, now);
    ///     Some(explanation.to_string()) // names the certificate, or doubts the peer's clock
    /// }
    /// ```
    #[must_use]
    pub fn with_chain(mut self, chain: &[Certificate], now: Timestamp) -> Self {
        match (self.whose, self.reason) {
            (Whose::Peer, Some(RefusalReason::Expired)) => {
                let found = chain.iter().position(|shown| match self.detail {
                    Detail::Expired { not_after, .. } => shown.not_after() == not_after,
                    _ => shown.not_after() < now,
                });
                self.dates_are_of(chain, found, now);
            }
            (Whose::Peer, Some(RefusalReason::NotYetValid)) => {
                let (found, at) = match self.detail {
                    Detail::NotYetValid { not_before, at } => {
                        let is_it = |shown: &Certificate| shown.not_before() == not_before;
                        (chain.iter().position(is_it), at)
                    }
                    _ => {
                        let is_early = |shown: &Certificate| now < shown.not_before();
                        (chain.iter().position(is_early), now)
                    }
                };
                self.dates_are_of(chain, found, now);
                let begins: Vec<_> = chain.iter().map(Certificate::not_before).collect();
                self.clock = ClockSuspicion::of(at, &[], &begins).map(ClockDoubt::Own);
            }
            (Whose::Own, Some(RefusalReason::Expired)) => {
                let is_over = |shown: &Certificate| !shown.validity().contains(now);
                let found = chain.iter().position(is_over);
                if found.is_none() && !chain.is_empty() {
                    self.clock = Some(ClockDoubt::Peer { at: now });
                }
                self.dates_are_of(chain, found, now);
            }
            _ if self.position == Some(Position::Leaf) => {
                self.subject = chain.first().map(Certificate::short_name);
            }
            _ => {}
        }
        self
    }

    /// It is about this certificate's dates.
    fn dates_are_of(&mut self, chain: &[Certificate], found: Option<usize>, now: Timestamp) {
        let Some((index, shown)) = found.and_then(|index| Some((index, chain.get(index)?))) else {
            return;
        };
        self.position = Some(Position::in_chain(index));
        self.subject = Some(shown.short_name());
        if !matches!(self.detail, Detail::Nothing | Detail::Alert(_)) {
            return;
        }
        let (not_before, not_after, at) = (shown.not_before(), shown.not_after(), now);
        if not_after < now {
            self.detail = Detail::Expired { not_after, at };
        } else if now < not_before {
            self.detail = Detail::NotYetValid { not_before, at };
            self.reason = Some(RefusalReason::NotYetValid);
            if self.whose == Whose::Own {
                // One alert stands for both.
                self.code = "own_not_yet_valid";
            }
        }
    }
}
