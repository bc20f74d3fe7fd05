//! Rounds: the scans that count as one when it is asked what was known before.

use std::collections::HashMap;

use crate::domain::fingerprint::Sha256Fingerprint;
use crate::domain::scan::Shard;
use crate::domain::time::Timestamp;

/// What of a scan says which round it belongs to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Head {
    /// The scan's number.
    pub scan: i64,
    /// The scan's id.
    pub id: String,
    /// The hash of its plan.
    pub plan: Sha256Fingerprint,
    /// The seed of its order.
    pub seed: u64,
    /// Its part of the plan.
    pub shard: Shard,
    /// When it started.
    pub started: Timestamp,
}

/// When the round of each scan began, by the scan's number.
///
/// The shards of one plan and seed are one round, wherever and whenever each was swept: the first run of each is the first
/// round, the second run the second.
pub fn rounds(mut heads: Vec<Head>) -> HashMap<i64, Timestamp> {
    heads.sort_by(|a, b| (a.started, &a.id).cmp(&(b.started, &b.id)));
    let mut runs: HashMap<(Sha256Fingerprint, u64, u32, u32), u32> = HashMap::new();
    let mut began: HashMap<(Sha256Fingerprint, u64, u32, u32), Timestamp> = HashMap::new();
    let mut of_scans = Vec::with_capacity(heads.len());
    for head in heads {
        let Shard { index, count } = head.shard;
        let run = runs.entry((head.plan, head.seed, count, index)).or_default();
        *run += 1;
        let round = (head.plan, head.seed, count, *run);
        // In order of time: the first to come is the first.
        began.entry(round).or_insert(head.started);
        of_scans.push((head.scan, round));
    }
    let of_scans = of_scans.into_iter();
    of_scans.filter_map(|(scan, round)| Some((scan, *began.get(&round)?))).collect()
}
