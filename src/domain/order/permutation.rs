//! A seeded bijection of the numbers below `n` onto themselves, in constant memory.

/// Half-rounds of the Feistel network: four of a function that looks random make a permutation that does
/// (Luby and Rackoff, SIAM Journal on Computing 17(2), 1988).
const ROUNDS: usize = 4;

/// A bijection of `0..n`, chosen by a seed, computable in both directions.
///
/// A Feistel network over pairs `(left, right)` with `left < 2^k`, `right < b`, where `2^k` is near the
/// root of `n` and `b` is the least number with `2^k * b >= n`: each half-round adds a keyed function of one
/// half to the other, modulo that half's own bound, and is undone by subtracting it. The few results at or
/// above `n`, fewer than `2^k`, are sent through again until they fall below it (cycle walking), which
/// keeps it a bijection. Nothing is divided: the left bound is a power of two.
#[derive(Clone, Debug)]
pub struct Permutation {
    n: u64,
    /// `k`, at most 31.
    left_bits: u32,
    /// `b`, at most 2^32.
    right: u64,
    keys: [u64; ROUNDS],
}

impl Permutation {
    /// The bijection of `0..n` that `seed` and `purpose` choose together; `n` is below 2^62.
    pub fn new(n: u64, seed: u64, purpose: u64) -> Self {
        let left_bits = (u64::BITS - n.leading_zeros()) / 2;
        let mut state = mix(seed ^ mix(purpose));
        let keys = std::array::from_fn(|_| {
            state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
            mix(state)
        });
        Self { n, left_bits, right: n.div_ceil(1 << left_bits).max(1), keys }
    }

    /// How many numbers are permuted.
    pub const fn len(&self) -> u64 {
        self.n
    }

    /// Whether there is nothing to permute.
    pub const fn is_empty(&self) -> bool {
        self.n == 0
    }

    /// The number at place `index`; `index` must be below [`Permutation::len`].
    #[inline]
    pub fn forward(&self, index: u64) -> u64 {
        debug_assert!(index < self.n);
        let mut number = index;
        loop {
            number = self.round_trip(number);
            if number < self.n {
                return number;
            }
        }
    }

    /// The place of `number`, the inverse of [`Permutation::forward`].
    #[inline]
    pub fn backward(&self, number: u64) -> u64 {
        debug_assert!(number < self.n);
        let mut index = number;
        loop {
            index = self.round_trip_back(index);
            if index < self.n {
                return index;
            }
        }
    }

    fn round_trip(&self, number: u64) -> u64 {
        let (mut left, mut right) = self.halves(number);
        let [first, second, third, fourth] = self.keys;
        left = left.wrapping_add(mix(right ^ first)) & self.left_mask();
        right = add(right, scaled(mix(left ^ second), self.right), self.right);
        left = left.wrapping_add(mix(right ^ third)) & self.left_mask();
        right = add(right, scaled(mix(left ^ fourth), self.right), self.right);
        right << self.left_bits | left
    }

    fn round_trip_back(&self, number: u64) -> u64 {
        let (mut left, mut right) = self.halves(number);
        let [first, second, third, fourth] = self.keys;
        right = subtract(right, scaled(mix(left ^ fourth), self.right), self.right);
        left = left.wrapping_sub(mix(right ^ third)) & self.left_mask();
        right = subtract(right, scaled(mix(left ^ second), self.right), self.right);
        left = left.wrapping_sub(mix(right ^ first)) & self.left_mask();
        right << self.left_bits | left
    }

    const fn halves(&self, number: u64) -> (u64, u64) {
        (number & self.left_mask(), number >> self.left_bits)
    }

    const fn left_mask(&self) -> u64 {
        (1 << self.left_bits) - 1
    }
}

