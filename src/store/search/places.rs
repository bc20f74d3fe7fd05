//! Where certificates were seen: sightings, put together by address.

use rusqlite::{Connection, Row, Rows, params};

use crate::domain::address::{Family, Target};
use crate::domain::ports::PortSet;
use crate::domain::query::{By, Certificate, Found, Query, Seer};
use crate::domain::ranges::Range;
use crate::domain::time::Timestamp;
use crate::store::endpoint;

/// The sightings in a window of time, by whom; ?1 to ?3 are its ends and the kind of vantage.
const SIGHTINGS: &str = "
SELECT sighting.certificate_id, sighting.endpoint_id, address6.address_key,
    server_name.name AS server_name, vantage.name AS vantage, vantage.kind, sighting.first_seen,
    sighting.last_seen, sighting.count, sighting.key_proven, sighting.handshake_finished
FROM sighting
JOIN server_name ON server_name.id = sighting.server_name_id
JOIN vantage ON vantage.id = sighting.vantage_id
LEFT JOIN address6 ON address6.number = sighting.endpoint_id >> 16
WHERE sighting.last_seen >= ?1 AND sighting.first_seen <= ?2
    AND (?3 IS NULL OR vantage.kind = ?3)";

/// The keys of the sightings at endpoints from ?4 to ?5, found through the visits that made them; what others
/// collected has no visits.
const AT_ENDPOINTS: &str = "
AND (sighting.certificate_id, sighting.endpoint_id, sighting.server_name_id, sighting.vantage_id) IN (
    SELECT visit.certificate_id, visit.endpoint_id, visit.server_name_id, scan_number.vantage_id
    FROM visit JOIN scan_number ON scan_number.number = visit.scan_number
    WHERE visit.endpoint_id BETWEEN ?4 AND ?5 AND visit.certificate_id IS NOT NULL
    UNION
    SELECT
        further_leaf.certificate_id, further_leaf.endpoint_id, further_leaf.server_name_id,
        scan_number.vantage_id
    FROM further_leaf JOIN scan_number ON scan_number.number = further_leaf.scan_number
    WHERE further_leaf.endpoint_id BETWEEN ?4 AND ?5
    UNION
    SELECT certificate_id, endpoint_id, server_name_id, vantage_id
    FROM sighting INDEXED BY sighting_imported
    WHERE first_scan IS NULL AND endpoint_id BETWEEN ?4 AND ?5
)
ORDER BY sighting.endpoint_id";

/// What is asked of places.
pub(super) struct Places<'c> {
    connection: &'c Connection,
    query: &'c Query,
    since: i64,
    until: i64,
    kind: Option<&'static str>,
}

/// A sighting as it is stored.
struct Sighting {
    certificate: i64,
    target: Target,
    server_name: String,
    seer: Seer,
    seen: (Timestamp, Timestamp),
    count: u64,
    key_proven: Option<bool>,
    handshake_finished: bool,
}

impl<'c> Places<'c> {
    pub(super) fn new(connection: &'c Connection, query: &'c Query) -> Self {
        let (since, until) = query.seen;
        Self {
            connection,
            query,
            since: since.map_or(i64::MIN, Timestamp::micros),
            until: until.map_or(i64::MAX, Timestamp::micros),
            kind: match query.by {
                By::All => None,
                By::Scans => Some("own"),
                By::Imports => Some("import"),
            },
        }
    }

    /// The first `limit` addresses that showed the certificate, in order.
    pub(super) fn of_certificate(&mut self, id: i64, limit: usize) -> rusqlite::Result<Vec<Found>> {
        let select =
            format!("{SIGHTINGS} AND sighting.certificate_id = ?4 ORDER BY sighting.endpoint_id");
        let mut select = self.connection.prepare_cached(&select)?;
        let mut rows = select.query(params![self.since, self.until, self.kind, id])?;
        let mut found = Gathered::default();
        while let Some(row) = rows.next()? {
            let sighting = read(row)?;
            if self.is_asked(sighting.target) && !found.take(sighting, limit) {
                break;
            }
        }
        let mut found: Vec<Found> = found.rows.into_iter().map(|(_, found)| found).collect();
        if found.is_empty() && limit > 0 {
            found.extend(self.without_a_place(id)?);
        }
        Ok(found)
    }

    /// The first `limit` certificates at addresses, in order of addresses, each with its certificate's row.
    pub(super) fn of_all(&mut self, limit: usize) -> rusqlite::Result<Vec<(i64, Found)>> {
        let all = [Family::V4, Family::V6].map(endpoint::every);
        let ranges = if self.query.ranges.is_empty() { &all[..] } else { &self.query.ranges };
        let select = format!("{SIGHTINGS} {AT_ENDPOINTS}");
        let mut select = self.connection.prepare_cached(&select)?;
        let mut found = Vec::new();
        for range in ranges {
            for (first, last) in endpoint::bounds(self.connection, range)? {
                let room = limit.saturating_sub(found.len());
                if room == 0 {
                    return Ok(found);
                }
                let bounds = params![self.since, self.until, self.kind, first, last];
                found.extend(self.read(select.query(bounds)?, room)?);
            }
        }
        Ok(found)
    }

