//! What others collected: certificates and where they say that these were seen, apart from all that own scans saw.
//!
//! Nothing here writes a visit, coverage or a place to be looked through: that somebody else saw a certificate says
//! nothing of what a scan tried.

use rusqlite::{Connection, OptionalExtension, Transaction, params};

use super::certificate::Certificates;
use super::endpoint::{self, Endpoints};
use super::error::{Cause, StoreError};
use super::ledger::Ledger;
use super::vantage;
use crate::domain::collected::{Claims, Collected, Known};
use crate::domain::fingerprint::Sha256Fingerprint;
use crate::domain::time::Timestamp;

/// A file that was read.
#[derive(Clone, Copy, Debug)]
pub struct Import<'a> {
    /// As it was named.
    pub path: &'a str,
    /// The format's word.
    pub format: &'a str,
    /// Of the content.
    pub sha256: Sha256Fingerprint,
    /// When it was read.
    pub time: Timestamp,
    /// Under which name its sightings stand.
    pub vantage: &'a str,
    /// Certificates that were read.
    pub records: u64,
    /// Lines that could not be read.
    pub refused: u64,
}

/// The certificates of the file that is being read, until it is written down as a whole.
const COLLECTING: &str =
    "CREATE TEMP TABLE IF NOT EXISTS collecting (certificate_id INTEGER PRIMARY KEY)";

/// A moment within the interval that is known already is no other sighting: the same file read again changes nothing.
const WIDEN: &str = "
INSERT INTO sighting (
    certificate_id, endpoint_id, server_name_id, vantage_id, first_seen, last_seen, count,
    handshake_finished
) VALUES (?1, ?2, ?3, ?4, ?5, ?5, 1, 0)
ON CONFLICT (certificate_id, endpoint_id, server_name_id, vantage_id) DO UPDATE SET
    count = count + (excluded.first_seen NOT BETWEEN first_seen AND last_seen),
    first_seen = min(first_seen, excluded.first_seen),
    last_seen = max(last_seen, excluded.last_seen)";

impl Ledger {
    /// Remembers `collected`, read at `now` and seen by `vantage`, in one transaction. A certificate without place or time
    /// is remembered without a sighting.
    ///
    /// [`Ledger::end_import`] says of which file all of it was.
    ///
    /// # Errors
    ///
    /// If the ledger cannot be written; then nothing of `collected` is remembered.
    pub fn collect(
        &mut self,
        vantage: &str,
        collected: &[Collected],
        now: Timestamp,
    ) -> Result<(), StoreError> {
        self.write(|transaction| Ok(write(transaction, vantage, collected, now)?))
    }

    /// Writes down that all that was collected since the last one was of the file `import`; `false` if a file with this
    /// content was under this name before.
    ///
    /// # Errors
    ///
    /// If the ledger cannot be written.
    pub fn end_import(&mut self, import: &Import<'_>) -> Result<bool, StoreError> {
        self.write(|transaction| end(transaction, import))
    }
}

fn write(
    transaction: &Transaction<'_>,
    vantage: &str,
    collected: &[Collected],
    now: Timestamp,
) -> rusqlite::Result<()> {
    transaction.execute_batch(COLLECTING)?;
    let vantage = vantage::intern(transaction, vantage, "import")?;
    let mut certificates = Certificates::new(transaction)?;
    let mut endpoints = Endpoints::new(transaction)?;
    let mut met =
        transaction.prepare_cached("INSERT OR IGNORE INTO temp.collecting VALUES (?1)")?;
    let mut widen = transaction.prepare_cached(WIDEN)?;
    for seen in collected {
        let certificate = match &seen.certificate {
            Known::Leaf(leaf) => certificates.intern(leaf, now)?,
            Known::Hashes(claims) => intern_claims(transaction, claims, now)?,
        };
        met.execute([certificate])?;
        if let (Some(target), Some(time)) = (seen.target(), seen.time) {
            let endpoint = endpoints.intern(target)?;
            let name = endpoint::intern_server_name(transaction, seen.server_name.as_ref())?;
            widen.execute(params![certificate, endpoint, name, vantage, time.micros()])?;
        }
    }
    Ok(())
}

/// The row of a certificate of which a file gives hashes, made if there is none.
fn intern_claims(
    connection: &Connection,
    claims: &Claims,
    now: Timestamp,
) -> rusqlite::Result<i64> {
    const FIND: &str = "
        SELECT id FROM certificate
        WHERE sha256 = ?1 OR (?1 IS NULL AND sha1 = ?2)
        ORDER BY sha256 IS NULL LIMIT 1";
    const INSERT: &str = "
        INSERT INTO certificate (
            sha256, sha1, spki_sha256, subject, issuer, common_name, names, serial, not_before,
            not_after, first_stored
        ) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)";
    let (sha256, sha1) = (claims.sha256.map(|hash| hash.0), claims.sha1.map(|hash| hash.0));
    let known = connection
        .prepare_cached(FIND)?
        .query_row(params![sha256, sha1], |row| row.get(0))
        .optional()?;
    if let Some(id) = known {
        return Ok(id);
    }
    let names: serde_json::Value = claims.names.iter().map(String::as_str).collect();
    connection.prepare_cached(INSERT)?.insert(params![
        sha256,
        sha1,
        claims.spki_sha256.map(|hash| hash.0),
        claims.subject,
        claims.issuer,
        claims.common_name,
        names.to_string(),
        claims.serial,
        claims.not_before.map(Timestamp::micros),
        claims.not_after.map(Timestamp::micros),
        now.micros(),
    ])
}

fn end(transaction: &Transaction<'_>, import: &Import<'_>) -> Result<bool, Cause> {
    const INSERT: &str = "
        INSERT INTO import (path, format, sha256, time, vantage_id, records, refused)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
        ON CONFLICT (sha256, vantage_id) DO NOTHING";
    const CERTIFICATES: &str = "
        INSERT OR IGNORE INTO import_certificate (import_id, certificate_id)
        SELECT import.id, certificate_id FROM import, temp.collecting
        WHERE import.sha256 = ?1 AND import.vantage_id = ?2";
    transaction.execute_batch(COLLECTING)?;
    let vantage = vantage::intern(transaction, import.vantage, "import")?;
    let made = transaction.prepare_cached(INSERT)?.execute(params![
        import.path,
        import.format,
        import.sha256.0,
        import.time.micros(),
        vantage,
        import.records.cast_signed(),
        import.refused.cast_signed(),
    ])?;
    transaction.prepare_cached(CERTIFICATES)?.execute(params![import.sha256.0, vantage])?;
    transaction.execute_batch("DELETE FROM temp.collecting")?;
    Ok(made == 1)
}
