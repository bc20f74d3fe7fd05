//! The state of one place, and what a visit changes in it.

use std::collections::BTreeMap;

use super::transition::Kind;
use super::{Rules, Seen, Sight};
use crate::domain::time::Timestamp;

/// However many leaves a place shows in turn, one is gone after so many times [`Rules::absent_after`] visits.
const LEAVES_COUNTED: u32 = 8;

/// How a leaf stands at a place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Standing<L> {
    /// The last visit that was answered showed it.
    Present,
    /// The last `visits` that were answered did not show it, and these are too few to call it gone.
    Missing {
        /// How many in a row.
        visits: u32,
        /// The leaves that all of these visits showed.
        instead: Vec<L>,
    },
    /// It is not there any more.
    Gone,
    /// It gave way to `to`.
    RotatedAway {
        /// The leaf that all visits showed that did not show this one.
        to: L,
    },
    /// One visit of many that showed other leaves showed it, and no other for a long time: nobody is told that such a
    /// leaf went.
    Forgotten,
}

/// A leaf at a place.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Known<L> {
    standing: Standing<L>,
    /// How many visits showed it.
    visits: u32,
}

/// What is known of a place after some visits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlaceState<L> {
    leaves: BTreeMap<L, Known<L>>,
    is_multiple: bool,
    last: Option<(Timestamp, bool)>,
}

impl<L> Default for PlaceState<L> {
    fn default() -> Self {
        Self { leaves: BTreeMap::new(), is_multiple: false, last: None }
    }
}

/// One change that a visit brought.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Change<L> {
    /// What changed.
    pub kind: Kind,
    /// The leaf that it is about.
    pub leaf: L,
    /// [`Kind::Rotated`]: the leaf that is there instead.
    pub to: Option<L>,
    /// When the visit began that showed it.
    pub time: Timestamp,
    /// The number of that visit's scan.
    pub scan: i64,
}

impl<L: Copy + Ord> PlaceState<L> {
    /// Each leaf that was ever seen here, with how it stands.
    pub fn leaves(&self) -> impl Iterator<Item = (L, &Standing<L>)> {
        self.leaves.iter().map(|(leaf, known)| (*leaf, &known.standing))
    }

    /// Whether leaves alternate here, or several are shown at once: then none is gone as quickly.
    pub const fn is_multiple(&self) -> bool {
        self.is_multiple
    }

    /// When the last visit was, and whether it was answered; `None` before the first.
    pub const fn last_visit(&self) -> Option<(Timestamp, bool)> {
        self.last
    }

    /// Takes one visit, later than all before.
    pub(super) fn step(
        &mut self,
        sight: &Sight<L>,
        rules: Rules,
        elsewhere: &mut impl FnMut(L) -> Option<Timestamp>,
        changes: &mut Vec<Change<L>>,
    ) {
        let change = |kind, leaf, to| Change { kind, leaf, to, time: sight.time, scan: sight.scan };
        self.last = Some((sight.time, sight.seen != Seen::NoAnswer));
        let shown: &[L] = match &sight.seen {
            Seen::NoAnswer => return,
            Seen::Otherwise => &[],
            Seen::Leaves(leaves) => leaves,
        };
        self.tell_whether_multiple(shown);
        for leaf in shown {
            if let Some(kind) = self.show(*leaf, sight.round, elsewhere) {
                changes.push(change(kind, *leaf, None));
            }
        }
        let threshold = self.threshold(rules);
        for (leaf, known) in &mut self.leaves {
            if shown.binary_search(leaf).is_err()
                && let Some((kind, to)) = known.miss(shown, threshold, self.is_multiple)
            {
                changes.push(change(kind, *leaf, to));
            }
        }
        if self.leaves.values().filter(|known| known.is_live()).count() <= 1 {
            self.is_multiple = false;
        }
    }

    /// Leaves alternate where one comes back that others stood in for, or where a third one comes while the first may
    /// still be there; and several at once are several.
    fn tell_whether_multiple(&mut self, shown: &[L]) {
        let is_back = |leaf: &L| match self.leaves.get(leaf).map(|known| &known.standing) {
            Some(Standing::Missing { instead, .. }) => !instead.is_empty(),
            Some(Standing::RotatedAway { to }) => self.leaves.get(to).is_some_and(Known::is_live),
            Some(Standing::Forgotten) => true,
            _ => false,
        };
        let gave_way = |known: &Known<L>| matches!(&known.standing, Standing::Missing { instead, .. } if !instead.is_empty());
        let is_third =
            |leaf: &L| !self.leaves.contains_key(leaf) && self.leaves.values().any(gave_way);
        let alternate = shown.len() > 1 || shown.iter().any(|leaf| is_back(leaf) || is_third(leaf));
        self.is_multiple |= alternate;
    }

    /// A visit shows `leaf`: what is new about that.
    fn show(
        &mut self,
        leaf: L,
        round: Timestamp,
        elsewhere: &mut impl FnMut(L) -> Option<Timestamp>,
    ) -> Option<Kind> {
        let known =
            self.leaves.entry(leaf).or_insert(Known { standing: Standing::Present, visits: 0 });
        known.visits += 1;
        let before = std::mem::replace(&mut known.standing, Standing::Present);
        match before {
            Standing::Present if known.visits == 1 => {
                let is_known = elsewhere(leaf).is_some_and(|first| first < round);
                Some(if is_known { Kind::Moved } else { Kind::New })
            }
            Standing::Gone | Standing::RotatedAway { .. } => Some(Kind::Returned),
            Standing::Present | Standing::Missing { .. } | Standing::Forgotten => None,
        }
    }

    /// After how many visits without it a leaf is gone.
    fn threshold(&self, rules: Rules) -> u32 {
        if !self.is_multiple {
            return rules.absent_after();
        }
        let live = self.leaves.values().filter(|known| known.is_live()).count();
        rules.absent_after()
            * u32::try_from(live).unwrap_or(LEAVES_COUNTED).clamp(1, LEAVES_COUNTED)
    }
}

impl<L: Copy + Ord> Known<L> {
    /// Whether it may still be there.
    const fn is_live(&self) -> bool {
        matches!(self.standing, Standing::Present | Standing::Missing { .. })
    }

    /// A visit that was answered shows others; what changes by that.
    fn miss(
        &mut self,
        shown: &[L],
        threshold: u32,
        is_multiple: bool,
    ) -> Option<(Kind, Option<L>)> {
        let (visits, instead) = match &mut self.standing {
            Standing::Present => (1, shown.to_vec()),
            Standing::Missing { visits, instead } => {
                instead.retain(|leaf| shown.binary_search(leaf).is_ok());
                (*visits + 1, std::mem::take(instead))
            }
            Standing::Gone | Standing::RotatedAway { .. } | Standing::Forgotten => return None,
        };
        if visits < threshold {
            self.standing = Standing::Missing { visits, instead };
            return None;
        }
        if is_multiple && self.visits == 1 {
            self.standing = Standing::Forgotten;
            return None;
        }
        match instead.first() {
            Some(to) => {
                self.standing = Standing::RotatedAway { to: *to };
                Some((Kind::Rotated, Some(*to)))
            }
            None => {
                self.standing = Standing::Gone;
                Some((Kind::Gone, None))
            }
        }
    }
}
