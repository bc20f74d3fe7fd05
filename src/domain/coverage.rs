//! Which positions of an order have been tried: the resume token and the proof of coverage.

use std::collections::BTreeMap;

/// A set of positions, kept as disjoint, non-adjacent ranges.
///
/// Positions are handed out nearly in ascending order and a run bounds how far ahead of the oldest
/// unfinished one it goes, so that this is one long range from 0, the *low-water mark*, and a bounded
/// number of short ones beyond it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Coverage {
    /// First position of each range, and its last, both included.
    ranges: BTreeMap<u64, u64>,
}

impl Coverage {
    /// Adds `position`; `false` if it was there already.
    pub fn insert(&mut self, position: u64) -> bool {
        if self.contains(position) {
            return false;
        }
        let joins_previous = position
            .checked_sub(1)
            .and_then(|before| self.range_of(before))
            .map(|(first, _)| first);
        let joins_next = position.checked_add(1).and_then(|after| self.ranges.remove(&after));
        let last = joins_next.unwrap_or(position);
        self.ranges.insert(joins_previous.unwrap_or(position), last);
        true
    }

    /// Whether `position` is in the set.
    pub fn contains(&self, position: u64) -> bool {
        self.range_of(position).is_some()
    }

    /// The range, both ends included, that `position` lies in.
    pub fn range_of(&self, position: u64) -> Option<(u64, u64)> {
        let (&first, &last) = self.ranges.range(..=position).next_back()?;
        (position <= last).then_some((first, last))
    }

    /// The first position that is not in the set: all below it are.
    pub fn low_water_mark(&self) -> u64 {
        self.ranges.get(&0).map_or(0, |last| last.saturating_add(1))
    }

    /// The ranges in ascending order, both ends included.
    pub fn ranges(&self) -> impl ExactSizeIterator<Item = (u64, u64)> + '_ {
        self.ranges.iter().map(|(&first, &last)| (first, last))
    }

    /// How many positions are in the set.
    pub fn len(&self) -> u64 {
        self.ranges().map(|(first, last)| last - first + 1).sum()
    }

    /// Whether no position is in the set.
    pub fn is_empty(&self) -> bool {
        self.ranges.is_empty()
    }
}

impl FromIterator<(u64, u64)> for Coverage {
    /// Ranges with both ends included, in any order; a range whose end is below its start is nothing.
    fn from_iter<I: IntoIterator<Item = (u64, u64)>>(ranges: I) -> Self {
        let mut sorted: Vec<_> = ranges.into_iter().filter(|(first, last)| first <= last).collect();
        sorted.sort_unstable();
        let mut merged: BTreeMap<u64, u64> = BTreeMap::new();
        for (first, last) in sorted {
            match merged.last_entry() {
                Some(mut open) if first <= open.get().saturating_add(1) => {
                    *open.get_mut() = last.max(*open.get());
                }
                _ => {
                    merged.insert(first, last);
                }
            }
        }
        Self { ranges: merged }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every order of inserting six positions, against a bit set.
    #[test]
    fn any_order_of_insertion_gives_the_same_ranges() {
        let mut orders = vec![vec![]];
        for position in [0_u64, 1, 2, 4, 5, 9] {
            orders = orders
                .iter()
                .flat_map(|order: &Vec<u64>| {
                    (0..=order.len()).map(move |at| {
                        let mut longer = order.clone();
                        longer.insert(at, position);
                        longer
                    })
                })
                .collect();
        }
        assert_eq!(orders.len(), 720);
        for order in orders {
            let mut coverage = Coverage::default();
            for (count, &position) in order.iter().enumerate() {
                assert!(coverage.insert(position));
                assert!(!coverage.insert(position));
                assert_eq!(coverage.len(), count as u64 + 1);
                for probe in 0..12 {
                    assert_eq!(coverage.contains(probe), order[..=count].contains(&probe));
                }
            }
            assert_eq!(coverage.ranges().collect::<Vec<_>>(), [(0, 2), (4, 5), (9, 9)]);
            assert_eq!(coverage.low_water_mark(), 3);
        }
    }

    #[test]
    fn ranges_are_merged_when_read_back() {
        let coverage: Coverage = [(4, 5), (0, 2), (3, 3), (8, 7), (5, 6)].into_iter().collect();
        assert_eq!(coverage.ranges().collect::<Vec<_>>(), [(0, 6)]);
        let edge: Coverage = [(u64::MAX, u64::MAX)].into_iter().collect();
        assert!(edge.contains(u64::MAX));
        assert_eq!(edge.low_water_mark(), 0);
    }
}
