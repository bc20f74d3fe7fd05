//! Sets of addresses as sorted, disjoint ranges, with the n-th address in O(log ranges).

use std::net::IpAddr;

use ipnet::IpNet;

use super::address::{Family, bits};

/// Addresses of one family from `first` to `last`, both included.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Range {
    /// The family of both ends.
    pub family: Family,
    /// The number of the first address.
    pub first: u128,
    /// The number of the last address; never below `first`.
    pub last: u128,
}

impl Range {
    /// The one address `address`.
    pub fn single(address: IpAddr) -> Self {
        Self { family: Family::of(address), first: bits(address), last: bits(address) }
    }

    /// How many addresses, clamped to the largest number there is.
    pub const fn len(&self) -> u128 {
        (self.last - self.first).saturating_add(1)
    }

    /// Never: a range holds at least one address.
    pub const fn is_empty(&self) -> bool {
        false
    }

    /// Whether every address of `other` lies in this range.
    pub fn covers(&self, other: &Self) -> bool {
        self.family == other.family && self.first <= other.first && other.last <= self.last
    }

    /// The addresses in both, if any.
    pub fn intersection(&self, other: &Self) -> Option<Self> {
        let (first, last) = (self.first.max(other.first), self.last.min(other.last));
        (self.family == other.family && first <= last).then_some(Self {
            family: self.family,
            first,
            last,
        })
    }
}

impl From<IpNet> for Range {
    fn from(net: IpNet) -> Self {
        Self {
            family: Family::of(net.network()),
            first: bits(net.network()),
            last: bits(net.broadcast()),
        }
    }
}

/// A set of addresses: ranges sorted by family and number, disjoint and never adjacent.
///
/// The n-th address is found by binary search over the running counts, so that memory depends on
/// how many ranges were written down and never on how many addresses they hold.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AddressSet {
    ranges: Vec<Range>,
    /// How many addresses lie in the ranges before each.
    before: Vec<u128>,
    len: u128,
}

impl FromIterator<Range> for AddressSet {
    /// The union of `ranges`, in any order, overlapping or not.
    fn from_iter<I: IntoIterator<Item = Range>>(ranges: I) -> Self {
        let mut sorted: Vec<Range> = ranges.into_iter().collect();
        sorted.sort_unstable();
        let mut merged: Vec<Range> = Vec::with_capacity(sorted.len());
        for range in sorted {
            match merged.last_mut() {
                Some(last)
                    if last.family == range.family
                        && range.first <= last.last.saturating_add(1) =>
                {
                    last.last = last.last.max(range.last);
                }
                _ => merged.push(range),
            }
        }
        Self::from_merged(merged)
    }
}

impl AddressSet {
    fn from_merged(ranges: Vec<Range>) -> Self {
        let mut before = Vec::with_capacity(ranges.len());
        let mut len: u128 = 0;
        for range in &ranges {
            before.push(len);
            len = len.saturating_add(range.len());
        }
        Self { ranges, before, len }
    }

    /// The ranges, sorted and disjoint.
    pub fn ranges(&self) -> &[Range] {
        &self.ranges
    }

    /// How many addresses, clamped to the largest number there is.
    pub const fn len(&self) -> u128 {
        self.len
    }

    /// Whether there is no address at all.
    pub const fn is_empty(&self) -> bool {
        self.ranges.is_empty()
    }

    /// How many addresses of `family`.
    pub fn len_of(&self, family: Family) -> u128 {
        self.ranges
            .iter()
            .filter(|range| range.family == family)
            .fold(0, |sum: u128, range| sum.saturating_add(range.len()))
    }

    /// The address at `index`, counted from 0 in order of number, IPv4 first.
    pub fn address(&self, index: u128) -> Option<IpAddr> {
        if index >= self.len {
            return None;
        }
        let at = self.before.partition_point(|&before| before <= index) - 1;
        let range = self.ranges[at];
        Some(range.family.address(range.first + (index - self.before[at])))
    }

