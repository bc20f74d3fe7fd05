//! Transitions are found: histories that changed are folded by the rules, and what is told of matches is kept.
//!
//! Of certificates that match nothing, most of all the millions that are new in a first scan, no transition is kept: the
//! sightings say when each was seen first. They can be folded again at any time.

use std::collections::{HashMap, HashSet};

use rusqlite::Connection;

use super::difference::About;
use super::error::StoreError;
use super::ledger::Ledger;
use super::transition::{Change, FirstSight, PastVisit, Pending, PlaceRow};
use crate::domain::fingerprint::Sha256Fingerprint;
use crate::domain::indicator::Tier;
use crate::domain::ledger::{self, Head, Kind, PlaceState, Rules, Seen, Sight, Subject};
use crate::domain::time::Timestamp;

/// Places that are looked through in one transaction.
const PLACES: u32 = 4_096;

/// What is known of leaves and scans while places are looked through.
pub(super) struct Deriver<'l> {
    ledger: &'l Ledger,
    rules: Rules,
    /// When the round of each scan began, by the scan's number.
    rounds: HashMap<i64, Timestamp>,
    /// The id of each scan.
    ids: HashMap<i64, String>,
    /// The closest tier at which each leaf ever matched.
    tiers: HashMap<i64, Tier>,
    hashes: HashMap<i64, Option<Sha256Fingerprint>>,
    first_sights: HashMap<i64, Vec<FirstSight>>,
}

impl Ledger {
    /// Looks through the places whose history changed, and keeps what the rules make of them, of matches or of everything; how
    /// many transitions were not known before. `now` is when they are found.
    ///
    /// It may be broken off and called again: what was looked through stays so, and what is found again is the same.
    ///
    /// # Errors
    ///
    /// If the ledger cannot be read or written.
    pub fn derive(
        &mut self,
        rules: Rules,
        about: About,
        now: Timestamp,
    ) -> Result<u64, StoreError> {
        if about == About::Matches {
            let mut after = Some(0);
            while let Some(id) = after {
                after = self.write(|transaction| Ok(pass_over(transaction, id)?))?;
            }
        }
        let mut made = 0;
        loop {
            let pending = self.pending(PLACES)?;
            if pending.is_empty() {
                return Ok(made);
            }
            let settled = Deriver::new(self, rules)?.settle(pending, about)?;
            made += self.write_transitions(&settled, now)?;
        }
    }
}

/// What a history amounts to.
pub(super) struct Folded {
    pub(super) state: PlaceState<Sha256Fingerprint>,
    pub(super) changes: Vec<ledger::Change<Sha256Fingerprint>>,
    /// The row of each leaf in it.
    pub(super) rows: HashMap<Sha256Fingerprint, i64>,
}

impl<'l> Deriver<'l> {
    pub(super) fn new(ledger: &'l Ledger, rules: Rules) -> Result<Self, StoreError> {
        let heads = ledger.scan_heads()?;
        let ids = heads.iter().map(|head| (head.number, head.id.clone())).collect();
        let heads = heads.into_iter().map(|head| Head {
            scan: head.number,
            id: head.id,
            plan: head.plan_hash,
            seed: head.seed,
            shard: head.shard,
            started: head.started,
        });
        Ok(Self {
            ledger,
            rules,
            rounds: ledger::rounds(heads.collect()),
            ids,
            tiers: ledger.read(tiers)?,
            hashes: HashMap::new(),
            first_sights: HashMap::new(),
        })
    }

    /// Each change of a place with what it amounts to; a place that stands there twice is looked through once.
    fn settle(
        &mut self,
        pending: Vec<Pending>,
        about: About,
    ) -> Result<Vec<(Pending, Vec<Change>)>, StoreError> {
        let mut met = HashSet::new();
        pending
            .into_iter()
            .map(|pending| {
                let is_first = met.insert(pending.place);
                let changes = match is_first {
                    true => self.changes(pending.place, about)?,
                    false => Vec::new(),
                };
                Ok((pending, changes))
            })
            .collect()
    }

    /// What the history of `place` amounts to, where a leaf in it ever matched or everything is of interest.
    fn changes(&mut self, place: PlaceRow, about: About) -> Result<Vec<Change>, StoreError> {
        let visits = self.ledger.history(place)?;
        if about == About::Matches && !self.is_matched(&visits) {
            return Ok(Vec::new());
        }
        let folded = self.fold(place, visits)?;
        let mut told = Vec::with_capacity(folded.changes.len());
        for change in &folded.changes {
            if let Some(told_one) = self.told(place, &folded.rows, change)?
                && (about == About::Everything || told_one.tier.is_some())
            {
                told.push(told_one);
            }
        }
        Ok(told)
    }

    /// Whether one of `visits` saw a leaf that ever matched.
    pub(super) fn is_matched(&self, visits: &[PastVisit]) -> bool {
        let mut leaves = visits.iter().flat_map(|visit| &visit.leaves);
        leaves.any(|leaf| self.tiers.contains_key(leaf))
    }

    /// What `visits` of `place` amount to.
    pub(super) fn fold(
        &mut self,
        place: PlaceRow,
        visits: Vec<PastVisit>,
    ) -> Result<Folded, StoreError> {
        let mut rows = HashMap::new();
        let mut history = Vec::with_capacity(visits.len());
        for visit in visits {
            let mut leaves = Vec::with_capacity(visit.leaves.len());
            for row in visit.leaves {
                // Of what a visit saw, the bytes are there, and so is the hash.
                if let Some(hash) = self.hash(row)? {
                    rows.insert(hash, row);
                    leaves.push(hash);
                }
            }
            history.push(Sight {
                time: visit.time,
                scan: visit.scan,
                round: self.rounds.get(&visit.scan).copied().unwrap_or(visit.time),
                seen: Seen::of(&visit.outcome, leaves),
            });
        }
        let elsewhere = self.elsewhere(place, &rows)?;
        let known = |leaf| elsewhere.get(&leaf).copied();
        let (state, changes) = ledger::fold(history, self.rules, known);
        Ok(Folded { state, changes, rows })
    }

