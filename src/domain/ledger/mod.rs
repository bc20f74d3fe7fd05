//! What changed: from the visits to a place, in order of time, to transitions.
//!
//! A *place* is a target with the server name that was sent to it and the vantage that looked. Its history is what each
//! scan that tried it saw there. A scan that did not try it says nothing, and a visit without an answer says nothing of
//! absence: that a certificate is gone is claimed only where somebody answered and did not show it, and more than once.
//!
//! The rules are a fold over a history, so that the same visits give the same transitions, whenever and in whatever
//! order they were written down or merged.

mod difference;
mod fold;
mod round;
#[cfg(test)]
mod tests;
mod transition;

pub use difference::{Status, status};
pub use fold::{Change, PlaceState, Standing};
pub use round::{Head, rounds};
pub use transition::{Kind, Subject, key};

use super::outcome::WORDS;
use super::time::Timestamp;

/// When a certificate is called gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rules {
    /// After how many visits in a row that were answered without it, from 1 to [`Rules::ABSENT_AFTER_MAX`].
    absent_after: u32,
}

impl Rules {
    /// The most visits that may be asked for.
    pub const ABSENT_AFTER_MAX: u32 = 16;

    /// Gone after `absent_after` answered visits in a row; `None` if that is out of bounds.
    pub const fn new(absent_after: u32) -> Option<Self> {
        match absent_after {
            1..=Self::ABSENT_AFTER_MAX => Some(Self { absent_after }),
            _ => None,
        }
    }

    /// After how many visits in a row.
    pub const fn absent_after(self) -> u32 {
        self.absent_after
    }
}

/// Twice: one refused connection is nothing to go by.
impl Default for Rules {
    fn default() -> Self {
        Self { absent_after: 2 }
    }
}

/// What one visit of a place saw, as far as the rules care. `L` stands for a leaf.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Seen<L> {
    /// These leaves; at least one.
    Leaves(Vec<L>),
    /// It was answered, and no leaf was shown.
    Otherwise,
    /// Nothing that would show an absence: no answer, or none that came to an end.
    NoAnswer,
}

impl<L: Copy + Ord> Seen<L> {
    /// What a visit saw that ended with the outcome called `word`, and saw `leaves`.
    ///
    /// `refused`, `closed`, `not_tls`, `alert`, `malformed` and `too_large` are answers: whoever stands there now is not
    /// who showed the certificate, or does not show it any more. `connect_timeout`, `unreachable`, `silent`, `stalled` and
    /// `reset` are none: networks and overload do the same. A word of a newer version is taken for none.
    pub fn of(word: &str, mut leaves: Vec<L>) -> Self {
        const ANSWERS: [&str; 6] =
            ["refused", "closed", "not_tls", "alert", "malformed", "too_large"];
        debug_assert!(ANSWERS.iter().all(|answer| WORDS.contains(answer)));
        if leaves.is_empty() {
            return if ANSWERS.contains(&word) { Self::Otherwise } else { Self::NoAnswer };
        }
        leaves.sort_unstable();
        leaves.dedup();
        Self::Leaves(leaves)
    }
}

/// One visit of a place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sight<L> {
    /// When it began.
    pub time: Timestamp,
    /// The number of its scan.
    pub scan: i64,
    /// When the round of its scan began; see [`rounds`].
    pub round: Timestamp,
    /// What it saw.
    pub seen: Seen<L>,
}

/// What `history` amounts to at one place, and the changes on the way, in order of time.
///
/// `elsewhere` is the first moment at which a leaf was seen at another address, from the same kind of vantage; it is
/// asked once for each leaf. Visits may come in any order.
pub fn fold<L: Copy + Ord>(
    mut history: Vec<Sight<L>>,
    rules: Rules,
    mut elsewhere: impl FnMut(L) -> Option<Timestamp>,
) -> (PlaceState<L>, Vec<Change<L>>) {
    history.sort_by_key(|sight| (sight.time, sight.scan));
    let (mut state, mut changes) = (PlaceState::default(), Vec::new());
    for sight in &history {
        state.step(sight, rules, &mut elsewhere, &mut changes);
    }
    (state, changes)
}
