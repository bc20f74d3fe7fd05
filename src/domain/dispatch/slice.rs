//! Which part of a plan is one loop's, and how far it may go ahead of the others.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::domain::address::Prefix;

/// So many positions in a row are one slice's to skip where they need no visit, so that skips stay ranges.
const SKIP_BLOCK: u64 = 4_096;

/// A mark on a cache line of its own: loops on other cores read it.
#[derive(Debug, Default)]
#[repr(align(64))]
struct Mark(AtomicU64);

/// Slice `index` of as many as there are marks.
#[derive(Debug)]
pub(super) struct Slice {
    index: usize,
    /// Of each slice, a position below which it has nothing outstanding and nothing left to take. It may lag
    /// behind by [`Slice::step`].
    marks: Arc<[Mark]>,
    /// By how much a mark moves at the least, so that it is written and read seldom.
    step: u64,
}

impl Slice {
    /// `count` slices of one plan, with `window` positions between the slowest and the fastest.
    pub(super) fn all(count: usize, window: u64) -> impl Iterator<Item = Self> {
        let marks: Arc<[Mark]> = (0..count).map(|_| Mark::default()).collect();
        (0..count).map(move |index| Self { index, marks: Arc::clone(&marks), step: window / 8 })
    }

    /// Whether the targets of `prefix` are this slice's: a fixed mixing of its number decides.
    pub(super) fn has(&self, prefix: Prefix) -> bool {
        let mixed = prefix.key().wrapping_mul(0x9e37_79b9_7f4a_7c15);
        self.nth((mixed ^ mixed >> 32).wrapping_mul(0xd6e8_feb8_6659_fd93))
    }

    /// Whether this slice skips `position` if that needs no visit.
    pub(super) fn skips(&self, position: u64) -> bool {
        position / SKIP_BLOCK % self.marks.len() as u64 == self.index as u64
    }

    fn nth(&self, mixed: u64) -> bool {
        (u128::from(mixed) * self.marks.len() as u128) >> 64 == self.index as u128
    }

    /// Tells the others that nothing below `low` is left here.
    pub(super) fn publish(&self, low: u64) {
        if let Some(Mark(mark)) = self.marks.get(self.index)
            && low.saturating_sub(mark.load(Ordering::Relaxed)) >= self.step
        {
            mark.store(low, Ordering::Relaxed);
        }
    }

    /// The lowest mark of the others; no slice has anything left below it, but for this one.
    pub(super) fn lowest_of_others(&self) -> u64 {
        let others = self.marks.iter().enumerate().filter(|(index, _)| *index != self.index);
        others.map(|(_, Mark(mark))| mark.load(Ordering::Relaxed)).min().unwrap_or(u64::MAX)
    }
}