    /// When each leaf was first seen at another address than that of `place`, in terms of rounds: the beginning of the
    /// round that saw it.
    fn elsewhere(
        &mut self,
        place: PlaceRow,
        rows: &HashMap<Sha256Fingerprint, i64>,
    ) -> Result<HashMap<Sha256Fingerprint, Timestamp>, StoreError> {
        let mut first = HashMap::new();
        for (hash, row) in rows {
            if !self.first_sights.contains_key(row) {
                self.first_sights.insert(*row, self.ledger.first_sights(*row)?);
            }
            let sights = self.first_sights.get(row).into_iter().flatten();
            let round = |sight: &FirstSight| self.rounds.get(&sight.scan).copied();
            let elsewhere = sights.filter(|sight| sight.is_elsewhere(place)).filter_map(round);
            first.extend(elsewhere.min().map(|began| (*hash, began)));
        }
        Ok(first)
    }

    /// A change as it is kept, with the closest tier at which a leaf in it ever matched.
    pub(super) fn told(
        &self,
        place: PlaceRow,
        rows: &HashMap<Sha256Fingerprint, i64>,
        change: &ledger::Change<Sha256Fingerprint>,
    ) -> Result<Option<Change>, StoreError> {
        // What is there now comes first, and of a rotation what was there before second.
        let (leaf, previous) = match change.to {
            Some(to) => (to, Some(change.leaf)),
            None => (change.leaf, None),
        };
        let row = |hash: Sha256Fingerprint| rows.get(&hash).copied();
        let leaves = [row(leaf), previous.and_then(row)];
        let tier = leaves.iter().flatten().filter_map(|row| self.tiers.get(row)).min();
        let (Some(certificate), Some(scan)) = (row(leaf), self.ids.get(&change.scan)) else {
            return Ok(None);
        };
        let name = self.ledger.place(place)?;
        let subject = Subject {
            target: name.target,
            server_name: name.server_name.as_deref(),
            vantage: &name.vantage,
            leaf,
        };
        let from = match change.kind {
            Kind::Moved => self.ledger.elsewhere(certificate, place, 1)?.first().map(|at| at.place),
            _ => None,
        };
        Ok(Some(Change {
            key: ledger::key(change.kind, subject, previous, scan),
            kind: change.kind.word(),
            time: change.time,
            scan: change.scan,
            certificate,
            previous: previous.and_then(row),
            tier: tier.map(|tier| tier.letter()),
            from,
        }))
    }

    /// The id of the scan with this number.
    pub(super) fn id(&self, scan: i64) -> Option<&str> {
        self.ids.get(&scan).map(String::as_str)
    }

    fn hash(&mut self, row: i64) -> Result<Option<Sha256Fingerprint>, StoreError> {
        if let Some(hash) = self.hashes.get(&row) {
            return Ok(*hash);
        }
        let hash = self.ledger.leaf(row)?;
        self.hashes.insert(row, hash);
        Ok(hash)
    }
}

/// Takes note that nothing is to be told of places where no visit ever saw a leaf that matched: nearly all, after a first
/// scan, and their histories need not be read one by one. It looks at some changes after `after`; the last of them, unless
/// there were none. Another scan that writes meanwhile waits for no more than these.
fn pass_over(transaction: &Connection, after: i64) -> rusqlite::Result<Option<i64>> {
    const LAST: &str = "
        SELECT max(id) FROM (
            SELECT id FROM pending_place WHERE id > ?1 ORDER BY id LIMIT 100000
        )";
    const DELETE: &str = "
        DELETE FROM pending_place WHERE id > ?1 AND id <= ?2 AND NOT EXISTS (
            SELECT 1 FROM visit
            WHERE visit.endpoint_id = pending_place.endpoint_id
                AND visit.server_name_id = pending_place.server_name_id
                AND visit.certificate_id IN (SELECT certificate_id FROM \"match\")
        ) AND NOT EXISTS (
            SELECT 1 FROM further_leaf
            WHERE further_leaf.endpoint_id = pending_place.endpoint_id
                AND further_leaf.server_name_id = pending_place.server_name_id
                AND further_leaf.certificate_id IN (SELECT certificate_id FROM \"match\")
        )";
    let has_matches = transaction.prepare_cached("SELECT 1 FROM \"match\" LIMIT 1")?.exists([])?;
    if !has_matches {
        // Without a condition SQLite gives the pages back as they are.
        return transaction.execute("DELETE FROM pending_place", []).map(|_| None);
    }
    let last: Option<i64> =
        transaction.prepare_cached(LAST)?.query_row([after], |row| row.get(0))?;
    if let Some(last) = last {
        transaction.prepare_cached(DELETE)?.execute([after, last])?;
    }
    Ok(last)
}

/// The closest tier at which each leaf ever matched.
fn tiers(connection: &Connection) -> rusqlite::Result<HashMap<i64, Tier>> {
    const SELECT: &str = "SELECT certificate_id, min(tier) FROM \"match\" GROUP BY certificate_id";
    let mut select = connection.prepare_cached(SELECT)?;
    let mut rows = select.query([])?;
    let mut tiers = HashMap::new();
    while let Some(row) = rows.next()? {
        let letter: String = row.get(1)?;
        let tier = Tier::ALL.into_iter().find(|tier| tier.letter() == letter);
        if let Some(tier) = tier {
            tiers.insert(row.get(0)?, tier);
        }
    }
    Ok(tiers)
}
