//! What transitions are made from, and the transitions: the one place where rows of the ledger and the rules that fold
//! histories meet.
//!
//! Places, leaves and scans are told by their row numbers, so that a fold compares integers.

use std::collections::HashMap;

use rusqlite::{Connection, OptionalExtension, Row, Transaction, params};

use super::endpoint::{self, address_number};
use super::error::Cause;
use crate::domain::address::Target;
use crate::domain::fingerprint::Sha256Fingerprint;
use crate::domain::indicator::Tier;
use crate::domain::ledger::Kind;
use crate::domain::scan::Shard;
use crate::domain::time::Timestamp;

/// A target, a server name and a vantage, as rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PlaceRow {
    endpoint: i64,
    server_name: i64,
    vantage: i64,
}

/// A place whose history changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pending {
    /// Of the change: a later one to the same place is another.
    id: i64,
    /// The place.
    pub place: PlaceRow,
}

/// A place in words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlaceName {
    /// The address and port.
    pub target: Target,
    /// The server name sent, if any.
    pub server_name: Option<String>,
    /// From where was looked.
    pub vantage: String,
}

/// One visit of a place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PastVisit {
    /// When it began.
    pub time: Timestamp,
    /// The number of its scan.
    pub scan: i64,
    /// The word of its outcome.
    pub outcome: String,
    /// The leaves that it saw, in order of their rows; none if it saw none.
    pub leaves: Vec<i64>,
}

/// Where one scan was the first to see a leaf, all endpoints together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FirstSight {
    /// The number of the scan.
    pub scan: i64,
    /// The first time.
    pub time: Timestamp,
    lowest_address: i64,
    highest_address: i64,
}

impl FirstSight {
    /// Whether it was at another address than that of `place`, or there too.
    pub const fn is_elsewhere(&self, place: PlaceRow) -> bool {
        let here = address_number(place.endpoint);
        self.lowest_address != here || self.highest_address != here
    }
}

/// A place where a leaf was seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SeenAt {
    /// The place.
    pub place: PlaceRow,
    /// The number of the scan that saw it there first.
    pub first_scan: i64,
    /// The last time.
    pub last_seen: Timestamp,
}

/// What tells which scans belong together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScanHead {
    /// Its number.
    pub number: i64,
    /// Its id.
    pub id: String,
    /// The hash of its plan.
    pub plan_hash: Sha256Fingerprint,
    /// The seed of its order.
    pub seed: u64,
    /// Its part of the plan.
    pub shard: Shard,
    /// From where it looked.
    pub vantage: String,
    /// When it began.
    pub started: Timestamp,
}

/// What changed at a place, to be written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// What tells it from all others: a repeat is none.
    pub key: Sha256Fingerprint,
    /// `new`, `moved`, `returned`, `rotated` or `gone`.
    pub kind: &'static str,
    /// Of the visit that showed it.
    pub time: Timestamp,
    /// The number of the scan that showed it.
    pub scan: i64,
    /// The leaf.
    pub certificate: i64,
    /// Of `rotated`: the leaf that was there before.
    pub previous: Option<i64>,
    /// The letter of the leaf's closest match.
    pub tier: Option<&'static str>,
    /// Of `moved`: where the leaf was seen last.
    pub from: Option<PlaceRow>,
}

/// The first `limit` changes to places that were not looked through yet; one place may stand there more than once.
pub(super) fn pending(connection: &Connection, limit: u32) -> rusqlite::Result<Vec<Pending>> {
    const SELECT: &str = "
        SELECT id, endpoint_id, server_name_id, vantage_id FROM pending_place ORDER BY id LIMIT ?1";
    let read = |row: &Row<'_>| Ok(Pending { id: row.get("id")?, place: place(row)? });
    connection.prepare_cached(SELECT)?.query_map([limit], read)?.collect()
}

/// `place` in words.
pub(super) fn name(connection: &Connection, place: PlaceRow) -> rusqlite::Result<PlaceName> {
    const SELECT: &str = "
        SELECT ?1 AS endpoint_id, nullif(server_name.name, '') AS server_name,
            vantage.name AS vantage,
            (SELECT address_key FROM address6 WHERE number = ?1 >> 16) AS address_key
        FROM server_name, vantage WHERE server_name.id = ?2 AND vantage.id = ?3";
    let parameters = (place.endpoint, place.server_name, place.vantage);
    connection.prepare_cached(SELECT)?.query_row(parameters, |row| {
        Ok(PlaceName {
            target: endpoint::target(row)?,
            server_name: row.get("server_name")?,
            vantage: row.get("vantage")?,
        })
    })
}

