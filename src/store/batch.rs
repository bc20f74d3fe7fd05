//! One batch: what was seen and how far the scan got, in one transaction.

use rusqlite::{CachedStatement, Transaction, params};

use super::certificate::Certificates;
use super::endpoint::{self, Endpoints, Place};
use super::error::Cause;
use super::manner::Manners;
use super::visit::{self, Visit};
use super::{indicator, progress, scan, sighting};
use crate::domain::cert::Leaf;
use crate::domain::coverage::Coverage;
use crate::domain::observation::Observation;
use crate::domain::scan::{Counts, Fault};

/// What a scan saw since the last batch, and how far it is.
#[derive(Clone, Copy, Debug)]
pub struct Batch<'a> {
    /// The scan's id.
    pub scan: &'a str,
    /// Where the scan looks from.
    pub vantage: &'a str,
    /// What was seen; a further leaf stands somewhere after the observation of its visit.
    pub observations: &'a [Observation],
    /// Targets that faults kept from being probed.
    pub faults: &'a [Fault],
    /// Every position done so far, those of `observations` and of earlier batches included.
    pub coverage: &'a Coverage,
    /// Counts of the whole scan so far.
    pub counts: &'a Counts,
}

/// Writes all of `batch`.
pub(super) fn record(transaction: &Transaction<'_>, batch: &Batch<'_>) -> Result<(), Cause> {
    progress::replace(transaction, batch.scan, batch.coverage, batch.counts)?;
    let mut writer = Writer {
        transaction,
        batch,
        number: scan::number(transaction, batch.scan)?,
        certificates: Certificates::new(transaction)?,
        endpoints: Endpoints::new(transaction)?,
        manners: Manners::new(transaction)?,
        visits: transaction.prepare_cached(visit::INSERT)?,
        sightings: transaction.prepare_cached(sighting::WIDEN)?,
    };
    for observation in batch.observations {
        match observation.leaf.as_ref() {
            Some(leaf) => writer.leaf(observation, leaf)?,
            None => writer.absence(observation)?,
        }
    }
    for fault in batch.faults {
        record_fault(transaction, batch.scan, fault)?;
    }
    Ok(())
}

/// What writes the observations of a batch: statements at hand, because looking them up for each would cost as much as
/// a row.
struct Writer<'c> {
    transaction: &'c Transaction<'c>,
    batch: &'c Batch<'c>,
    /// The scan's.
    number: i64,
    certificates: Certificates<'c>,
    endpoints: Endpoints<'c>,
    manners: Manners<'c>,
    visits: CachedStatement<'c>,
    sightings: CachedStatement<'c>,
}

impl<'c> Writer<'c> {
    /// A leaf makes or widens a sighting. One that its visit saw besides another has no visit of its own: its matches
    /// stand with that.
    fn leaf(&mut self, observation: &'c Observation, leaf: &Leaf) -> Result<(), Cause> {
        let certificate = self.certificates.intern(leaf, observation.time)?;
        let place = self.endpoints.intern(observation)?;
        let visit = self.visit(place, Some(certificate), observation)?;
        let other = observation.is_other_leaf;
        let known = if other { visit::find(self.transaction, &visit)? } else { None };
        let id = match known {
            Some(id) => id,
            None => visit::upsert(self.transaction, &mut self.visits, &visit)?,
        };
        for found in &observation.matches {
            indicator::insert_match(self.transaction, id, &visit, certificate, found)?;
        }
        Ok(sighting::widen(&mut self.sightings, &visit, certificate, self.batch.vantage)?)
    }

    /// A visit that saw none has a row only where a certificate was seen before: that it is gone is
    /// news. All others are counted and leave nothing else, for most addresses never answer.
    fn absence(&mut self, observation: &'c Observation) -> Result<(), Cause> {
        let Some(endpoint) = self.endpoints.find(observation.target)? else { return Ok(()) };
        if sighting::has_any(self.transaction, endpoint)? {
            let place = endpoint::place(self.transaction, endpoint, observation)?;
            let visit = self.visit(place, None, observation)?;
            visit::upsert(self.transaction, &mut self.visits, &visit)?;
        }
        Ok(())
    }

    fn visit(
        &mut self,
        place: Place,
        certificate: Option<i64>,
        observation: &'c Observation,
    ) -> Result<Visit<'c>, Cause> {
        let manner = self.manners.intern(observation)?;
        let (scan, number) = (self.batch.scan, self.number);
        Ok(Visit { scan, number, place, certificate, manner, observation })
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
