//! Sightings: intervals in which a certificate was seen at an endpoint.

use rusqlite::{CachedStatement, Connection, Row, params};

use super::endpoint::address_of;
use super::visit::Visit;
use crate::domain::address::Target;
use crate::domain::fingerprint::Fingerprint;
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

/// The scalar max() of a NULL is NULL, hence the coalesce(): proven beats not proven beats unknown.
pub(super) const WIDEN: &str = "
INSERT INTO sighting (
    endpoint_id, server_name_id, certificate_id, vantage, first_seen, last_seen, count,
    first_scan, last_scan, key_proven, handshake_finished
) VALUES (?1, ?2, ?3, ?4, ?5, ?5, 1, ?6, ?6, ?7, ?8)
ON CONFLICT (endpoint_id, server_name_id, certificate_id, vantage) DO UPDATE SET
    first_scan = iif(excluded.first_seen < first_seen, excluded.first_scan, first_scan),
    last_scan = iif(excluded.last_seen >= last_seen, excluded.last_scan, last_scan),
    first_seen = min(first_seen, excluded.first_seen),
    last_seen = max(last_seen, excluded.last_seen),
    count = count + (last_scan <> excluded.last_scan),
    key_proven = coalesce(
        max(key_proven, excluded.key_proven), key_proven, excluded.key_proven
    ),
    handshake_finished = max(handshake_finished, excluded.handshake_finished)";

/// Makes the sighting of `certificate` at the visit's place with the statement [`WIDEN`], or widens it to the visit's
/// time. A repeat within a scan does not count.
pub(super) fn widen(
    widen: &mut CachedStatement<'_>,
    visit: &Visit<'_>,
    certificate: i64,
    vantage: &str,
) -> rusqlite::Result<()> {
    let seen = visit.observation;
    widen.execute(params![
        visit.place.endpoint,
        visit.place.server_name,
        certificate,
        vantage,
        seen.time.micros(),
        visit.number,
        seen.evidence.key_proven,
        seen.evidence.handshake_finished,
    ])?;
    Ok(())
}

/// Whether any certificate was ever seen at `endpoint`.
pub(super) fn has_any(connection: &Connection, endpoint: i64) -> rusqlite::Result<bool> {
    connection
        .prepare_cached("SELECT 1 FROM sighting WHERE endpoint_id = ?1 LIMIT 1")?
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
        "SELECT address_key, port, nullif(name, '') AS server_name, min(first_seen) AS first_seen,
             max(last_seen) AS last_seen, sum(count) AS count, max(key_proven) AS key_proven
         FROM certificate
         JOIN sighting ON sighting.certificate_id = certificate.id
         JOIN endpoint ON endpoint.id = sighting.endpoint_id
         JOIN server_name ON server_name.id = sighting.server_name_id
         WHERE certificate.{column} = ?1
         GROUP BY endpoint_id, server_name_id
         ORDER BY address_key, port, name"
    );
    connection.prepare_cached(&select)?.query_map([hash], read)?.collect()
}

fn read(row: &Row<'_>) -> rusqlite::Result<Sighting> {
    Ok(Sighting {
        target: Target::new(address_of(row.get("address_key")?), row.get("port")?),
        server_name: row.get("server_name")?,
        first_seen: Timestamp::from_micros(row.get("first_seen")?),
        last_seen: Timestamp::from_micros(row.get("last_seen")?),
        count: row.get::<_, i64>("count")?.cast_unsigned(),
        key_proven: row.get("key_proven")?,
    })
}
