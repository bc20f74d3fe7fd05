//! Endpoints and server names: what was visited, as rows.

use std::net::{IpAddr, Ipv6Addr};

use rusqlite::{CachedStatement, Connection, OptionalExtension, params};

use crate::domain::address::Target;
use crate::domain::observation::Observation;

/// The row of [`server_name`](Observation::server_name) where none was sent.
const NO_NAME: i64 = 0;

/// An endpoint and the server name sent to it, as rows.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place {
    pub(super) endpoint: i64,
    pub(super) server_name: i64,
}

const FIND: &str = "SELECT id FROM endpoint WHERE address_key = ?1 AND port = ?2";

const INSERT: &str = "
INSERT INTO endpoint (address, address_key, port) VALUES (?1, ?2, ?3)
ON CONFLICT (address_key, port) DO NOTHING";

/// The rows of the endpoints of one transaction.
pub(super) struct Endpoints<'c> {
    connection: &'c Connection,
    find: CachedStatement<'c>,
    insert: CachedStatement<'c>,
    /// Whether the last one made or found had a row before: a scan meets mostly new ones or mostly known ones.
    was_stored: bool,
}

impl<'c> Endpoints<'c> {
    pub(super) fn new(connection: &'c Connection) -> rusqlite::Result<Self> {
        let find = connection.prepare_cached(FIND)?;
        let insert = connection.prepare_cached(INSERT)?;
        Ok(Self { connection, find, insert, was_stored: false })
    }

    /// The rows of what `observation` visited, made where there are none.
    pub(super) fn intern(&mut self, observation: &Observation) -> rusqlite::Result<Place> {
        let target = observation.target;
        let stored = if self.was_stored { self.find(target)? } else { None };
        let endpoint = match stored {
            Some(id) => id,
            None => self.insert(target)?,
        };
        place(self.connection, endpoint, observation)
    }

    /// The row of `target`, if it has one.
    pub(super) fn find(&mut self, target: Target) -> rusqlite::Result<Option<i64>> {
        let place = params![key(target.address), target.port];
        self.find.query_row(place, |row| row.get(0)).optional()
    }

    /// Makes the row of `target`, unless there is one.
    fn insert(&mut self, target: Target) -> rusqlite::Result<i64> {
        let key = key(target.address);
        let text = target.address.to_canonical().to_string();
        self.was_stored = self.insert.execute(params![text, key, target.port])? == 0;
        if self.was_stored {
            return self.find.query_row(params![key, target.port], |row| row.get(0));
        }
        Ok(self.connection.last_insert_rowid())
    }
}

/// The row `endpoint` with that of the server name which `observation` sent, made if there is none.
pub(super) fn place(
    connection: &Connection,
    endpoint: i64,
    observation: &Observation,
) -> rusqlite::Result<Place> {
    Ok(Place { endpoint, server_name: intern_name(connection, observation)? })
}

fn intern_name(connection: &Connection, observation: &Observation) -> rusqlite::Result<i64> {
    let Some(name) = &observation.server_name else { return Ok(NO_NAME) };
    let known = connection
        .prepare_cached("SELECT id FROM server_name WHERE name = ?1")?
        .query_row([name.as_str()], |row| row.get(0))
        .optional()?;
    match known {
        Some(id) => Ok(id),
        None => {
            let mut insert =
                connection.prepare_cached("INSERT INTO server_name (name) VALUES (?1)")?;
            insert.insert([name.as_str()])
        }
    }
}

/// The 16 bytes that `address` is ordered by, IPv4 as `::ffff:a.b.c.d`.
fn key(address: IpAddr) -> [u8; 16] {
    match address {
        IpAddr::V4(v4) => v4.to_ipv6_mapped().octets(),
        IpAddr::V6(v6) => v6.octets(),
    }
}

/// The address that `key` stands for.
pub(super) fn address_of(key: [u8; 16]) -> IpAddr {
    IpAddr::V6(Ipv6Addr::from(key)).to_canonical()
}