/// The visits of `place` over all scans of its vantage, in order of time.
///
/// They lie side by side: this is one range of rows, whatever the number of scans.
pub(super) fn history(
    connection: &Connection,
    place: PlaceRow,
) -> rusqlite::Result<Vec<PastVisit>> {
    const VISITS: &str = "
        SELECT visit.time, visit.scan_number, manner.outcome, visit.certificate_id
        FROM visit
        CROSS JOIN scan_number ON scan_number.number = visit.scan_number
        CROSS JOIN manner ON manner.id = visit.manner_id
        WHERE visit.endpoint_id = ?1 AND visit.server_name_id = ?2 AND scan_number.vantage_id = ?3";
    let parameters = (place.endpoint, place.server_name, place.vantage);
    let mut further = further(connection, place)?;
    let read = |row: &Row<'_>| {
        let (scan, own): (i64, Option<i64>) = (row.get(1)?, row.get(3)?);
        let mut leaves = further.remove(&scan).unwrap_or_default();
        leaves.extend(own);
        leaves.sort_unstable();
        leaves.dedup();
        let time = Timestamp::from_micros(row.get(0)?);
        Ok(PastVisit { time, scan, outcome: row.get(2)?, leaves })
    };
    let mut visits: Vec<_> = connection
        .prepare_cached(VISITS)?
        .query_map(parameters, read)?
        .collect::<rusqlite::Result<_>>()?;
    visits.sort_by_key(|visit| (visit.time, visit.scan));
    Ok(visits)
}

/// The further leaves of the visits of `place`, by scan.
fn further(connection: &Connection, place: PlaceRow) -> rusqlite::Result<HashMap<i64, Vec<i64>>> {
    const SELECT: &str = "
        SELECT scan_number, certificate_id FROM further_leaf
        WHERE endpoint_id = ?1 AND server_name_id = ?2";
    let mut found: HashMap<i64, Vec<i64>> = HashMap::new();
    let mut select = connection.prepare_cached(SELECT)?;
    let mut rows = select.query((place.endpoint, place.server_name))?;
    while let Some(row) = rows.next()? {
        found.entry(row.get(0)?).or_default().push(row.get(1)?);
    }
    Ok(found)
}

/// Which scans were the first to see the leaf `certificate` anywhere, and where; in order of time.
///
/// This does not depend on the place that is asked for, so that it is asked once for each leaf.
pub(super) fn first_sights(
    connection: &Connection,
    certificate: i64,
) -> rusqlite::Result<Vec<FirstSight>> {
    const SELECT: &str = "
        SELECT first_scan, min(first_seen), min(endpoint_id) >> 16, max(endpoint_id) >> 16
        FROM sighting WHERE certificate_id = ?1 AND first_scan IS NOT NULL
        GROUP BY first_scan ORDER BY 2, 1";
    let read = |row: &Row<'_>| {
        Ok(FirstSight {
            scan: row.get(0)?,
            time: Timestamp::from_micros(row.get(1)?),
            lowest_address: row.get(2)?,
            highest_address: row.get(3)?,
        })
    };
    connection.prepare_cached(SELECT)?.query_map([certificate], read)?.collect()
}

/// At most `limit` places at other addresses than that of `place` where a visit saw the leaf `certificate`, the latest
/// first.
pub(super) fn elsewhere(
    connection: &Connection,
    certificate: i64,
    here: PlaceRow,
    limit: u32,
) -> rusqlite::Result<Vec<SeenAt>> {
    const SELECT: &str = "
        SELECT endpoint_id, server_name_id, vantage_id, first_scan, last_seen FROM sighting
        WHERE certificate_id = ?1 AND first_scan IS NOT NULL AND endpoint_id >> 16 <> ?2
        ORDER BY last_seen DESC, endpoint_id, server_name_id, vantage_id LIMIT ?3";
    let read = |row: &Row<'_>| {
        Ok(SeenAt {
            place: place(row)?,
            first_scan: row.get("first_scan")?,
            last_seen: Timestamp::from_micros(row.get("last_seen")?),
        })
    };
    let parameters = (certificate, address_number(here.endpoint), limit);
    connection.prepare_cached(SELECT)?.query_map(parameters, read)?.collect()
}

