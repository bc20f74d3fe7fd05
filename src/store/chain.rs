//! Chains: the certificates that followed a leaf, stored once however many visits saw the same.

use std::collections::HashMap;

use rusqlite::{CachedStatement, Connection, OptionalExtension};

use crate::domain::fingerprint::Sha256Fingerprint;

const FIND: &str = "SELECT id FROM chain_list WHERE hashes = ?1";

const INSERT: &str = "INSERT INTO chain_list (hashes) VALUES (?1)";

/// The rows of the chains of one transaction.
pub(super) struct Chains<'c> {
    connection: &'c Connection,
    find: CachedStatement<'c>,
    /// Those met so far: as many as the batch has visits, at most.
    met: HashMap<&'c [Sha256Fingerprint], i64>,
}

impl<'c> Chains<'c> {
    pub(super) fn new(connection: &'c Connection) -> rusqlite::Result<Self> {
        let find = connection.prepare_cached(FIND)?;
        Ok(Self { connection, find, met: HashMap::new() })
    }

    /// The row of `chain`, made if there is none; `None` if nothing followed the leaf.
    pub(super) fn intern(
        &mut self,
        chain: &'c [Sha256Fingerprint],
    ) -> rusqlite::Result<Option<i64>> {
        if chain.is_empty() {
            return Ok(None);
        }
        if let Some(id) = self.met.get(chain) {
            return Ok(Some(*id));
        }
        let hashes: Vec<u8> = chain.iter().flat_map(|hash| hash.0).collect();
        let id = match self.find.query_row([&hashes], |row| row.get(0)).optional()? {
            Some(id) => id,
            None => self.connection.prepare_cached(INSERT)?.insert([&hashes])?,
        };
        self.met.insert(chain, id);
        Ok(Some(id))
    }
}
