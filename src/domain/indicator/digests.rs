//! Many digests, each with a number: sorted, and with a directory of their leading bits.
//!
//! A digest needs no hash function, as it is one: its leading bits say where to look, in a stretch of two digests
//! on average. Digests chosen to share those bits cost a binary search, and never more. Most digests asked for are not
//! there: a bit for every value of a few more bits, one in sixteen to one in 32 of them set, says so from the cache.

/// Digests of `N` bytes and their numbers; a digest may stand there more than once.
#[derive(Debug, Default)]
pub(super) struct Digests<const N: usize> {
    entries: Vec<([u8; N], u32)>,
    /// For every value of the leading bits where its entries start, and where the last ones end.
    starts: Vec<u32>,
    /// How many of the leading 32 bits are left out.
    shift: u32,
    /// Which values of the leading bits, [`FINER`] more of them, occur.
    occurs: Vec<u64>,
}

/// By how many bits the presence of a digest is known more finely than its place.
const FINER: u32 = 5;

impl<const N: usize> Digests<N> {
    /// `entries` in any order; fewer than 2^32.
    pub(super) fn new(mut entries: Vec<([u8; N], u32)>) -> Self {
        if entries.is_empty() {
            return Self::default();
        }
        entries.sort_unstable();
        let shift = u32::BITS - entries.len().ilog2().min(u32::BITS - 1);
        let buckets = 1_usize << (u32::BITS - shift);
        let mut starts = Vec::with_capacity(buckets + 1);
        let mut occurs = vec![0; (buckets << FINER).div_ceil(64)];
        for (at, (digest, _)) in entries.iter().enumerate() {
            let (word, bit) = presence(digest, shift);
            if let Some(word) = occurs.get_mut(word) {
                *word |= bit;
            }
            // The start of this bucket, and of the empty ones before it.
            starts.resize(starts.len().max(bucket(digest, shift) + 1), at as u32);
        }
        starts.resize(buckets + 1, entries.len() as u32);
        Self { entries, starts, shift, occurs }
    }

    /// Whether there is no digest.
    pub(super) const fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// The numbers of `digest`, ascending.
    #[inline]
    pub(super) fn numbers(&self, digest: &[u8; N]) -> impl Iterator<Item = u32> {
        let (word, bit) = presence(digest, self.shift);
        let may_occur = self.occurs.get(word).is_some_and(|word| word & bit != 0);
        let found = if may_occur { self.stretch(digest) } else { None }.unwrap_or_default();
        let first = found.partition_point(|(other, _)| other < digest);
        let equal = found.iter().skip(first).take_while(move |(other, _)| other == digest);
        equal.map(|(_, number)| *number)
    }

    /// The entries that have the leading bits of `digest`.
    fn stretch(&self, digest: &[u8; N]) -> Option<&[([u8; N], u32)]> {
        let bucket = bucket(digest, self.shift);
        let (start, end) = (self.starts.get(bucket)?, self.starts.get(bucket + 1)?);
        self.entries.get(*start as usize..*end as usize)
    }

    /// The memory that they take, in bytes.
    pub(super) const fn bytes(&self) -> usize {
        self.entries.capacity() * size_of::<([u8; N], u32)>()
            + self.starts.capacity() * size_of::<u32>()
            + self.occurs.capacity() * size_of::<u64>()
    }
}

/// The word and the bit in it that say whether `digest` may be there.
fn presence(digest: &[u8], shift: u32) -> (usize, u64) {
    let value = bucket(digest, shift.saturating_sub(FINER));
    (value / 64, 1 << (value % 64))
}

/// The leading 32 bits of `digest` without the last `shift`.
fn bucket(digest: &[u8], shift: u32) -> usize {
    let leading = digest.first_chunk().map_or(0, |bytes| u32::from_be_bytes(*bytes));
    (u64::from(leading) >> shift) as usize
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::fingerprint::Sha1Fingerprint;

    #[test]
    fn any_number_of_digests_is_found_and_nothing_else() {
        for count in (0..70_u32).chain([1_000, 4_095, 4_096, 4_097]) {
            let digest = |number: u32| Sha1Fingerprint::of(&number.to_be_bytes()).0;
            let digests = Digests::new((0..count).map(|n| (digest(n), n)).collect());
            assert_eq!(digests.is_empty(), count == 0);
            for number in 0..count + 50 {
                let found: Vec<u32> = digests.numbers(&digest(number)).collect();
                assert_eq!(found, Vec::from_iter((number < count).then_some(number)), "{count}");
            }
        }
    }

    #[test]
    fn alike_and_equal_digests_are_told_apart() {
        let digest =
            |last: u8| std::array::from_fn::<u8, 32, _>(|at| if at < 31 { 0xff } else { last });
        let entries =
            (0..=255).flat_map(|last| [(digest(last), 1_000 - u32::from(last)), (digest(last), 7)]);
        let digests = Digests::new(entries.collect());
        for last in 0..=255 {
            let found: Vec<u32> = digests.numbers(&digest(last)).collect();
            assert_eq!(found, [7, 1_000 - u32::from(last)]);
        }
        assert_eq!(digests.numbers(&[0; 32]).count() + digests.numbers(&[0xff; 32]).count(), 2);
    }
}
