//! Sightings: intervals in which a certificate was seen at an endpoint.

use rusqlite::{CachedStatement, Connection, Row, params};

use super::endpoint::{self, Place};
use crate::domain::address::Target;
use crate::domain::fingerprint::Fingerprint;
use crate::domain::observation::Evidence;
use crate::domain::time::Timestamp;

/// Where and when a certificate was seen, from all vantages together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sighting {
    /// The address and port.
    pub target: Target,
    /// The server name sent, if any.
    pub server_name: Option<String>,
    /// The first visit that saw it.
    pub first_seen: Timestamp,
    /// The last visit that saw it.
    pub last_seen: Timestamp,
    /// How many visits saw it; a scan that repeats a visit counts once.
    pub count: u64,
    /// Whether the server ever proved that it holds the key; `None` if that was never checked.
    pub key_proven: Option<bool>,
}

const INSERT: &str = "
INSERT INTO sighting (
    certificate_id, endpoint_id, server_name_id, vantage_id, first_seen, last_seen, count,
    first_scan, last_scan, key_proven, handshake_finished
) VALUES (?1, ?2, ?3, ?4, ?5, ?5, 1, ?6, ?6, ?7, ?8)
ON CONFLICT (certificate_id, endpoint_id, server_name_id, vantage_id) DO NOTHING";

/// The scalar max() of a NULL is NULL, hence the coalesce(): proven beats not proven beats unknown.
const WIDEN: &str = "
UPDATE sighting SET
    first_scan = iif(?5 < first_seen, ?6, first_scan),
    last_scan = iif(?5 >= last_seen, ?6, last_scan),
    first_seen = min(first_seen, ?5),
    last_seen = max(last_seen, ?5),
    count = count + ?9,
    key_proven = coalesce(max(key_proven, ?7), key_proven, ?7),
    handshake_finished = max(handshake_finished, ?8)
WHERE certificate_id = ?1 AND endpoint_id = ?2 AND server_name_id = ?3 AND vantage_id = ?4";

/// A leaf that a visit saw.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sight {
    pub(super) certificate: i64,
    pub(super) place: Place,
    pub(super) time: Timestamp,
    pub(super) evidence: Evidence,
    /// Whether the scan had seen it there before: it is not counted again.
    pub(super) again: bool,
}

/// The sightings of one scan, in one transaction.
pub(super) struct Sightings<'c> {
    insert: CachedStatement<'c>,
    widen: CachedStatement<'c>,
    vantage: i64,
    /// The scan's number.
    scan: i64,
    /// Whether the last one had a row before: a scan meets mostly new ones or mostly known ones.
    was_stored: bool,
}

impl<'c> Sightings<'c> {
    pub(super) fn new(
        connection: &'c Connection,
        vantage: i64,
        scan: i64,
    ) -> rusqlite::Result<Self> {
        let insert = connection.prepare_cached(INSERT)?;
        let widen = connection.prepare_cached(WIDEN)?;
        Ok(Self { insert, widen, vantage, scan, was_stored: false })
    }

    /// Makes the sighting that `sight` belongs to, or widens it to its time; whether it is a new one.
    pub(super) fn add(&mut self, sight: &Sight) -> rusqlite::Result<bool> {
        if self.was_stored && self.widen(sight)? {
            return Ok(false);
        }
        let is_new = self.insert(sight)?;
        self.was_stored = !is_new;
        if !is_new {
            self.widen(sight)?;
        }
        Ok(is_new)
    }

    fn insert(&mut self, sight: &Sight) -> rusqlite::Result<bool> {
        let made = self.insert.execute(params![
            sight.certificate,
            sight.place.endpoint,
            sight.place.server_name,
            self.vantage,
            sight.time.micros(),
            self.scan,
            sight.evidence.key_proven,
            sight.evidence.handshake_finished,
        ])?;
        Ok(made == 1)
    }

    fn widen(&mut self, sight: &Sight) -> rusqlite::Result<bool> {
        let widened = self.widen.execute(params![
            sight.certificate,
            sight.place.endpoint,
            sight.place.server_name,
            self.vantage,
            sight.time.micros(),
            self.scan,
            sight.evidence.key_proven,
            sight.evidence.handshake_finished,
            !sight.again,
        ])?;
        Ok(widened == 1)
    }
}

/// Whether a certificate was ever seen at `endpoint` by a visit: each that saw one has a row, and no other without.
pub(super) fn has_any(connection: &Connection, endpoint: i64) -> rusqlite::Result<bool> {
    connection
        .prepare_cached("SELECT 1 FROM visit WHERE endpoint_id = ?1 LIMIT 1")?
        .exists([endpoint])
}

/// Where certificates with this fingerprint were seen, by address and port.
pub(super) fn of_certificate(
    connection: &Connection,
    fingerprint: &Fingerprint,
) -> rusqlite::Result<Vec<Sighting>> {
    let (column, hash): (_, &[u8]) = match fingerprint {
        Fingerprint::Sha1(hash) => ("sha1", &hash.0),
        Fingerprint::Sha256(hash) => ("sha256", &hash.0),
    };
    let select = format!(
        "SELECT endpoint_id, address_key, nullif(name, '') AS server_name,
             min(first_seen) AS first_seen, max(last_seen) AS last_seen, sum(count) AS count,
             max(key_proven) AS key_proven
         FROM certificate
         JOIN sighting ON sighting.certificate_id = certificate.id
         JOIN server_name ON server_name.id = sighting.server_name_id
         LEFT JOIN address6 ON address6.number = endpoint_id >> 16
         WHERE certificate.{column} = ?1
         GROUP BY endpoint_id, server_name_id
         ORDER BY ifnull(address_key, x''), endpoint_id, name"
    );
    connection.prepare_cached(&select)?.query_map([hash], read)?.collect()
}

fn read(row: &Row<'_>) -> rusqlite::Result<Sighting> {
    Ok(Sighting {
        target: endpoint::target(row)?,
        server_name: row.get("server_name")?,
        first_seen: Timestamp::from_micros(row.get("first_seen")?),
        last_seen: Timestamp::from_micros(row.get("last_seen")?),
        count: row.get::<_, i64>("count")?.cast_unsigned(),
        key_proven: row.get("key_proven")?,
    })
}
