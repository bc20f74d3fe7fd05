//! The outbox: which transitions are to be told over which channel, until they are.
//!
//! Alerts are not stored: each is made anew from its transition, with what the ledger knows by then.

use std::collections::BTreeMap;
use std::sync::Arc;

use rusqlite::{Connection, OptionalExtension, Row, Transaction, params};

use super::endpoint;
use super::error::StoreError;
use super::ledger::Ledger;
use crate::domain::alert::{
    Alert, Certificate, Earlier, Entry, Kind, Matched, Next, RETRY_AFTER_MAX,
};
use crate::domain::fingerprint::{Sha1Fingerprint, Sha256Fingerprint};
use crate::domain::indicator::{Tier, Tlp};
use crate::domain::observation::Evidence;
use crate::domain::time::Timestamp;

/// How many earlier places an alert is made with.
const FROM_MAX: u32 = 64;

/// How many matches.
const MATCHES_MAX: u32 = 256;

/// The channel of the one row that says up to which transition it was decided who is told. No channel is called so.
const DECIDED: &str = "";

/// A transition of which it was not decided yet who is told.
#[derive(Clone, Debug, PartialEq)]
pub struct Untold {
    /// Its row.
    pub transition: i64,
    /// What there is to tell.
    pub alert: Alert,
}

/// How a channel does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChannelStatus {
    /// Its name, also of one that no settings name any more.
    pub channel: String,
    /// How many alerts wait.
    pub waiting: u64,
    /// How many were delivered.
    pub delivered: u64,
    /// How many were given up.
    pub given_up: u64,
    /// When the next attempt is planned.
    pub next_attempt: Option<Timestamp>,
    /// Why the latest of those that wait or were given up failed.
    pub last_error: Option<String>,
}

impl Ledger {
    /// The first `limit` transitions of which it was not decided yet who is told, in the order in which they were
    /// found.
    ///
    /// # Errors
    ///
    /// If the ledger cannot be read.
    pub fn untold(&self, limit: u32) -> Result<Vec<Untold>, StoreError> {
        self.read(|connection| untold(connection, limit))
    }

    /// Writes down, for transitions that [`Ledger::untold`] gave, which channels they wait for: all of it and that it
    /// was decided, or nothing.
    ///
    /// # Errors
    ///
    /// If the ledger cannot be written.
    pub fn tell(&mut self, decided: &[(i64, Vec<&str>)], now: Timestamp) -> Result<(), StoreError> {
        self.write(|transaction| Ok(tell(transaction, decided, now)?))
    }

    /// At most `limit` alerts for `channel` that are due, those with the fewest attempts first.
    ///
    /// # Errors
    ///
    /// If the ledger cannot be read.
    pub fn alerts_due(
        &self,
        channel: &str,
        now: Timestamp,
        limit: u32,
    ) -> Result<Vec<Entry>, StoreError> {
        self.read(|connection| due(connection, channel, now, limit))
    }

    /// When the next attempt for `channel` is planned, if any is.
    ///
    /// # Errors
    ///
    /// If the ledger cannot be read.
    pub fn alert_planned(&self, channel: &str) -> Result<Option<Timestamp>, StoreError> {
        const SELECT: &str = "
            SELECT min(next_attempt) FROM outbox WHERE next_attempt IS NOT NULL AND channel = ?1";
        self.read(|connection| {
            let planned: Option<i64> =
                connection.prepare_cached(SELECT)?.query_row([channel], |row| row.get(0))?;
            Ok(planned.map(Timestamp::from_micros))
        })
    }

    /// Writes down how an attempt with alert `id` went that ended `now`.
    ///
    /// # Errors
    ///
    /// If the ledger cannot be written.
    pub fn settle_alert(&mut self, id: i64, now: Timestamp, next: &Next) -> Result<(), StoreError> {
        self.write(|transaction| Ok(settle(transaction, id, now, next)?))
    }

