//! A seeded bijection of the numbers below `n` onto themselves, in constant memory.

/// Half-rounds of the Feistel network: each half is mixed four times.
const ROUNDS: usize = 8;

/// A bijection of `0..n`, chosen by a seed, computable in both directions.
///
/// A Feistel network over pairs `(left, right)` with `left < a`, `right < b`, where `a * b` is the
/// smallest such product that reaches `n`: each half-round adds a keyed function of one half to the
/// other, modulo that half's own bound, and is undone by subtracting it. The few results at or above
/// `n` are sent through again until they fall below it (cycle walking), which keeps it a bijection.
#[derive(Clone, Debug)]
pub struct Permutation {
    n: u64,
    left: u64,
    right: u64,
    keys: [u64; ROUNDS],
}

impl Permutation {
    /// The bijection of `0..n` that `seed` and `purpose` choose together.
    pub fn new(n: u64, seed: u64, purpose: u64) -> Self {
        let root = n.isqrt();
        let left = if root * root == n { root } else { root + 1 }.max(1);
        let mut state = mix(seed ^ mix(purpose));
        let keys = std::array::from_fn(|_| {
            state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
            mix(state)
        });
        Self { n, left, right: n.div_ceil(left).max(1), keys }
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
        let (mut left, mut right) = (number % self.left, number / self.left);
        for pair in self.keys.chunks_exact(2) {
            left = add(left, scaled(mix(right ^ pair[0]), self.left), self.left);
            right = add(right, scaled(mix(left ^ pair[1]), self.right), self.right);
        }
        right * self.left + left
    }

    fn round_trip_back(&self, number: u64) -> u64 {
        let (mut left, mut right) = (number % self.left, number / self.left);
        for pair in self.keys.chunks_exact(2).rev() {
            right = subtract(right, scaled(mix(left ^ pair[1]), self.right), self.right);
            left = subtract(left, scaled(mix(right ^ pair[0]), self.left), self.left);
        }
        right * self.left + left
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
}
