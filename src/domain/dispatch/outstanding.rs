//! The positions that have been handed out and have not ended: a bit for each, over a window that moves.

use std::collections::VecDeque;

/// Positions, none of them further from the oldest than the window of a dispatch, which bounds the memory.
#[derive(Debug, Default)]
pub(super) struct Outstanding {
    /// The position of the first bit, a multiple of 64.
    base: u64,
    /// The first word is never empty.
    words: VecDeque<u64>,
    count: usize,
}

impl Outstanding {
    pub(super) const fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// The oldest position.
    pub(super) fn first(&self) -> Option<u64> {
        self.words.front().map(|word| self.base + u64::from(word.trailing_zeros()))
    }

    /// Adds `position`, which is beyond all that have been added before.
    pub(super) fn push(&mut self, position: u64) {
        if self.words.is_empty() {
            self.base = position / 64 * 64;
        }
        let at = ((position - self.base) / 64) as usize;
        if at >= self.words.len() {
            self.words.resize(at + 1, 0);
        }
        if let Some(word) = self.words.get_mut(at) {
            *word |= 1 << (position % 64);
            self.count += 1;
        }
    }

    /// Takes `position` out, if it is there.
    pub(super) fn remove(&mut self, position: u64) -> bool {
        let Some(offset) = position.checked_sub(self.base) else { return false };
        let bit = 1 << (position % 64);
        match self.words.get_mut((offset / 64) as usize) {
            Some(word) if *word & bit != 0 => *word &= !bit,
            _ => return false,
        }
        self.count -= 1;
        while self.words.front() == Some(&0) {
            self.words.pop_front();
            self.base += 64;
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn it_is_a_set_that_knows_its_oldest() {
        let (mut mine, mut plain) = (Outstanding::default(), BTreeSet::new());
        let (mut next, mut state) = (5_u64, 7_u64);
        for _ in 0..200_000 {
            state = state.wrapping_mul(0x5851_f42d_4c95_7f2d).wrapping_add(1);
            if state >> 63 == 0 && plain.first().is_none_or(|first| next - first < 5_000) {
                mine.push(next);
                plain.insert(next);
                // Now and then a stretch that was covered before.
                next += if state >> 40 & 0x3ff == 0 { 4_000 } else { 1 + (state >> 50 & 3) };
            } else {
                let nth = (state >> 33) as usize % (plain.len() + 1);
                let position = plain.iter().nth(nth).copied().unwrap_or(next);
                mine.remove(position);
                plain.remove(&position);
                mine.remove(position);
            }
            assert_eq!(mine.first(), plain.first().copied());
            assert_eq!(mine.is_empty(), plain.is_empty());
            assert!(mine.words.len() <= 9_000 / 64 + 2);
        }
    }
}
