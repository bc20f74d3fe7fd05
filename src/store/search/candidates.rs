//! The certificates that a question is about, and what is known of them.

use std::collections::{BTreeMap, BTreeSet};

use rusqlite::{CachedStatement, Connection, OptionalExtension, Row};

use crate::domain::cert::Leaf;
use crate::domain::fingerprint::{Sha1Fingerprint, Sha256Fingerprint};
use crate::domain::indicator::{Index, Match, Tier};
use crate::domain::query::{
    Certificate, HashPrefix, Matched, Pattern, Query, Traits, Which, Why, reasons,
};
use crate::domain::time::Timestamp;

/// What certificates are matched with when they are looked for.
#[derive(Clone, Copy, Debug)]
pub enum Matcher<'i> {
    /// What matched when it was seen, and what others collected, with these indicators now.
    Then(&'i Index),
    /// Everything, with these indicators now, whatever matched when it was seen.
    Now(&'i Index),
}

/// Which certificates a question is about.
pub(super) enum Candidates {
    /// Any: only places are asked for.
    All,
    /// Those with these rows.
    These(BTreeSet<i64>),
}

impl Candidates {
    pub(super) fn holds(&self, id: i64) -> bool {
        match self {
            Self::All => true,
            Self::These(ids) => ids.contains(&id),
        }
    }

    /// Those that are in `others` too.
    fn and(self, others: BTreeSet<i64>) -> Self {
        match self {
            Self::All => Self::These(others),
            Self::These(ids) => Self::These(ids.intersection(&others).copied().collect()),
        }
    }
}

/// The certificates that `query` is about.
pub(super) fn of(
    connection: &Connection,
    query: &Query,
    matcher: &Matcher<'_>,
) -> rusqlite::Result<Candidates> {
    let mut found = Candidates::All;
    if !query.hashes.is_empty() {
        let mut ids = BTreeSet::new();
        for hash in &query.hashes {
            ids.extend(with_hash(connection, hash)?);
        }
        found = found.and(ids);
    }
    if query.name.is_some() || query.issuer.is_some() || query.serial.is_some() {
        found = found.and(saying(connection, query)?);
    }
    match matcher {
        Matcher::Now(index) => Ok(found.and(matching(connection, query, index, ALL)?)),
        Matcher::Then(index) if query.set.is_some() || !query.tiers.is_empty() => {
            let mut ids = matched(connection, query)?;
            ids.extend(matching(connection, query, index, IMPORTED)?);
            Ok(found.and(ids))
        }
        Matcher::Then(_) => Ok(found),
    }
}

/// Every certificate, as far as it matters to a match.
const ALL: &str = "SELECT id, der, sha1, sha256, spki_sha256 FROM certificate";

/// Those that others collected.
const IMPORTED: &str = "SELECT id, der, sha1, sha256, spki_sha256 FROM certificate
    WHERE id IN (SELECT certificate_id FROM import_certificate)";

/// The certificates with a hash that begins so.
fn with_hash(connection: &Connection, hash: &HashPrefix) -> rusqlite::Result<BTreeSet<i64>> {
    const COLUMNS: [(&str, usize, Which); 3] = [
        ("sha1", 20, Which::Sha1),
        ("sha256", 32, Which::Sha256),
        ("spki_sha256", 32, Which::Spki),
    ];
    let mut ids = BTreeSet::new();
    for (column, octets, which) in COLUMNS {
        let is_meant = hash.which() == Which::Any || hash.which() == which;
        let Some((first, last)) = hash.bounds(octets).filter(|_| is_meant) else { continue };
        let select = format!("SELECT id FROM certificate WHERE {column} BETWEEN ?1 AND ?2");
        let mut select = connection.prepare_cached(&select)?;
        for id in select.query_map([first, last], |row| row.get(0))? {
            ids.insert(id?);
        }
    }
    Ok(ids)
}

/// The certificates whose own words are as asked; all of them are looked at.
fn saying(connection: &Connection, query: &Query) -> rusqlite::Result<BTreeSet<i64>> {
    const SELECT: &str = "SELECT id, common_name, names, issuer, serial FROM certificate";
    let mut select = connection.prepare_cached(SELECT)?;
    let mut rows = select.query([])?;
    let mut ids = BTreeSet::new();
    let is = |pattern: &Option<Pattern>, texts: &[&str]| {
        let fits = |pattern: &Pattern| texts.iter().any(|text| pattern.matches(text));
        pattern.as_ref().is_none_or(fits)
    };
    while let Some(row) = rows.next()? {
        let (common_name, issuer): (Option<String>, Option<String>) = (row.get(1)?, row.get(3)?);
        let (names, serial): (Option<String>, Option<String>) = (row.get(2)?, row.get(4)?);
        let names: Vec<String> =
            names.and_then(|json| serde_json::from_str(&json).ok()).unwrap_or_default();
        let called: Vec<&str> = common_name.iter().chain(&names).map(String::as_str).collect();
        let fits = is(&query.name, &called)
            && is(&query.issuer, &issuer.iter().map(String::as_str).collect::<Vec<_>>())
            && query.serial.as_ref().is_none_or(|asked| serial.as_ref() == Some(asked));
        if fits {
            ids.insert(row.get(0)?);
        }
    }
    Ok(ids)
}

/// The certificates that matched when they were seen.
fn matched(connection: &Connection, query: &Query) -> rusqlite::Result<BTreeSet<i64>> {
    const SELECT: &str = "
        SELECT DISTINCT \"match\".certificate_id, \"match\".tier
        FROM \"match\"
        JOIN indicator ON indicator.id = \"match\".indicator_id
        JOIN indicator_set ON indicator_set.id = indicator.set_id
        WHERE ?1 IS NULL OR indicator_set.name = ?1";
    let mut select = connection.prepare_cached(SELECT)?;
    let mut rows = select.query([&query.set])?;
    let mut ids = BTreeSet::new();
    while let Some(row) = rows.next()? {
        let letter: String = row.get(1)?;
        if query.tiers.is_empty() || query.tiers.iter().any(|tier| tier.letter() == letter) {
            ids.insert(row.get(0)?);
        }
    }
    Ok(ids)
}

/// Those of the certificates that `select` gives which match now.
fn matching(
    connection: &Connection,
    query: &Query,
    index: &Index,
    select: &str,
) -> rusqlite::Result<BTreeSet<i64>> {
    let mut select = connection.prepare_cached(select)?;
    let mut rows = select.query([])?;
    let mut ids = BTreeSet::new();
    while let Some(row) = rows.next()? {
        if matches_now(row, index)?.iter().any(|found| is_asked(query, found)) {
            ids.insert(row.get(0)?);
        }
    }
    Ok(ids)
}

/// What the certificate of a row matches: all tiers where its bytes are there, else what hashes can say.
fn matches_now(row: &Row<'_>, index: &Index) -> rusqlite::Result<Vec<Match>> {
    if let Some(der) = row.get("der")? {
        return Ok(index.matches(&Leaf::new(der)));
    }
    let hash =
        |column| row.get::<_, Option<[u8; 32]>>(column).map(|hash| hash.map(Sha256Fingerprint));
    let sha1 = row.get::<_, Option<[u8; 20]>>("sha1")?.map(Sha1Fingerprint);
    Ok(index.matches_hashes(sha1, hash("sha256")?, hash("spki_sha256")?))
}

fn is_asked(query: &Query, found: &Match) -> bool {
    query.set.as_deref().is_none_or(|set| *found.set == *set)
        && (query.tiers.is_empty() || query.tiers.contains(&found.tier))
}

/// The certificates with a hash that begins so, then those that they lead to, the strongest reason first.
pub(super) fn led_to(
    connection: &Connection,
    hash: &HashPrefix,
) -> rusqlite::Result<Vec<(i64, Vec<Why>)>> {
    const SELECT: &str = "
        SELECT id, spki_sha256, common_name, key, signature_algorithm, not_before, not_after,
            self_signed, softether_default
        FROM certificate";
    let seeds = with_hash(connection, hash)?;
    let mut select = connection.prepare_cached(&format!("{SELECT} WHERE id = ?1"))?;
    let of_seeds: Vec<Traits> =
        seeds.iter().map(|id| select.query_row([id], traits)).collect::<rusqlite::Result<_>>()?;
    let mut led: Vec<(i64, Vec<Why>)> = seeds.iter().map(|id| (*id, Vec::new())).collect();
    let mut select = connection.prepare_cached(SELECT)?;
    let mut rows = select.query([])?;
    let mut others: BTreeMap<(Vec<Why>, i64), ()> = BTreeMap::new();
    while let Some(row) = rows.next()? {
        let id: i64 = row.get(0)?;
        let other = traits(row)?;
        let why = of_seeds.iter().map(|seed| reasons(seed, &other)).find(|why| !why.is_empty());
        if let Some(why) = why.filter(|_| !seeds.contains(&id)) {
            others.insert((why, id), ());
        }
    }
    led.extend(others.into_keys().map(|(why, id)| (id, why)));
    Ok(led)
}

fn traits(row: &Row<'_>) -> rusqlite::Result<Traits> {
    let time =
        |column| row.get::<_, Option<i64>>(column).map(|time| time.map(Timestamp::from_micros));
    Ok(Traits {
        spki_sha256: row.get::<_, Option<[u8; 32]>>("spki_sha256")?.map(Sha256Fingerprint),
        common_name: row.get("common_name")?,
        key: row.get("key")?,
        signature_algorithm: row.get("signature_algorithm")?,
        not_before: time("not_before")?,
        not_after: time("not_after")?,
        self_signed: row.get("self_signed")?,
        softether_default: row.get::<_, Option<bool>>("softether_default")? == Some(true),
    })
}

/// What is known of certificates, and what they match.
pub(in crate::store) struct Certificates<'c> {
    connection: &'c Connection,
    /// `None` if only what matched when it was seen is of interest.
    matcher: Option<Matcher<'c>>,
    /// The last one described, which the next row is of mostly.
    last: Option<(i64, (Certificate, Vec<Matched>))>,
}

