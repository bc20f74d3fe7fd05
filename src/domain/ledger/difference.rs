//! What changed in a window of time, and what cannot be said of the rest.

use super::fold::{PlaceState, Standing};
use crate::domain::time::Timestamp;

/// What can be said at the end of a window of a leaf that was there before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Status {
    /// It is there.
    Present,
    /// The last so many visits that were answered did not show it: too few to call it gone.
    Missing(u32),
    /// The last visit was not answered.
    Unreachable,
    /// Nobody looked in the window.
    NotTried,
    /// It went, or gave way to another: a transition tells of it.
    Told,
}

impl Status {
    /// The words for it, as tables and records hold them.
    pub fn words(self) -> &'static str {
        match self {
            Self::Present => "present",
            Self::Missing(_) => "missing",
            Self::Unreachable => "unreachable",
            Self::NotTried => "not tried",
            Self::Told => "told",
        }
    }
}

/// How `leaf` stands in `state`, that of the window's end, if nobody looked after `since`; `None` for one never seen.
pub fn status<L: Copy + Ord>(state: &PlaceState<L>, leaf: L, since: Timestamp) -> Option<Status> {
    let (_, standing) = state.leaves().find(|(known, _)| *known == leaf)?;
    let (last, was_answered) = state.last_visit()?;
    Some(match standing {
        Standing::Gone | Standing::RotatedAway { .. } | Standing::Forgotten => Status::Told,
        _ if last < since => Status::NotTried,
        _ if !was_answered => Status::Unreachable,
        Standing::Present => Status::Present,
        Standing::Missing { visits, .. } => Status::Missing(*visits),
    })
}