    /// The index of `address`, the inverse of [`AddressSet::address`].
    pub fn index(&self, address: IpAddr) -> Option<u128> {
        let at = self.range_at(address)?;
        Some(self.before[at] + (bits(address) - self.ranges[at].first))
    }

    /// Whether `address` is in the set.
    pub fn contains(&self, address: IpAddr) -> bool {
        self.range_at(address).is_some()
    }

    /// The position in [`AddressSet::ranges`] of the range that holds `address`.
    pub fn range_at(&self, address: IpAddr) -> Option<usize> {
        let wanted = (Family::of(address), bits(address));
        let after = self.ranges.partition_point(|range| (range.family, range.first) <= wanted);
        let at = after.checked_sub(1)?;
        (self.ranges[at].family == wanted.0 && wanted.1 <= self.ranges[at].last).then_some(at)
    }

    /// Whether any address of `range` is in the set.
    pub fn overlaps(&self, range: &Range) -> bool {
        let end = (range.family, range.last);
        let after = self.ranges.partition_point(|mine| (mine.family, mine.first) <= end);
        after > 0 && self.ranges[after - 1].intersection(range).is_some()
    }

    /// How many addresses lie in the politeness prefix that holds most of them.
    pub fn fullest_prefix(&self) -> u128 {
        let (mut fullest, mut open) = (0, None);
        for range in &self.ranges {
            let shift = range.family.prefix_shift();
            let (first, last) = (range.first >> shift, range.last >> shift);
            if last - first > 1 {
                return 1 << shift;
            }
            for prefix in first..=last {
                let whole = Range {
                    family: range.family,
                    first: prefix << shift,
                    last: prefix << shift | ((1 << shift) - 1),
                };
                let count = range.intersection(&whole).map_or(0, |part| part.len());
                let before = match open {
                    Some((family, number, before))
                        if (family, number) == (range.family, prefix) =>
                    {
                        before
                    }
                    _ => 0,
                };
                open = Some((range.family, prefix, before + count));
                fullest = fullest.max(before + count);
            }
        }
        fullest
    }

    /// The addresses in both sets.
    pub fn intersection(&self, other: &Self) -> Self {
        let mut shared = Vec::new();
        let (mut mine, mut theirs) = (0, 0);
        while let (Some(a), Some(b)) = (self.ranges.get(mine), other.ranges.get(theirs)) {
            shared.extend(a.intersection(b));
            if (a.family, a.last) <= (b.family, b.last) {
                mine += 1;
            } else {
                theirs += 1;
            }
        }
        Self::from_merged(shared)
    }

