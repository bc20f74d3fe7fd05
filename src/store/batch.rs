//! One batch: what was seen and how far the scan got, in one transaction.

use rusqlite::{CachedStatement, Transaction, params};

use super::certificate::Certificates;
use super::chain::Chains;
use super::endpoint::{self, Endpoints, Place};
use super::error::Cause;
use super::lease::{self, Renewal};
use super::manner::Manners;
use super::pending::{self, Quiet};
use super::scan::{self, Numbers};
use super::sighting::{self, Sight, Sightings};
use super::visit::{self, Visit, Written};
use super::{indicator, progress};
use crate::domain::coverage::Coverage;
use crate::domain::observation::Observation;
use crate::domain::scan::{Counts, Fault};

/// What a scan saw since the last batch, and how far it is.
#[derive(Clone, Copy, Debug)]
pub struct Batch<'a> {
    /// The scan's id.
    pub scan: &'a str,
    /// What was seen; a further leaf stands somewhere after the observation of its visit.
    pub observations: &'a [Observation],
    /// Targets that faults kept from being probed.
    pub faults: &'a [Fault],
    /// Every position done so far, those of `observations` and of earlier batches included.
    pub coverage: &'a Coverage,
    /// Counts of the whole scan so far.
    pub counts: &'a Counts,
    /// The lease of what the scan is at work on, if it has one: without it nothing is written.
    pub renewal: Option<Renewal<'a>>,
}

/// Writes all of `batch`.
pub(super) fn record(transaction: &Transaction<'_>, batch: &Batch<'_>) -> Result<(), Cause> {
    if let Some(renewal) = &batch.renewal {
        lease::renew(transaction, renewal)?;
    }
    progress::replace(transaction, batch.scan, batch.coverage, batch.counts)?;
    let mut writer = Writer::new(transaction, batch)?;
    for Known { endpoint, certificate, observation } in writer.in_order()? {
        match certificate {
            Some(certificate) => writer.leaf(endpoint, certificate, observation)?,
            None => writer.absence(endpoint, observation)?,
        }
    }
    writer.sightings()?;
    for fault in batch.faults {
        record_fault(transaction, batch.scan, fault)?;
    }
    Ok(())
}

/// An observation at an endpoint that has a number, with the row of its leaf.
#[derive(Clone, Copy)]
struct Known<'c> {
    endpoint: i64,
    certificate: Option<i64>,
    observation: &'c Observation,
}

/// What writes the observations of a batch: statements at hand, because looking them up for each would cost as much as
/// a row.
struct Writer<'c> {
    transaction: &'c Transaction<'c>,
    batch: &'c Batch<'c>,
    numbers: Numbers,
    manners: Manners<'c>,
    chains: Chains<'c>,
    visits: CachedStatement<'c>,
    /// The leaves seen, whose sightings are written last.
    seen: Vec<Sight>,
    /// Where something changed.
    changed: Vec<Place>,
}

impl<'c> Writer<'c> {
    fn new(transaction: &'c Transaction<'_>, batch: &'c Batch<'_>) -> Result<Self, Cause> {
        Ok(Self {
            transaction,
            batch,
            numbers: scan::numbers(transaction, batch.scan)?,
            manners: Manners::new(transaction)?,
            chains: Chains::new(transaction)?,
            visits: transaction.prepare_cached(visit::INSERT)?,
            seen: Vec::with_capacity(batch.observations.len()),
            changed: Vec::new(),
        })
    }

