//! Division by a number that stays the same: a multiplication in place of the slowest instruction there is.

/// A divisor from 1 to 2^16, for numbers below 2^62.
#[derive(Clone, Copy, Debug)]
pub(super) struct Divisor {
    divisor: u64,
    /// `(2^64 - 1) / divisor`, rounded down.
    reciprocal: u64,
}

impl Divisor {
    /// Divides by `divisor`; 0 is taken as 1.
    pub(super) fn new(divisor: u64) -> Self {
        let divisor = divisor.max(1);
        Self { divisor, reciprocal: u64::MAX / divisor }
    }

    /// Quotient and remainder of `number`.
    ///
    /// The reciprocal is less than 1 too small, and so the estimate less than `number / 2^64 < 1/4`: rounded
    /// down it is right or one too small.
    pub(super) const fn divide(self, number: u64) -> (u64, u64) {
        let quotient = ((number as u128 * self.reciprocal as u128) >> 64) as u64;
        let rest = number - quotient * self.divisor;
        if rest >= self.divisor { (quotient + 1, rest - self.divisor) } else { (quotient, rest) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotient_and_remainder_are_those_of_division() {
        for divisor in (1..=300).chain([1000, 4096, 65_521, 65_535, 65_536]) {
            let by = Divisor::new(divisor);
            let edges = [1 << 20, 1 << 32, 1 << 61, (1 << 62) - 1].into_iter();
            let near = edges.flat_map(|edge| {
                let multiple = edge / divisor * divisor;
                [edge, edge - 1, multiple, multiple - 1, multiple.saturating_sub(divisor)]
            });
            for number in near.chain(0..1000) {
                assert_eq!(by.divide(number), (number / divisor, number % divisor), "{number}");
            }
        }
    }
}
