//! One run of a plan: what makes it repeatable, and what came of it.

use super::address::Target;
use super::fingerprint::Sha256Fingerprint;
use super::indicator::Tier;
use super::outcome::{Outcome, WORDS};
use super::time::Timestamp;

/// What a run did, by outcome, and what it could not do.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    by_outcome: [u64; WORDS.len()],
    by_tier: [u64; Tier::ALL.len()],
    /// Targets that a fault of our own kept from being probed.
    pub faults: u64,
}

impl Counts {
    /// Counts one visit that ended with `outcome`.
    pub fn add(&mut self, outcome: &Outcome) {
        self.by_outcome[outcome.index()] += 1;
    }

    /// Counts `count` visits whose closest match is of `tier`.
    pub fn add_tier(&mut self, tier: Tier, count: u64) {
        self.by_tier[tier as usize] += count;
    }

    /// How many visits have their closest match at `tier`.
    pub const fn of_tier(&self, tier: Tier) -> u64 {
        self.by_tier[tier as usize]
    }

    /// How many visits saw a reported leaf itself: tier A.
    pub const fn matched(&self) -> u64 {
        self.of_tier(Tier::A)
    }

    /// How many visits have their closest match at one of the tiers that `wanted` takes.
    pub fn of_tiers(&self, wanted: impl Fn(Tier) -> bool) -> u64 {
        Tier::ALL.into_iter().filter(|tier| wanted(*tier)).map(|tier| self.of_tier(tier)).sum()
    }

    /// Adds `count` visits of the outcome called `word`; `false` if no outcome has this name.
    pub fn add_word(&mut self, word: &str, count: u64) -> bool {
        match WORDS.iter().position(|known| *known == word) {
            Some(index) => {
                self.by_outcome[index] += count;
                true
            }
            None => false,
        }
    }

    /// Each outcome's word with its count, in the order of [`WORDS`], those that occurred only.
    pub fn outcomes(&self) -> impl Iterator<Item = (&'static str, u64)> + '_ {
        WORDS.iter().copied().zip(self.by_outcome).filter(|(_, count)| *count > 0)
    }

    /// How many visits ended with the outcome called `word`.
    pub fn of(&self, word: &str) -> u64 {
        self.outcomes().find(|(known, _)| *known == word).map_or(0, |(_, count)| count)
    }

    /// How many visits there were.
    pub fn total(&self) -> u64 {
        self.by_outcome.iter().sum()
    }
}

/// A target that a fault of our own kept from being probed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// When.
    pub time: Timestamp,
    /// The target's position, which is not covered.
    pub position: u64,
    /// The target.
    pub target: Target,
    /// What the fault said of itself.
    pub message: String,
}

/// Part `index` of `count` of a plan, counted from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shard {
    /// Which part, from 1.
    pub index: u32,
    /// Of how many.
    pub count: u32,
}

impl Shard {
    /// The whole plan.
    pub const WHOLE: Self = Self { index: 1, count: 1 };
}

/// `2/8`.
impl std::fmt::Display for Shard {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", self.index, self.count)
    }
}

impl std::str::FromStr for Shard {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        const FORM: &str = "a shard is I/N with 1 <= I <= N, for example 2/8";
        let (index, count) = text.split_once('/').ok_or(FORM)?;
        let index = index.parse().map_err(|_| FORM)?;
        let count = count.parse().map_err(|_| FORM)?;
        (1..=count).contains(&index).then_some(Self { index, count }).ok_or(FORM)
    }
}

/// What identifies a run and makes it repeatable: written when it starts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scan {
    /// A ULID.
    pub id: String,
    /// The hash of the plan: scope, ports, target list and order.
    pub plan_hash: Sha256Fingerprint,
    /// The scope's name.
    pub scope_name: String,
    /// SHA-256 of the scope's text.
    pub scope_hash: Sha256Fingerprint,
    /// The scope's text, whole.
    pub scope_text: String,
    /// The program's arguments, without its name.
    pub command_line: Vec<String>,
    /// The seed of the order.
    pub seed: u64,
    /// The part of the plan that was run.
    pub shard: Shard,
    /// Where the run looked from.
    pub vantage: String,
    /// The version of certsweep.
    pub version: String,
    /// Every setting in force, as a JSON object.
    pub settings: String,
    /// How many positions the order has.
    pub positions: u64,
    /// When the run started.
    pub started: Timestamp,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shards_read_and_print() {
        assert_eq!("2/8".parse::<Shard>().unwrap(), Shard { index: 2, count: 8 });
        assert_eq!(Shard::WHOLE.to_string(), "1/1");
        for bad in ["", "0/4", "5/4", "1", "a/b", "1/0", "-1/2"] {
            assert!(bad.parse::<Shard>().is_err(), "{bad}");
        }
    }

    #[test]
    fn counts_go_by_word() {
        let mut counts = Counts::default();
        counts.add(&Outcome::Silent);
        assert!(counts.add_word("silent", 2));
        assert!(!counts.add_word("vanished", 2));
        assert_eq!(counts.outcomes().collect::<Vec<_>>(), [("silent", 3)]);
        assert_eq!((counts.of("silent"), counts.of("reset"), counts.total()), (3, 0, 3));
    }
}
