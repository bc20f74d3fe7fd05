//! One batch: what was seen and how far the scan got, in one transaction.

use rusqlite::{Transaction, params};

use super::error::Cause;
use super::visit::{self, Visit};
use super::{certificate, endpoint, indicator, progress, sighting};
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
    for observation in batch.observations {
        match &observation.leaf {
            Some(leaf) => record_leaf(transaction, batch, observation, leaf)?,
            None => record_absence(transaction, batch.scan, observation)?,
        }
    }
    for fault in batch.faults {
        record_fault(transaction, batch.scan, fault)?;
    }
    Ok(())
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

/// A leaf makes or widens a sighting. One that its visit saw besides another has no visit of its own: its matches
/// stand with that.
fn record_leaf(
    transaction: &Transaction<'_>,
    batch: &Batch<'_>,
    observation: &Observation,
    leaf: &Leaf,
) -> Result<(), Cause> {
    let certificate = certificate::intern(transaction, leaf, observation.time)?;
    let place = endpoint::intern(transaction, observation)?;
    let visit = Visit { scan: batch.scan, place, certificate: Some(certificate), observation };
    let known = if observation.is_other_leaf { visit::find(transaction, &visit)? } else { None };
    let id = match known {
        Some(id) => id,
        None => visit::upsert(transaction, &visit)?,
    };
    for found in &observation.matches {
        indicator::insert_match(transaction, id, &visit, certificate, found)?;
    }
    Ok(sighting::widen(transaction, &visit, certificate, batch.vantage)?)
}

/// A visit that saw none has a row only where a certificate was seen before: that it is gone is
/// news. All others are counted and leave nothing else, for most addresses never answer.
fn record_absence(
    transaction: &Transaction<'_>,
    scan: &str,
    observation: &Observation,
) -> Result<(), Cause> {
    let Some(endpoint) = endpoint::find(transaction, observation.target)? else { return Ok(()) };
    if sighting::has_any(transaction, endpoint)? {
        let place = endpoint::place(transaction, endpoint, observation)?;
        visit::upsert(transaction, &Visit { scan, place, certificate: None, observation })?;
    }
    Ok(())
}