impl<'c> Certificates<'c> {
    pub(in crate::store) const fn new(
        connection: &'c Connection,
        matcher: Option<Matcher<'c>>,
    ) -> Self {
        Self { connection, matcher, last: None }
    }

    /// The certificate with row `id`, and its matches, the closest first.
    pub(in crate::store) fn describe(
        &mut self,
        id: i64,
    ) -> rusqlite::Result<(Certificate, Vec<Matched>)> {
        if let Some((last, described)) = &self.last
            && *last == id
        {
            return Ok(described.clone());
        }
        let mut matches = match self.matcher {
            Some(Matcher::Now(index)) => self.now(id, index)?,
            Some(Matcher::Then(index)) if self.is_imported(id)? => {
                [self.then(id)?, self.now(id, index)?].concat()
            }
            _ => self.then(id)?,
        };
        matches.sort();
        matches.dedup();
        let described = (certificate(self.connection, id)?, matches);
        self.last = Some((id, described.clone()));
        Ok(described)
    }

    /// What it matches now.
    fn now(&self, id: i64, index: &Index) -> rusqlite::Result<Vec<Matched>> {
        let found = self
            .connection
            .prepare_cached(&format!("{ALL} WHERE id = ?1"))?
            .query_row([id], |row| matches_now(row, index))
            .optional()?;
        Ok(found.unwrap_or_default().iter().map(as_matched).collect())
    }