    /// The observations by endpoint, those of one endpoint as they came: rows that lie side by side are written one
    /// after the other. Without those that leave nothing because nothing was ever seen at their address.
    fn in_order(&self) -> Result<Vec<Known<'c>>, Cause> {
        let mut endpoints = Endpoints::new(self.transaction)?;
        let mut certificates = Certificates::new(self.transaction)?;
        let mut ordered = Vec::with_capacity(self.batch.observations.len());
        for observation in self.batch.observations {
            let (endpoint, certificate) = match &observation.leaf {
                Some(leaf) => {
                    let certificate = certificates.intern(leaf, observation.time)?;
                    (Some(endpoints.intern(observation.target)?), Some(certificate))
                }
                None => (endpoints.find(observation.target)?, None),
            };
            ordered.extend(endpoint.map(|endpoint| Known { endpoint, certificate, observation }));
        }
        ordered.sort_by_key(|known| known.endpoint);
        Ok(ordered)
    }

    /// A leaf makes or widens a sighting. One that its visit saw besides another has no visit of its own: its matches
    /// stand with that.
    fn leaf(
        &mut self,
        endpoint: i64,
        certificate: i64,
        observation: &'c Observation,
    ) -> Result<(), Cause> {
        let visit = self.visit(endpoint, Some(certificate), observation)?;
        let other = observation.is_other_leaf;
        let known =
            if other { visit::add_leaf(self.transaction, &visit, certificate)? } else { None };
        let written = match known {
            Some(written) => written,
            None => visit::upsert(self.transaction, &mut self.visits, &visit)?,
        };
        // What matches is looked at whenever it is seen: its set may be newer than all its visits before.
        if written == Written::Changed || !observation.matches.is_empty() {
            self.changed.push(visit.place);
        }
        for found in &observation.matches {
            indicator::insert_match(self.transaction, &visit, certificate, found)?;
        }
        self.seen.push(Sight {
            certificate,
            place: visit.place,
            time: observation.time,
            evidence: observation.evidence,
            again: written == Written::Again,
        });
        Ok(())
    }

    /// A visit that saw none has a row only where a certificate was seen before: that it is gone is
    /// news. All others are counted and leave nothing else, for most addresses never answer.
    fn absence(&mut self, endpoint: i64, observation: &'c Observation) -> Result<(), Cause> {
        if sighting::has_any(self.transaction, endpoint)? {
            let visit = self.visit(endpoint, None, observation)?;
            visit::upsert(self.transaction, &mut self.visits, &visit)?;
            self.changed.push(visit.place);
        }
        Ok(())
    }

    fn visit(
        &mut self,
        endpoint: i64,
        certificate: Option<i64>,
        observation: &'c Observation,
    ) -> Result<Visit<'c>, Cause> {
        let server_name = endpoint::intern_name(self.transaction, observation)?;
        Ok(Visit {
            scan: self.batch.scan,
            number: self.numbers.scan,
            place: Place { endpoint, server_name },
            certificate,
            manner: self.manners.intern(observation)?,
            chain: self.chains.intern(&observation.chain)?,
            observation,
        })
    }

    /// Writes the sightings, which lie by certificate, and where they changed what was known.
    fn sightings(mut self) -> Result<(), Cause> {
        let Numbers { scan, vantage } = self.numbers;
        let mut sightings = Sightings::new(self.transaction, vantage, scan)?;
        self.seen.sort_by_key(|sight| (sight.certificate, sight.place));
        let mut known = Vec::new();
        for sight in &self.seen {
            match sightings.add(sight)? {
                true => self.changed.push(sight.place),
                false => known.push((sight.place, sight.certificate)),
            }
        }
        known.sort_unstable();
        let mut quiet = Quiet::new(self.transaction)?;
        for (place, certificate) in known {
            if !quiet.is_quiet(place, scan, certificate)? {
                self.changed.push(place);
            }
        }
        self.changed.sort_unstable();
        self.changed.dedup();
        Ok(pending::add(self.transaction, vantage, &self.changed)?)
    }
}

fn record_fault(transaction: &Transaction<'_>, scan: &str, fault: &Fault) -> rusqlite::Result<()> {
    const INSERT: &str =
        "INSERT OR IGNORE INTO fault (scan_id, position, address, port, time, message)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
    transaction.prepare_cached(INSERT)?.execute(params![
        scan,
        fault.position.cast_signed(),
        fault.target.address.to_string(),
        fault.target.port,
        fault.time.micros(),
        fault.message,
    ])?;
    Ok(())
}
