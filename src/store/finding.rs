//! Findings: the matches of one scan, as people read them.

use std::sync::Arc;

use rusqlite::{Connection, Row, params};

use super::endpoint;
use crate::domain::address::Target;
use crate::domain::indicator::Spread;
use crate::domain::observation::Evidence;

/// One indicator that matched at one endpoint in one scan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The tier's letter.
    pub tier: String,
    /// The address and port.
    pub target: Target,
    /// The server name sent, if any.
    pub server_name: Option<String>,
    /// The indicator, `sha1:...`, `name:...`.
    pub indicator: String,
    /// What the report calls it.
    pub label: Option<String>,
    /// The indicator set's name.
    pub set: String,
    /// The source's id within the set.
    pub source: String,
    /// How much the server proved.
    pub evidence: Evidence,
}

/// Some findings, and how many there are in all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Findings {
    /// The first ones, by tier, set, indicator, address and port.
    pub shown: Vec<Finding>,
    /// How many the scan has.
    pub total: u64,
    /// How many of them are guesses: tiers C to E.
    pub guesses: u64,
}

const SELECT: &str = "
SELECT \"match\".tier, endpoint_id, address_key, nullif(server_name.name, '') AS server_name,
    indicator.value, indicator.label, indicator_set.name AS set_name, indicator.source,
    \"match\".key_proven, \"match\".handshake_finished
FROM \"match\"
JOIN indicator ON indicator.id = \"match\".indicator_id
JOIN indicator_set ON indicator_set.id = indicator.set_id
JOIN server_name ON server_name.id = \"match\".server_name_id
LEFT JOIN address6 ON address6.number = endpoint_id >> 16
WHERE \"match\".scan_number = (SELECT number FROM scan_number WHERE scan_id = ?1)
ORDER BY \"match\".tier, set_name, indicator.value, ifnull(address_key, x''), endpoint_id, server_name
LIMIT ?2";

const COUNT: &str = "
SELECT count(*), ifnull(sum(tier > 'B'), 0) FROM \"match\"
WHERE scan_number = (SELECT number FROM scan_number WHERE scan_id = ?1)";

/// The first `limit` findings of `scan`.
pub(super) fn of_scan(
    connection: &Connection,
    scan: &str,
    limit: u32,
) -> rusqlite::Result<Findings> {
    let shown = connection
        .prepare_cached(SELECT)?
        .query_map(params![scan, limit], read)?
        .collect::<rusqlite::Result<_>>()?;
    let (total, guesses): (i64, i64) =
        connection.query_row(COUNT, [scan], |row| Ok((row.get(0)?, row.get(1)?)))?;
    Ok(Findings { shown, total: total.cast_unsigned(), guesses: guesses.cast_unsigned() })
}

/// Adds to `spread` where the indicators of `scan` were seen, one row after the other.
pub(super) fn add_to_spread(
    connection: &Connection,
    scan: &str,
    spread: &mut Spread,
) -> rusqlite::Result<()> {
    const SELECT: &str = "
        SELECT indicator_set.name, indicator.value, endpoint_id, address_key
        FROM \"match\"
        JOIN indicator ON indicator.id = \"match\".indicator_id
        JOIN indicator_set ON indicator_set.id = indicator.set_id
        LEFT JOIN address6 ON address6.number = endpoint_id >> 16
        WHERE \"match\".scan_number = (SELECT number FROM scan_number WHERE scan_id = ?1)";
    let mut select = connection.prepare_cached(SELECT)?;
    let mut rows = select.query([scan])?;
    while let Some(row) = rows.next()? {
        let (set, value): (String, String) = (row.get(0)?, row.get(1)?);
        // What this version cannot read it cannot match either.
        if let Ok(indicator) = value.parse() {
            spread.add(&Arc::from(set), &indicator, endpoint::target(row)?.address);
        }
    }
    Ok(())
}

fn read(row: &Row<'_>) -> rusqlite::Result<Finding> {
    Ok(Finding {
        tier: row.get("tier")?,
        target: endpoint::target(row)?,
        server_name: row.get("server_name")?,
        indicator: row.get("value")?,
        label: row.get("label")?,
        set: row.get("set_name")?,
        source: row.get("source")?,
        evidence: Evidence {
            presented: true,
            key_proven: row.get("key_proven")?,
            unproven: None,
            handshake_finished: row.get("handshake_finished")?,
        },
    })
}