    fn is_imported(&self, id: i64) -> rusqlite::Result<bool> {
        self.connection
            .prepare_cached("SELECT 1 FROM import_certificate WHERE certificate_id = ?1")?
            .exists([id])
    }

    /// What it matched when it was seen.
    fn then(&self, id: i64) -> rusqlite::Result<Vec<Matched>> {
        matches_of(&mut self.connection.prepare_cached(MATCHES)?, id)
    }
}

/// What matched of one certificate, whenever it was seen.
pub(super) const MATCHES: &str = "
SELECT DISTINCT \"match\".tier, indicator_set.name AS set_name, indicator.value, indicator.label,
    indicator.source
FROM \"match\"
JOIN indicator ON indicator.id = \"match\".indicator_id
JOIN indicator_set ON indicator_set.id = indicator.set_id
WHERE \"match\".certificate_id = ?1
ORDER BY \"match\".tier, set_name, indicator.value";

/// The rows of [`MATCHES`] for the certificate `id`.
pub(super) fn matches_of(
    select: &mut CachedStatement<'_>,
    id: i64,
) -> rusqlite::Result<Vec<Matched>> {
    let mut rows = select.query([id])?;
    let mut matches = Vec::new();
    while let Some(row) = rows.next()? {
        let letter: String = row.get("tier")?;
        // What a newer version may have written is passed over.
        let Some(tier) = Tier::ALL.into_iter().find(|tier| tier.letter() == letter) else {
            continue;
        };
        matches.push(Matched {
            tier,
            set: row.get("set_name")?,
            indicator: row.get("value")?,
            label: row.get("label")?,
            source: row.get("source")?,
        });
    }
    Ok(matches)
}

fn as_matched(found: &Match) -> Matched {
    Matched {
        tier: found.tier,
        set: found.set.to_string(),
        indicator: found.indicator.to_string(),
        label: found.label.as_deref().map(str::to_owned),
        source: found.source.to_string(),
    }
}

/// The certificate with row `id`.
pub(super) fn certificate(connection: &Connection, id: i64) -> rusqlite::Result<Certificate> {
    const SELECT: &str = "
        SELECT sha1, sha256, spki_sha256, subject, common_name, issuer, serial, not_before,
            not_after, key
        FROM certificate WHERE id = ?1";
    connection.prepare_cached(SELECT)?.query_row([id], |row| {
        let time =
            |column| row.get::<_, Option<i64>>(column).map(|time| time.map(Timestamp::from_micros));
        Ok(Certificate {
            sha1: row.get::<_, Option<[u8; 20]>>("sha1")?.map(Sha1Fingerprint),
            sha256: row.get::<_, Option<[u8; 32]>>("sha256")?.map(Sha256Fingerprint),
            spki_sha256: row.get::<_, Option<[u8; 32]>>("spki_sha256")?.map(Sha256Fingerprint),
            subject: row.get("subject")?,
            common_name: row.get("common_name")?,
            issuer: row.get("issuer")?,
            serial: row.get("serial")?,
            not_before: time("not_before")?,
            not_after: time("not_after")?,
            key: row.get("key")?,
        })
    })
}
