//! Indicator sets with their provenance, and the matches that refer to them.

use rusqlite::{Connection, OptionalExtension, Row, params};

use super::error::Cause;
use super::visit::Visit;
use crate::domain::fingerprint::Sha256Fingerprint;
use crate::domain::indicator::{Address, IndicatorSet, Listed, Match, Source};

/// Says that `scan` matches against `sets`, storing those that are not stored.
pub(super) fn link(
    connection: &Connection,
    scan: &str,
    sets: &[IndicatorSet],
) -> Result<(), Cause> {
    for set in sets {
        let id = intern(connection, set)?;
        connection
            .prepare_cached("INSERT OR IGNORE INTO scan_set (scan_id, set_id) VALUES (?1, ?2)")?
            .execute(params![scan, id])?;
    }
    Ok(())
}

/// The sets that `scan` matches against, by name, each with the hash of its file.
pub(super) fn of_scan(
    connection: &Connection,
    scan: &str,
) -> rusqlite::Result<Vec<(String, Sha256Fingerprint)>> {
    const SELECT: &str = "
        SELECT name, hash FROM scan_set JOIN indicator_set ON indicator_set.id = scan_set.set_id
        WHERE scan_id = ?1 ORDER BY name, hash";
    let read = |row: &Row<'_>| Ok((row.get("name")?, Sha256Fingerprint(row.get("hash")?)));
    connection.prepare_cached(SELECT)?.query_map([scan], read)?.collect()
}

/// The row of `set`; a set of the same name and hash is the same set.
fn intern(connection: &Connection, set: &IndicatorSet) -> rusqlite::Result<i64> {
    let known = connection
        .prepare_cached("SELECT id FROM indicator_set WHERE name = ?1 AND hash = ?2")?
        .query_row(params![set.name, set.hash.0], |row| row.get(0))
        .optional()?;
    match known {
        Some(id) => Ok(id),
        None => insert(connection, set),
    }
}

fn insert(connection: &Connection, set: &IndicatorSet) -> rusqlite::Result<i64> {
    let id = connection
        .prepare_cached("INSERT INTO indicator_set (name, tlp, hash) VALUES (?1, ?2, ?3)")?
        .insert(params![set.name, set.tlp.word(), set.hash.0])?;
    for source in &set.sources {
        insert_source(connection, id, source)?;
    }
    for listed in set.indicators() {
        insert_listed(connection, id, &listed)?;
    }
    for address in &set.addresses {
        insert_address(connection, id, address)?;
    }
    Ok(id)
}

fn insert_source(connection: &Connection, set: i64, source: &Source) -> rusqlite::Result<()> {
    const INSERT: &str = "
        INSERT INTO indicator_source (set_id, id, title, publisher, published, url)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
    connection.prepare_cached(INSERT)?.execute(params![
        set,
        source.id,
        source.title,
        source.publisher,
        source.published.map(|day| day.to_string()),
        source.url,
    ])?;
    Ok(())
}

fn insert_listed(connection: &Connection, set: i64, listed: &Listed<'_>) -> rusqlite::Result<()> {
    const INSERT: &str = "
        INSERT INTO indicator (set_id, kind, value, label, source, note, rule)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";
    connection.prepare_cached(INSERT)?.execute(params![
        set,
        listed.indicator.kind(),
        listed.indicator.to_string(),
        listed.label,
        listed.source,
        listed.note,
        listed.rule.map(ToString::to_string),
    ])?;
    Ok(())
}

fn insert_address(connection: &Connection, set: i64, address: &Address) -> rusqlite::Result<()> {
    const INSERT: &str = "
        INSERT INTO indicator (
            set_id, kind, value, source, note, first_seen, last_seen, certificate
        ) VALUES (?1, 'address', ?2, ?3, ?4, ?5, ?6, ?7)";
    connection.prepare_cached(INSERT)?.execute(params![
        set,
        address.address.to_string(),
        address.source,
        address.note,
        address.first_seen.map(|day| day.to_string()),
        address.last_seen.map(|day| day.to_string()),
        address.certificate.map(|fingerprint| fingerprint.to_string()),
    ])?;
    Ok(())
}

/// Says that the leaf of `visit` matched.
///
/// An indicator that a set lists twice under one source is one match.
pub(super) fn insert_match(
    connection: &Connection,
    visit: &Visit<'_>,
    certificate: i64,
    found: &Match,
) -> Result<(), Cause> {
    const INSERT: &str = "
        INSERT OR IGNORE INTO \"match\" (
            scan_number, endpoint_id, server_name_id, indicator_id, certificate_id, tier,
            key_proven, handshake_finished
        ) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)";
    let evidence = visit.observation.evidence;
    connection.prepare_cached(INSERT)?.execute(params![
        visit.number,
        visit.place.endpoint,
        visit.place.server_name,
        find(connection, visit.scan, found)?,
        certificate,
        found.tier.letter(),
        evidence.key_proven,
        evidence.handshake_finished,
    ])?;
    Ok(())
}

/// The row of the indicator that `found` names, among the sets of `scan`.
///
/// A scan resumed with another version of a set has both; the one stored later is meant.
fn find(connection: &Connection, scan: &str, found: &Match) -> Result<i64, Cause> {
    const FIND: &str = "
        SELECT indicator.id
        FROM indicator
        JOIN indicator_set ON indicator_set.id = indicator.set_id
        JOIN scan_set ON scan_set.set_id = indicator.set_id
        WHERE scan_set.scan_id = ?1 AND indicator_set.name = ?2
            AND indicator.kind <> 'address' AND indicator.value = ?3 AND indicator.source = ?4
        ORDER BY indicator.set_id DESC, indicator.id LIMIT 1";
    let value = found.indicator.to_string();
    let known = connection
        .prepare_cached(FIND)?
        .query_row(params![scan, &*found.set, value, &*found.source], |row| row.get(0))
        .optional()?;
    known.ok_or_else(|| Cause::UnknownIndicator { set: found.set.to_string(), indicator: value })
}