    /// How every channel does that an alert ever waited for, by name.
    ///
    /// # Errors
    ///
    /// If the ledger cannot be read.
    pub fn channels(&self) -> Result<Vec<ChannelStatus>, StoreError> {
        self.read(channels)
    }
}

const TRANSITION: &str = "
SELECT transition.id, transition.key, transition.kind, transition.time, transition.derived,
    transition.endpoint_id, transition.certificate_id, transition.previous_certificate_id,
    address_key, nullif(server_name.name, '') AS server_name, vantage.name AS vantage,
    scan_number.scan_id, json_extract(scan.settings, '$.inputs.job') AS job,
    visit.certificate_id IS NOT NULL AS shown, visit.key_proven,
    visit.handshake_finished
FROM transition
JOIN server_name ON server_name.id = transition.server_name_id
JOIN vantage ON vantage.id = transition.vantage_id
JOIN scan_number ON scan_number.number = transition.scan_number
JOIN scan ON scan.id = scan_number.scan_id
LEFT JOIN address6 ON address6.number = transition.endpoint_id >> 16
LEFT JOIN visit ON visit.endpoint_id = transition.endpoint_id
    AND visit.server_name_id = transition.server_name_id
    AND visit.scan_number = transition.scan_number
    AND visit.certificate_id = transition.certificate_id
WHERE transition.id = ?1";

fn untold(connection: &Connection, limit: u32) -> rusqlite::Result<Vec<Untold>> {
    const SELECT: &str = "
        SELECT id FROM transition
        WHERE id > ifnull((SELECT max(transition_id) FROM outbox WHERE channel = ?1), 0)
        ORDER BY id LIMIT ?2";
    let ids: Vec<i64> = connection
        .prepare_cached(SELECT)?
        .query_map(params![DECIDED, limit], |row| row.get(0))?
        .collect::<rusqlite::Result<_>>()?;
    let read = |transition| Ok(Untold { transition, alert: alert(connection, transition)?.0 });
    ids.into_iter().map(read).collect()
}

fn tell(
    transaction: &Transaction<'_>,
    decided: &[(i64, Vec<&str>)],
    now: Timestamp,
) -> rusqlite::Result<()> {
    const INSERT: &str = "
        INSERT INTO outbox (transition_id, channel, next_attempt) VALUES (?1, ?2, ?3)
        ON CONFLICT DO NOTHING";
    let Some(last) = decided.iter().map(|(transition, _)| *transition).max() else {
        return Ok(());
    };
    let mut insert = transaction.prepare_cached(INSERT)?;
    for (transition, channels) in decided {
        for channel in channels {
            insert.execute(params![transition, channel, now.micros()])?;
        }
    }
    transaction.execute("DELETE FROM outbox WHERE channel = ?1", [DECIDED])?;
    insert.execute(params![last, DECIDED, None::<i64>])?;
    Ok(())
}

/// What is planned too far ahead was planned by a clock that has been set back since, see
/// [`is_due`](crate::domain::alert::is_due).
fn due(
    connection: &Connection,
    channel: &str,
    now: Timestamp,
    limit: u32,
) -> rusqlite::Result<Vec<Entry>> {
    const SELECT: &str = "
        SELECT id, transition_id, attempts FROM outbox
        WHERE next_attempt IS NOT NULL AND channel = ?1 AND (next_attempt <= ?2 OR next_attempt > ?3)
        ORDER BY attempts, next_attempt, id LIMIT ?4";
    let bound = i64::try_from(RETRY_AFTER_MAX.as_micros()).unwrap_or(i64::MAX);
    let far = now.micros().saturating_add(bound);
    let rows: Vec<(i64, i64, u32)> = connection
        .prepare_cached(SELECT)?
        .query_map(params![channel, now.micros(), far, limit], |row| {
            Ok((row.get(0)?, row.get(1)?, row.get(2)?))
        })?
        .collect::<rusqlite::Result<_>>()?;
    let entry = |(id, transition, attempts)| {
        let (alert, queued) = alert(connection, transition)?;
        Ok(Entry { id, queued, attempts, alert })
    };
    rows.into_iter().map(entry).collect()
}