/// The finaliser of SplitMix64: every bit of the input reaches every bit of the output.
const fn mix(mut bits: u64) -> u64 {
    bits = (bits ^ bits >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    bits = (bits ^ bits >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    bits ^ bits >> 31
}

/// `bits` scaled from all 64-bit numbers down to those below `bound`.
const fn scaled(bits: u64, bound: u64) -> u64 {
    ((bits as u128 * bound as u128) >> 64) as u64
}

/// `a + b` modulo `bound`; both are below it, and it is below 2^33.
const fn add(a: u64, b: u64, bound: u64) -> u64 {
    let sum = a + b;
    if sum >= bound { sum - bound } else { sum }
}

/// `a - b` modulo `bound`; both are below it.
const fn subtract(a: u64, b: u64, bound: u64) -> u64 {
    if a >= b { a - b } else { a + bound - b }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_size_to_4096_is_a_bijection_with_its_inverse() {
        for n in 1..=4096 {
            let permutation = Permutation::new(n, 7, 1);
            let mut seen = vec![false; n as usize];
            for index in 0..n {
                let number = permutation.forward(index);
                assert!(!std::mem::replace(&mut seen[number as usize], true), "{n} {index}");
                assert_eq!(permutation.backward(number), index, "{n}");
            }
        }
    }

    #[test]
    fn large_sizes_invert() {
        for n in [1 << 32, (1 << 33) - 9, 1 << 48, (1 << 48) + 12_345, (1 << 62) + 1] {
            let permutation = Permutation::new(n, 99, 2);
            for index in (0..1000).chain(n - 1000..n) {
                let number = permutation.forward(index);
                assert!(number < n);
                assert_eq!(permutation.backward(number), index);
            }
        }
    }

    #[test]
    fn seeds_and_purposes_give_different_orders() {
        let first = |seed, purpose| -> Vec<u64> {
            let permutation = Permutation::new(1000, seed, purpose);
            (0..20).map(|index| permutation.forward(index)).collect()
        };
        assert_ne!(first(1, 1), first(2, 1));
        assert_ne!(first(1, 1), first(1, 2));
        assert_eq!(first(1, 1), first(1, 1));
    }

    /// The mean distance between neighbours of a random order of `n` numbers is `n / 3`.
    #[test]
    fn neighbours_are_far_apart() {
        let n = 1 << 20;
        let permutation = Permutation::new(n, 5, 1);
        let steps = 10_000;
        let distance: u64 = (0..steps)
            .map(|index| permutation.forward(index).abs_diff(permutation.forward(index + 1)))
            .sum();
        let mean = distance / steps;
        assert!((n * 30 / 100..n * 37 / 100).contains(&mean), "{mean}");
    }

    /// A chi-squared statistic with 255 degrees of freedom has the mean 255 and the deviation 22.6: stretches
    /// of an order fall evenly over 256 buckets by their high bits, by their low ones, and by their step.
    #[test]
    fn stretches_are_spread_like_chance() {
        let sum_of_squares = |buckets: &[u64; 256]| buckets.iter().map(|n| n * n).sum::<u64>();
        for n in [1 << 20, 10_000_019, (1 << 33) - 512, 1 << 41] {
            for (seed, start) in [(1, 0), (2, n / 3), (u64::MAX, n - (1 << 16))] {
                let permutation = Permutation::new(n, seed, 3);
                let mut counts = [[0_u64; 256]; 3];
                let mut before = permutation.forward(start);
                for index in start + 1..start + (1 << 16) {
                    let number = permutation.forward(index);
                    let step = (number + n - before) % n;
                    let high = |x: u64| (u128::from(x) * 256 / u128::from(n)) as usize;
                    counts[0][high(number)] += 1;
                    counts[1][(number % 256) as usize] += 1;
                    counts[2][high(step)] += 1;
                    before = number;
                }
                for buckets in &counts {
                    let chi = sum_of_squares(buckets) as f64 / 256.0 - 65_535.0;
                    // Without replacement a small order is a little more even than chance.
                    assert!((140.0..370.0).contains(&chi), "{n} {seed} {chi}");
                }
            }
        }
    }
}
