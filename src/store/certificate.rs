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

/// What is known of a leaf that was known by a hash only. Its SHA-1 says that it is the same: that of two leaves
/// collides where somebody made them so, and then both are told of under it as before.
const COMPLETE: &str = "
UPDATE certificate SET
    sha256 = ?1, sha1 = ?2, spki_sha256 = ?3, der = ?4, subject = ?5, issuer = ?6,
    common_name = ?7, names = ?8, serial = ?9, not_before = ?10, not_after = ?11, key = ?12,
    signature_algorithm = ?13, self_signed = ?14, softether_default = ?15, parse_error = ?16
WHERE id = ?17";

const FIND_WITHOUT_DER: &str = "
SELECT id FROM certificate
WHERE der IS NULL AND (sha256 = ?1 OR sha256 IS NULL AND sha1 = ?2)
ORDER BY sha256 IS NULL LIMIT 1";

/// The rows of the leaves of one transaction.
pub(super) struct Certificates<'c> {
    connection: &'c Connection,
    find: CachedStatement<'c>,
    insert: CachedStatement<'c>,
    /// Those met so far: as many as the batch has leaves, at most.
    met: HashMap<Sha256Fingerprint, i64>,
    /// Whether the last one met had a row before: the next one is likely to be as it was.
    was_stored: bool,
    /// Whether there are rows of leaves that others collected and only told the hash of.
    has_hashes: bool,
}

impl<'c> Certificates<'c> {
    pub(super) fn new(connection: &'c Connection) -> rusqlite::Result<Self> {
        let find = connection.prepare_cached(FIND)?;
        let insert = connection.prepare_cached(INSERT)?;
        let has_hashes = connection
            .prepare_cached("SELECT 1 FROM certificate WHERE der IS NULL LIMIT 1")?
            .exists([])?;
        let met = HashMap::new();
        Ok(Self { connection, find, insert, met, was_stored: false, has_hashes })
    }

    /// The row of `leaf`, made at `time` if there is none.
    ///
    /// A row that has the leaf's bytes is not touched: they say the same of themselves.
    pub(super) fn intern(&mut self, leaf: &Leaf, time: Timestamp) -> rusqlite::Result<i64> {
        if let Some(id) = self.met.get(&leaf.sha256) {
            return Ok(*id);
        }
        if self.has_hashes {
            self.complete(leaf)?;
        }
        let stored = if self.was_stored { self.find(leaf)? } else { None };
        let id = match stored {
            Some(id) => id,
            None => self.insert(leaf, time)?,
        };
        self.met.insert(leaf.sha256, id);
        Ok(id)
    }

    /// Writes what `leaf` says of itself into the row that knew its hash, if there is one.
    fn complete(&mut self, leaf: &Leaf) -> rusqlite::Result<()> {
        let known: Option<i64> = self
            .connection
            .prepare_cached(FIND_WITHOUT_DER)?
            .query_row([&leaf.sha256.0[..], &leaf.sha1.0[..]], |row| row.get(0))
            .optional()?;
        if let Some(id) = known
            && self.find(leaf)?.is_none_or(|of_leaf| of_leaf == id)
        {
            write(&mut self.connection.prepare_cached(COMPLETE)?, leaf, id)?;
        }
        Ok(())
    }

    fn find(&mut self, leaf: &Leaf) -> rusqlite::Result<Option<i64>> {
        self.find.query_row([leaf.sha256.0], |row| row.get(0)).optional()
    }

    /// Makes the row of `leaf`, unless there is one.
    fn insert(&mut self, leaf: &Leaf, time: Timestamp) -> rusqlite::Result<i64> {
        let made = write(&mut self.insert, leaf, time.micros())?;
        self.was_stored = made == 0;
        if self.was_stored {
            return self.find.query_row([leaf.sha256.0], |row| row.get(0));
        }
        Ok(self.connection.last_insert_rowid())
    }
}

/// Runs `statement`, whose parameters are the columns of [`INSERT`] in order with `last` as the last; how many rows it
/// changed.
fn write(statement: &mut CachedStatement<'_>, leaf: &Leaf, last: i64) -> rusqlite::Result<usize> {
    let says = &leaf.description;
    let names: serde_json::Value = says.names.iter().map(String::as_str).collect();
    statement.execute(params![
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
        last,
    ])
}
