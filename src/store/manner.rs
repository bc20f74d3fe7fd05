//! Manners: the words of visits, how each was asked and how it ended, stored once however many visits share them.

use std::borrow::Cow;

use rusqlite::{CachedStatement, Connection, OptionalExtension, params};

use super::visit::sole;
use crate::domain::observation::Observation;
use crate::domain::tls::Request;

/// Those met last that are kept at hand. Nearly all visits of a scan are alike in a handful of ways; the rest, however
/// many ways hostile servers find, are looked up.
const KEPT: usize = 16;

const FIND: &str = "
SELECT id FROM manner
WHERE outcome = ?1 AND detail IS ?2 AND ended IS ?3 AND tls_version IS ?4 AND cipher_suite IS ?5
    AND client IS ?6 AND offer IS ?7 AND request IS ?8";

const INSERT: &str = "
INSERT INTO manner (outcome, detail, ended, tls_version, cipher_suite, client, offer, request)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)";

/// The words of a visit, as its row of `manner` holds them.
#[derive(Debug, PartialEq, Eq)]
struct Manner {
    outcome: &'static str,
    detail: Option<String>,
    ended: Option<&'static str>,
    tls_version: Option<&'static str>,
    cipher_suite: Option<Cow<'static, str>>,
    client: Option<&'static str>,
    offer: Option<&'static str>,
    request: Option<&'static str>,
}

impl Manner {
    fn of(seen: &Observation) -> Self {
        let sole = sole(seen);
        Self {
            outcome: seen.outcome.word(),
            detail: seen.outcome.detail(),
            ended: seen.ended.as_ref().map(|outcome| outcome.word()),
            tls_version: seen.tls.as_ref().map(|tls| tls.version),
            cipher_suite: seen.tls.as_ref().map(|tls| tls.cipher_suite.clone()),
            client: sole.map(|made| made.asked.client()),
            offer: sole.map(|made| made.asked.offer()),
            request: sole.and_then(|made| made.request).map(Request::word),
        }
    }
}

/// The rows of the manners of one transaction.
pub(super) struct Manners<'c> {
    connection: &'c Connection,
    find: CachedStatement<'c>,
    /// At most [`KEPT`].
    met: Vec<(Manner, i64)>,
}

impl<'c> Manners<'c> {
    pub(super) fn new(connection: &'c Connection) -> rusqlite::Result<Self> {
        let find = connection.prepare_cached(FIND)?;
        Ok(Self { connection, find, met: Vec::with_capacity(KEPT) })
    }

    /// The row of the words of `observation`, made if there is none.
    pub(super) fn intern(&mut self, observation: &Observation) -> rusqlite::Result<i64> {
        let manner = Manner::of(observation);
        if let Some((_, id)) = self.met.iter().find(|(met, _)| *met == manner) {
            return Ok(*id);
        }
        let id = self.look_up(&manner)?;
        if self.met.len() == KEPT {
            self.met.clear();
        }
        self.met.push((manner, id));
        Ok(id)
    }

    fn look_up(&mut self, manner: &Manner) -> rusqlite::Result<i64> {
        let words = params![
            manner.outcome,
            manner.detail,
            manner.ended,
            manner.tls_version,
            manner.cipher_suite.as_deref(),
            manner.client,
            manner.offer,
            manner.request,
        ];
        match self.find.query_row(words, |row| row.get(0)).optional()? {
            Some(id) => Ok(id),
            None => self.connection.prepare_cached(INSERT)?.insert(words),
        }
    }
}