    /// The addresses of this set that are not in `other`.
    pub fn difference(&self, other: &Self) -> Self {
        let mut kept = Vec::new();
        let mut from = 0;
        for range in &self.ranges {
            let mut rest = Some(*range);
            while let Some(hole) = other.ranges.get(from) {
                if (hole.family, hole.last) >= (range.family, range.first) {
                    break;
                }
                from += 1;
            }
            for hole in &other.ranges[from..] {
                let Some(left) = rest else { break };
                let Some(cut) = left.intersection(hole) else { break };
                if cut.first > left.first {
                    kept.push(Range { last: cut.first - 1, ..left });
                }
                rest = (cut.last < left.last).then(|| Range { first: cut.last + 1, ..left });
            }
            kept.extend(rest);
        }
        Self::from_merged(kept)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(nets: &[&str]) -> AddressSet {
        nets.iter().map(|net| Range::from(net.parse::<IpNet>().unwrap())).collect()
    }

    fn v4(first: u128, last: u128) -> Range {
        Range { family: Family::V4, first, last }
    }

    #[test]
    fn neighbours_and_overlaps_become_one_range() {
        let halves = set(&["128.0.0.0/1", "0.0.0.0/1"]);
        assert_eq!(halves.ranges(), [v4(0, u128::from(u32::MAX))]);
        assert_eq!(halves.len(), 1 << 32);
        let mixed = set(&["2001:db8::/127", "10.0.0.0/31", "10.0.0.2/32", "10.0.0.1/32"]);
        assert_eq!(mixed.ranges().len(), 2);
        assert_eq!((mixed.len_of(Family::V4), mixed.len_of(Family::V6)), (3, 2));
    }

    #[test]
    fn the_whole_of_ipv6_is_counted_without_overflow() {
        let everything = set(&["::/0", "0.0.0.0/0"]);
        assert_eq!(everything.len(), u128::MAX);
        assert!(everything.contains("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff".parse().unwrap()));
    }

    #[test]
    fn index_and_address_are_inverse_over_both_families() {
        let set = set(&["10.0.0.0/30", "10.0.0.8/31", "2001:db8::/126"]);
        for index in 0..set.len() {
            let address = set.address(index).unwrap();
            assert_eq!(set.index(address), Some(index));
        }
        assert_eq!(set.address(4).unwrap().to_string(), "10.0.0.8");
        assert_eq!(set.address(6).unwrap().to_string(), "2001:db8::");
        assert_eq!(set.address(set.len()), None);
        assert_eq!(set.index("10.0.0.4".parse().unwrap()), None);
        assert_eq!(set.index("::a00:0".parse().unwrap()), None);
    }

    /// Every pair of subsets of eight addresses, against plain bit sets.
    #[test]
    fn set_algebra_is_exact_over_all_small_sets() {
        let from_mask = |mask: u32| -> AddressSet {
            (0..8).filter(|bit| mask >> bit & 1 == 1).map(|bit| v4(bit, bit)).collect()
        };
        let to_mask = |set: &AddressSet| -> u32 {
            (0..8).filter(|&bit| set.contains(Family::V4.address(bit))).map(|bit| 1 << bit).sum()
        };
        for a in 0..256 {
            for b in 0..256 {
                let (left, right) = (from_mask(a), from_mask(b));
                let both = left.intersection(&right);
                let only = left.difference(&right);
                assert_eq!(to_mask(&both), a & b);
                assert_eq!(to_mask(&only), a & !b);
                assert_eq!(both.len(), u128::from((a & b).count_ones()));
                assert_eq!(only.len(), u128::from((a & !b).count_ones()));
            }
        }
    }

    #[test]
    fn the_fullest_prefix_is_found_across_ranges() {
        let fullest = |nets: &[&str]| set(nets).fullest_prefix();
        assert_eq!(fullest(&[]), 0);
        assert_eq!(fullest(&["10.0.0.0/30", "10.0.0.64/26", "10.0.1.0/26"]), 68);
        assert_eq!(fullest(&["10.0.0.128/25", "10.0.1.0/24"]), 256);
        assert_eq!(fullest(&["10.0.0.0/8"]), 256);
        assert_eq!(fullest(&["10.0.0.0/31", "2001:db8::/120"]), 256);
    }

    #[test]
    fn overlaps_are_found_at_either_end() {
        let set = set(&["10.0.0.8/29", "10.0.1.0/24", "::/120"]);
        let overlaps =
            |first: u128, last: u128| set.overlaps(&v4(0x0a00_0000 + first, 0x0a00_0000 + last));
        assert!(overlaps(0, 8) && overlaps(15, 20) && overlaps(9, 9) && overlaps(0, 1000));
        assert!(!overlaps(0, 7) && !overlaps(16, 255) && !overlaps(512, 600));
    }

    #[test]
    fn differences_keep_the_families_apart() {
        let left = set(&["0.0.0.0/24", "::/120"]);
        assert_eq!(left.difference(&set(&["::/121"])), set(&["0.0.0.0/24", "::80/121"]));
        assert_eq!(left.difference(&set(&["0.0.0.0/25"])), set(&["0.0.0.128/25", "::/120"]));
    }
}