    /// Sightings in order of endpoints, put together by certificate and address; `limit` of these at most.
    fn read(&self, mut rows: Rows<'_>, limit: usize) -> rusqlite::Result<Vec<(i64, Found)>> {
        let mut found = Gathered::default();
        while let Some(row) = rows.next()? {
            let sighting = read(row)?;
            let is_asked = |ports: &PortSet| ports.contains(sighting.target.port);
            if self.query.ports.as_ref().is_none_or(is_asked) && !found.take(sighting, limit) {
                break;
            }
        }
        Ok(found.rows)
    }

    /// A certificate that others collected without saying where, if that is asked for.
    fn without_a_place(&self, id: i64) -> rusqlite::Result<Option<Found>> {
        const SELECT: &str = "
            SELECT DISTINCT vantage.name
            FROM import_certificate
            JOIN import ON import.id = import_certificate.import_id
            JOIN vantage ON vantage.id = import.vantage_id
            WHERE import_certificate.certificate_id = ?1 ORDER BY vantage.name";
        let asks_where = !self.query.ranges.is_empty()
            || self.query.ports.is_some()
            || self.query.seen != (None, None)
            || self.query.by == By::Scans;
        if asks_where {
            return Ok(None);
        }
        let mut select = self.connection.prepare_cached(SELECT)?;
        let names = select.query_map([id], |row| row.get(0))?;
        let by: Vec<Seer> = names
            .map(|name| Ok(Seer { name: name?, is_import: true }))
            .collect::<rusqlite::Result<_>>()?;
        Ok((!by.is_empty()).then(|| Found { by, ..nowhere() }))
    }

    fn is_asked(&self, target: Target) -> bool {
        let at = Range::single(target.address);
        let in_range = |ranges: &[Range]| ranges.iter().any(|range| range.covers(&at));
        (self.query.ranges.is_empty() || in_range(&self.query.ranges))
            && self.query.ports.as_ref().is_none_or(|ports| ports.contains(target.port))
    }
}

/// Sightings put together: what one certificate showed at one address with the same evidence is one row.
#[derive(Default)]
struct Gathered {
    /// Each with its certificate.
    rows: Vec<(i64, Found)>,
    /// From which row on they are of the last address.
    begin: usize,
}

impl Gathered {
    /// Takes a sighting at the last address or one that comes after it; `false` if that would be a row more than
    /// `limit`.
    fn take(&mut self, sighting: Sighting, limit: usize) -> bool {
        let address = Some(sighting.target.address);
        if self.rows.last().is_some_and(|(_, last)| last.address != address) {
            self.begin = self.rows.len();
        }
        let is_full = self.rows.len() == limit;
        let same = self.rows.iter_mut().skip(self.begin).find(|(certificate, found)| {
            *certificate == sighting.certificate
                && found.key_proven == sighting.key_proven
                && found.handshake_finished == sighting.handshake_finished
                && found.by.iter().all(|seer| seer.is_import == sighting.seer.is_import)
        });
        match same {
            Some((_, same)) => add(same, sighting),
            None if is_full => return false,
            None => self.rows.push((sighting.certificate, begun(sighting))),
        }
        true
    }
}

fn read(row: &Row<'_>) -> rusqlite::Result<Sighting> {
    let time = |column| row.get(column).map(Timestamp::from_micros);
    Ok(Sighting {
        certificate: row.get("certificate_id")?,
        target: endpoint::target(row)?,
        server_name: row.get("server_name")?,
        seer: Seer {
            name: row.get("vantage")?,
            is_import: row.get::<_, String>("kind")? == "import",
        },
        seen: (time("first_seen")?, time("last_seen")?),
        count: row.get::<_, i64>("count")?.cast_unsigned(),
        key_proven: row.get("key_proven")?,
        handshake_finished: row.get("handshake_finished")?,
    })
}

fn nowhere() -> Found {
    Found {
        certificate: Certificate::default(),
        address: None,
        ports: Vec::new(),
        server_names: Vec::new(),
        first_seen: None,
        last_seen: None,
        count: 0,
        key_proven: None,
        handshake_finished: false,
        matches: Vec::new(),
        by: Vec::new(),
        why: Vec::new(),
    }
}

fn begun(sighting: Sighting) -> Found {
    let mut found = Found {
        address: Some(sighting.target.address),
        key_proven: sighting.key_proven,
        handshake_finished: sighting.handshake_finished,
        ..nowhere()
    };
    add(&mut found, sighting);
    found
}

/// Adds a sighting at the same address: another port, server name or vantage.
fn add(found: &mut Found, sighting: Sighting) {
    insert(&mut found.ports, sighting.target.port);
    insert(&mut found.server_names, sighting.server_name);
    insert(&mut found.by, sighting.seer);
    let (first, last) = sighting.seen;
    found.first_seen = Some(found.first_seen.map_or(first, |known| known.min(first)));
    found.last_seen = found.last_seen.max(Some(last));
    found.count += sighting.count;
}

/// Adds `item` to what is sorted, unless it is there.
fn insert<T: Ord>(items: &mut Vec<T>, item: T) {
    if let Err(at) = items.binary_search(&item) {
        items.insert(at, item);
    }
}
