//! The prefixes of an address set: whole ones by arithmetic, parts of one by a list.

use std::net::IpAddr;

use super::TooMany;
use crate::domain::address::Family;
use crate::domain::ranges::{AddressSet, Range};

/// Addresses in a whole IPv4 politeness prefix.
pub(super) const WHOLE: u64 = 1 << Family::V4.prefix_shift();

/// The IPv4 prefixes that lie in the set with all their addresses.
#[derive(Clone, Debug, Default)]
pub(super) struct FullPrefixes {
    /// Number of the first prefix of each run, and how many prefixes lie in the runs before it.
    runs: Vec<(u64, u64)>,
    len: u64,
}

impl FullPrefixes {
    pub(super) const fn len(&self) -> u64 {
        self.len
    }

    fn push(&mut self, first: u64, count: u64) {
        self.runs.push((first, self.len));
        self.len += count;
    }

    /// Address `offset` of whole prefix `unit`.
    pub(super) fn address(&self, unit: u64, offset: u64) -> IpAddr {
        let run = self.runs.partition_point(|(_, before)| *before <= unit) - 1;
        let (first, before) = self.runs[run];
        Family::V4.address(u128::from((first + unit - before) * WHOLE + offset))
    }

    /// The whole prefix that `address` lies in, and its place in there.
    pub(super) fn find(&self, address: IpAddr) -> Option<(u64, u64)> {
        let IpAddr::V4(v4) = address else { return None };
        let (prefix, offset) = (u64::from(v4.to_bits()) / WHOLE, u64::from(v4.to_bits()) % WHOLE);
        let run = self.runs.partition_point(|(first, _)| *first <= prefix).checked_sub(1)?;
        let (first, before) = self.runs[run];
        let end = self.runs.get(run + 1).map_or(self.len, |(_, before)| *before);
        let unit = before + (prefix - first);
        (unit < end).then_some((unit, offset))
    }
}

/// A part of one prefix: addresses that stand side by side in the set's own numbering.
#[derive(Clone, Copy, Debug)]
pub(super) struct Part {
    family: Family,
    prefix: u64,
    first_index: u128,
    count: u64,
}

/// The parts of prefixes that lie in one shard.
#[derive(Clone, Debug, Default)]
pub(super) struct PartialPrefixes {
    /// First index of each part in the set, and how many addresses lie in the parts before it.
    parts: Vec<(u128, u64)>,
    addresses: u64,
}

impl PartialPrefixes {
    pub(super) fn new(all: Vec<Part>, here: impl Fn(usize) -> bool) -> Result<Self, TooMany> {
        let mut kept = Self::default();
        for (_, part) in all.into_iter().enumerate().filter(|(unit, _)| here(*unit)) {
            kept.parts.push((part.first_index, kept.addresses));
            kept.addresses = kept.addresses.checked_add(part.count).ok_or(TooMany)?;
        }
        Ok(kept)
    }

    pub(super) const fn addresses(&self) -> u64 {
        self.addresses
    }

    /// The index in the set of address `index` of the parts.
    pub(super) fn base_index(&self, index: u64) -> Option<u128> {
        let at = self.parts.partition_point(|(_, before)| *before <= index).checked_sub(1)?;
        let (first_index, before) = self.parts[at];
        Some(first_index + u128::from(index - before))
    }

    /// The inverse of [`PartialPrefixes::base_index`].
    pub(super) fn index(&self, base_index: u128) -> Option<u64> {
        let at = self.parts.partition_point(|(first, _)| *first <= base_index).checked_sub(1)?;
        let (first_index, before) = self.parts[at];
        let end = self.parts.get(at + 1).map_or(self.addresses, |(_, before)| *before);
        let offset = u64::try_from(base_index - first_index).ok()?;
        let index = before.checked_add(offset)?;
        (index < end).then_some(index)
    }
}

/// Splits `addresses` into whole IPv4 prefixes and parts of prefixes, both in ascending order.
pub(super) fn split(addresses: &AddressSet) -> Result<(FullPrefixes, Vec<Part>), TooMany> {
    let (mut full, mut parts) = (FullPrefixes::default(), Vec::new());
    for range in addresses.ranges() {
        let shift = range.family.prefix_shift();
        let (first, last) = ((range.first >> shift) as u64, (range.last >> shift) as u64);
        let size = 1_u128 << shift;
        let starts_inside = !range.first.is_multiple_of(size);
        let ends_inside = range.last % size != size - 1;
        if range.family == Family::V6 || first == last && (starts_inside || ends_inside) {
            for prefix in [first].into_iter().chain((last != first).then_some(last)) {
                push_part(&mut parts, addresses, range, prefix)?;
            }
            // An IPv6 range that holds a whole /48 between its ends is far beyond any count.
            if last - first > 1 {
                return Err(TooMany);
            }
            continue;
        }
        if starts_inside {
            push_part(&mut parts, addresses, range, first)?;
        }
        let (whole_first, whole_end) =
            (first + u64::from(starts_inside), last + 1 - u64::from(ends_inside));
        if whole_first < whole_end {
            full.push(whole_first, whole_end - whole_first);
        }
        if ends_inside {
            push_part(&mut parts, addresses, range, last)?;
        }
    }
    Ok((full, parts))
}

/// Adds what of `range` lies in `prefix`, to the last part if that is in the same prefix.
fn push_part(
    parts: &mut Vec<Part>,
    addresses: &AddressSet,
    range: &Range,
    prefix: u64,
) -> Result<(), TooMany> {
    let shift = range.family.prefix_shift();
    let start = u128::from(prefix) << shift;
    let first = range.first.max(start);
    let last = range.last.min(start | ((1 << shift) - 1));
    let count = u64::try_from(last - first + 1).map_err(|_| TooMany)?;
    if let Some(open) = parts.last_mut()
        && (open.family, open.prefix) == (range.family, prefix)
    {
        open.count = open.count.checked_add(count).ok_or(TooMany)?;
        return Ok(());
    }
    let first_index = addresses.index(range.family.address(first)).ok_or(TooMany)?;
    parts.push(Part { family: range.family, prefix, first_index, count });
    Ok(())
}
