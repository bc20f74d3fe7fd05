//! Leaf certificates, each stored once.

use std::collections::HashMap;

use rusqlite::{CachedStatement, Connection, OptionalExtension, params};

use crate::domain::cert::Leaf;
use crate::domain::fingerprint::Sha256Fingerprint;
use crate::domain::time::Timestamp;

const FIND: &str = "SELECT id FROM certificate WHERE sha256 = ?1";

const INSERT: &str = "
INSERT INTO certificate (
    sha256, sha1, spki_sha256, der, subject, issuer, common_name, names, serial, not_before,
    not_after, key, signature_algorithm, self_signed, softether_default, parse_error, first_stored
) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17)
ON CONFLICT (sha256) DO NOTHING";

/// The rows of the leaves of one transaction.
pub(super) struct Certificates<'c> {
    connection: &'c Connection,
    find: CachedStatement<'c>,
    insert: CachedStatement<'c>,
    /// Those met so far: as many as the batch has leaves, at most.
    met: HashMap<Sha256Fingerprint, i64>,
    /// Whether the last one met had a row before: the next one is likely to be as it was.
    was_stored: bool,
}

impl<'c> Certificates<'c> {
    pub(super) fn new(connection: &'c Connection) -> rusqlite::Result<Self> {
        let find = connection.prepare_cached(FIND)?;
        let insert = connection.prepare_cached(INSERT)?;
        Ok(Self { connection, find, insert, met: HashMap::new(), was_stored: false })
    }

    /// The row of `leaf`, made at `time` if there is none.
    ///
    /// A row that exists is not touched: the same bytes say the same of themselves.
    pub(super) fn intern(&mut self, leaf: &Leaf, time: Timestamp) -> rusqlite::Result<i64> {
        if let Some(id) = self.met.get(&leaf.sha256) {
            return Ok(*id);
        }
        let stored = if self.was_stored { self.find(leaf)? } else { None };
        let id = match stored {
            Some(id) => id,
            None => self.insert(leaf, time)?,
        };
        self.met.insert(leaf.sha256, id);
        Ok(id)
    }

    fn find(&mut self, leaf: &Leaf) -> rusqlite::Result<Option<i64>> {
        self.find.query_row([leaf.sha256.0], |row| row.get(0)).optional()
    }

    /// Makes the row of `leaf`, unless there is one.
    fn insert(&mut self, leaf: &Leaf, time: Timestamp) -> rusqlite::Result<i64> {
        let says = &leaf.description;
        let names: serde_json::Value = says.names.iter().map(String::as_str).collect();
        let made = self.insert.execute(params![
            leaf.sha256.0,
            leaf.sha1.0,
            leaf.spki_sha256.map(|hash| hash.0),
            leaf.der,
            says.subject,
            says.issuer,
            says.common_name,
            names.to_string(),
            says.serial,
            says.not_before.map(Timestamp::micros),
            says.not_after.map(Timestamp::micros),
            says.key,
            says.signature_algorithm,
            says.self_signed,
            says.softether_default,
            says.parse_error,
            time.micros(),
        ])?;
        self.was_stored = made == 0;
        if self.was_stored {
            return self.find.query_row([leaf.sha256.0], |row| row.get(0));
        }
        Ok(self.connection.last_insert_rowid())
    }
}