fn settle(
    transaction: &Transaction<'_>,
    id: i64,
    now: Timestamp,
    next: &Next,
) -> rusqlite::Result<()> {
    const UPDATE: &str = "
        UPDATE outbox SET attempts = attempts + 1, next_attempt = ?2, delivered = ?3, given_up = ?4,
            last_error = ?5
        WHERE id = ?1";
    let now = Some(now.micros());
    let (planned, delivered, given_up, error) = match next {
        Next::Delivered => (None, now, None, None),
        Next::Again { at, why } => (Some(at.micros()), None, None, Some(why)),
        Next::GivenUp { why } => (None, None, now, Some(why)),
    };
    let mut update = transaction.prepare_cached(UPDATE)?;
    update.execute(params![id, planned, delivered, given_up, error])?;
    Ok(())
}

fn channels(connection: &Connection) -> rusqlite::Result<Vec<ChannelStatus>> {
    const SELECT: &str = "
        SELECT channel, count(next_attempt), count(delivered), count(given_up), min(next_attempt),
            (SELECT last_error FROM outbox AS failed
             WHERE failed.channel = outbox.channel AND last_error IS NOT NULL
             ORDER BY failed.id DESC LIMIT 1)
        FROM outbox WHERE channel <> ?1 GROUP BY channel ORDER BY channel";
    let read = |row: &Row<'_>| {
        let count = |column: usize| row.get::<_, i64>(column).map(i64::cast_unsigned);
        Ok(ChannelStatus {
            channel: row.get(0)?,
            waiting: count(1)?,
            delivered: count(2)?,
            given_up: count(3)?,
            next_attempt: row.get::<_, Option<i64>>(4)?.map(Timestamp::from_micros),
            last_error: row.get(5)?,
        })
    };
    connection.prepare_cached(SELECT)?.query_map([DECIDED], read)?.collect()
}

/// The alert of the transition in row `transition`, and when that was found.
fn alert(connection: &Connection, transition: i64) -> rusqlite::Result<(Alert, Timestamp)> {
    let mut select = connection.prepare_cached(TRANSITION)?;
    let (mut alert, leaf, previous, derived) = select.query_row([transition], head)?;
    alert.leaf = certificate(connection, leaf)?;
    alert.previous = previous.map(|id| certificate(connection, id)).transpose()?;
    alert.matches = matches(connection, leaf, previous)?;
    if alert.kind == Kind::Moved {
        alert.from = earlier(connection, leaf, &alert)?;
    }
    Ok((alert, derived))
}

/// What the row of a transition says, with the rows of its leaf and of the one before, and when it was found.
fn head(row: &Row<'_>) -> rusqlite::Result<(Alert, i64, Option<i64>, Timestamp)> {
    let word: String = row.get("kind")?;
    // The table holds no other words.
    let kind = Kind::ALL.into_iter().find(|kind| kind.word() == word).unwrap_or(Kind::New);
    let shown: bool = row.get("shown")?;
    let evidence = Evidence {
        presented: true,
        key_proven: row.get("key_proven")?,
        unproven: None,
        handshake_finished: row.get::<_, Option<bool>>("handshake_finished")?.unwrap_or(false),
    };
    let alert = Alert {
        key: Sha256Fingerprint(row.get("key")?),
        kind,
        time: Timestamp::from_micros(row.get("time")?),
        target: endpoint::target(row)?,
        server_name: row.get("server_name")?,
        vantage: row.get("vantage")?,
        scan: row.get("scan_id")?,
        job: row.get("job")?,
        leaf: Certificate::default(),
        previous: None,
        from: Vec::new(),
        matches: Vec::new(),
        evidence: shown.then_some(evidence),
    };
    let derived = Timestamp::from_micros(row.get("derived")?);
    Ok((alert, row.get("certificate_id")?, row.get("previous_certificate_id")?, derived))
}