/// All scans, in order of their numbers.
pub(super) fn scan_heads(connection: &Connection) -> rusqlite::Result<Vec<ScanHead>> {
    const SELECT: &str = "
        SELECT number, id, plan_hash, seed, shard_index, shard_count, vantage, started
        FROM scan_number JOIN scan ON scan.id = scan_number.scan_id ORDER BY number";
    let read = |row: &Row<'_>| {
        Ok(ScanHead {
            number: row.get("number")?,
            id: row.get("id")?,
            plan_hash: Sha256Fingerprint(row.get("plan_hash")?),
            seed: row.get::<_, i64>("seed")?.cast_unsigned(),
            shard: Shard { index: row.get("shard_index")?, count: row.get("shard_count")? },
            vantage: row.get("vantage")?,
            started: Timestamp::from_micros(row.get("started")?),
        })
    };
    connection.prepare_cached(SELECT)?.query_map([], read)?.collect()
}

/// The SHA-256 of the leaf in row `certificate`; `None` if only its SHA-1 is known, or there is no such row.
pub(super) fn leaf(
    connection: &Connection,
    certificate: i64,
) -> rusqlite::Result<Option<Sha256Fingerprint>> {
    let hash: Option<Option<[u8; 32]>> = connection
        .prepare_cached("SELECT sha256 FROM certificate WHERE id = ?1")?
        .query_row([certificate], |row| row.get(0))
        .optional()?;
    Ok(hash.flatten().map(Sha256Fingerprint))
}

/// Writes what changed at each of `settled`, unless it is known, and that they were looked through; how many changes
/// were not known.
///
/// What changes at a place in the meantime is another pending change and stays.
pub(super) fn settle(
    transaction: &Transaction<'_>,
    settled: &[(Pending, Vec<Change>)],
    derived: Timestamp,
) -> Result<u64, Cause> {
    const INSERT: &str = "
        INSERT INTO transition (
            key, kind, time, endpoint_id, server_name_id, vantage_id, certificate_id,
            previous_certificate_id, scan_number, tier, previous_endpoint_id, derived
        ) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)
        ON CONFLICT (key) DO NOTHING";
    let mut insert = transaction.prepare_cached(INSERT)?;
    let mut remove = transaction.prepare_cached("DELETE FROM pending_place WHERE id = ?1")?;
    let mut made = 0;
    for (Pending { id, place }, changes) in settled {
        for change in changes {
            made += insert.execute(params![
                change.key.0,
                change.kind,
                change.time.micros(),
                place.endpoint,
                place.server_name,
                place.vantage,
                change.certificate,
                change.previous,
                change.scan,
                change.tier,
                change.from.map(|from| from.endpoint),
                derived.micros(),
            ])?;
        }
        remove.execute([id])?;
    }
    Ok(made as u64)
}

/// How many transitions of each kind `scan` showed, or were found at `found`, by the tier of the closest match.
pub(super) fn of_scan(
    connection: &Connection,
    scan: &str,
    found: Timestamp,
) -> rusqlite::Result<Vec<(Kind, Tier, u64)>> {
    const SELECT: &str = "
        SELECT kind, tier, count(*) FROM transition
        WHERE scan_number = (SELECT number FROM scan_number WHERE scan_id = ?1) OR derived = ?2
        GROUP BY kind, tier ORDER BY kind, tier";
    let mut select = connection.prepare_cached(SELECT)?;
    let mut rows = select.query(params![scan, found.micros()])?;
    let mut counts = Vec::new();
    while let Some(row) = rows.next()? {
        let (kind, tier): (String, Option<String>) = (row.get(0)?, row.get(1)?);
        let tier = Tier::ALL.into_iter().find(|known| Some(known.letter()) == tier.as_deref());
        // What a newer version may have written is passed over.
        if let (Ok(kind), Some(tier)) = (kind.parse(), tier) {
            counts.push((kind, tier, row.get::<_, i64>(2)?.cast_unsigned()));
        }
    }
    Ok(counts)
}

/// The place of a row with the columns `endpoint_id`, `server_name_id` and `vantage_id`.
pub(super) fn place(row: &Row<'_>) -> rusqlite::Result<PlaceRow> {
    Ok(PlaceRow {
        endpoint: row.get("endpoint_id")?,
        server_name: row.get("server_name_id")?,
        vantage: row.get("vantage_id")?,
    })
}