fn certificate(connection: &Connection, id: i64) -> rusqlite::Result<Certificate> {
    const SELECT: &str = "
        SELECT sha1, sha256, common_name, subject, issuer, not_before, not_after
        FROM certificate WHERE id = ?1";
    let read = |row: &Row<'_>| {
        let time = |column: &str| -> rusqlite::Result<Option<Timestamp>> {
            Ok(row.get::<_, Option<i64>>(column)?.map(Timestamp::from_micros))
        };
        Ok(Certificate {
            sha1: row.get::<_, Option<_>>("sha1")?.map(Sha1Fingerprint),
            sha256: row.get::<_, Option<_>>("sha256")?.map(Sha256Fingerprint),
            common_name: row.get("common_name")?,
            subject: row.get("subject")?,
            issuer: row.get("issuer")?,
            not_before: time("not_before")?,
            not_after: time("not_after")?,
        })
    };
    let found = connection.prepare_cached(SELECT)?.query_row([id], read).optional()?;
    Ok(found.unwrap_or_default())
}

/// What the leaf or the one before it ever matched, the closest first. A set that was read in several versions counts as
/// closed as it ever was.
fn matches(
    connection: &Connection,
    leaf: i64,
    previous: Option<i64>,
) -> rusqlite::Result<Vec<Matched>> {
    const SELECT: &str = r#"
        SELECT DISTINCT "match".tier, indicator_set.name, indicator_set.tlp, indicator.value,
            indicator.label, indicator.source
        FROM "match"
        JOIN indicator ON indicator.id = "match".indicator_id
        JOIN indicator_set ON indicator_set.id = indicator.set_id
        WHERE "match".certificate_id IN (?1, ?2)
        ORDER BY 1, 2, 4, 5, 6 LIMIT ?3"#;
    let mut select = connection.prepare_cached(SELECT)?;
    let mut rows = select.query(params![leaf, previous.unwrap_or(leaf), MATCHES_MAX])?;
    let mut found: BTreeMap<(Tier, String, String), Matched> = BTreeMap::new();
    while let Some(row) = rows.next()? {
        let (tier, set, tlp): (String, String, String) = (row.get(0)?, row.get(1)?, row.get(2)?);
        // A word that this version does not know is taken for what is most closed, or least sure.
        let known = Tlp::WORDS.iter().find(|(word, _)| *word == tlp);
        let tlp = known.map_or(Tlp::Red, |(_, tlp)| *tlp);
        let known = Tier::ALL.into_iter().find(|known| known.letter() == tier);
        let tier = known.unwrap_or(Tier::E);
        let indicator: String = row.get(3)?;
        let (label, source): (_, String) = (row.get(4)?, row.get(5)?);
        let matched = Matched {
            set: Arc::from(set.as_str()),
            tlp,
            tier,
            indicator: indicator.clone(),
            label,
            source: source.into(),
        };
        let entry = found.entry((tier, set, indicator)).or_insert_with(|| matched.clone());
        if tlp >= entry.tlp {
            *entry = matched;
        }
    }
    Ok(found.into_values().collect())
}

/// Where else `leaf` was seen before the transition, the latest first.
fn earlier(connection: &Connection, leaf: i64, alert: &Alert) -> rusqlite::Result<Vec<Earlier>> {
    const SELECT: &str = "
        SELECT endpoint_id, address_key, max(last_seen) AS last_seen
        FROM sighting LEFT JOIN address6 ON address6.number = endpoint_id >> 16
        WHERE certificate_id = ?1 AND first_seen < ?2
        GROUP BY endpoint_id ORDER BY 3 DESC, 1 LIMIT ?3";
    let read = |row: &Row<'_>| {
        let last_seen = Timestamp::from_micros(row.get("last_seen")?);
        Ok(Earlier { target: endpoint::target(row)?, last_seen })
    };
    let mut select = connection.prepare_cached(SELECT)?;
    let found = select.query_map(params![leaf, alert.time.micros(), FROM_MAX], read)?;
    let elsewhere = |found: &rusqlite::Result<Earlier>| {
        !found.as_ref().is_ok_and(|found| found.target.address == alert.target.address)
    };
    found.filter(elsewhere).collect()
}
