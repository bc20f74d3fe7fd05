//! Endpoints and server names: what was visited, as numbers.
//!
//! The number of an IPv4 endpoint is computed and has no row; IPv6 addresses have their numbers from `address6`.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use rusqlite::{CachedStatement, Connection, OptionalExtension, Row};

use crate::domain::address::{Family, Target};
use crate::domain::observation::Observation;
use crate::domain::ranges::Range;
use crate::domain::server_name::ServerName;

/// The row of [`server_name`](Observation::server_name) where none was sent.
const NO_NAME: i64 = 0;

/// Bits of an endpoint's number that are its port.
const PORT_BITS: u32 = 16;

/// An endpoint's number and the row of the server name sent to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Place {
    pub(super) endpoint: i64,
    pub(super) server_name: i64,
}

const FIND: &str = "SELECT number FROM address6 WHERE address_key = ?1";

const INSERT: &str = "
INSERT INTO address6 (number, address, address_key)
SELECT ifnull(max(number), 4294967295) + 1, ?1, ?2 FROM address6";

/// The endpoints of one transaction.
pub(super) struct Endpoints<'c> {
    find: CachedStatement<'c>,
    connection: &'c Connection,
}

impl<'c> Endpoints<'c> {
    pub(super) fn new(connection: &'c Connection) -> rusqlite::Result<Self> {
        Ok(Self { find: connection.prepare_cached(FIND)?, connection })
    }

    /// The number of `target`; its address is given one if it has none.
    pub(super) fn intern(&mut self, target: Target) -> rusqlite::Result<i64> {
        if let Some(known) = self.find(target)? {
            return Ok(known);
        }
        let address = target.address;
        let key = match address {
            IpAddr::V4(v4) => v4.to_ipv6_mapped().octets(),
            IpAddr::V6(v6) => v6.octets(),
        };
        let mut insert = self.connection.prepare_cached(INSERT)?;
        insert.execute((address.to_string(), key))?;
        Ok(number(self.connection.last_insert_rowid(), target.port))
    }

    /// The number of `target`, if its address has one.
    pub(super) fn find(&mut self, target: Target) -> rusqlite::Result<Option<i64>> {
        let found = match target.address.to_canonical() {
            IpAddr::V4(v4) => Some(i64::from(v4.to_bits())),
            IpAddr::V6(v6) => self.find.query_row([v6.octets()], |row| row.get(0)).optional()?,
        };
        Ok(found.map(|address| number(address, target.port)))
    }
}

/// The number of the endpoint at `port` of the address with the number `address`.
const fn number(address: i64, port: u16) -> i64 {
    address << PORT_BITS | port as i64
}

/// The number of the address of `endpoint`.
pub(super) const fn address_number(endpoint: i64) -> i64 {
    endpoint >> PORT_BITS
}

/// The row of the server name which `observation` sent, made if there is none.
pub(super) fn intern_name(
    connection: &Connection,
    observation: &Observation,
) -> rusqlite::Result<i64> {
    intern_server_name(connection, observation.server_name.as_ref())
}

/// The row of the server name `name`, made if there is none.
pub(super) fn intern_server_name(
    connection: &Connection,
    name: Option<&ServerName>,
) -> rusqlite::Result<i64> {
    let Some(name) = name else { return Ok(NO_NAME) };
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

/// Every address of `family`.
pub(super) const fn every(family: Family) -> Range {
    let last = match family {
        Family::V4 => u32::MAX as u128,
        Family::V6 => u128::MAX,
    };
    Range { family, first: 0, last }
}

/// The numbers of the endpoints at the addresses of `range`: first and last of each run of them, in order of addresses.
pub(super) fn bounds(connection: &Connection, range: &Range) -> rusqlite::Result<Vec<(i64, i64)>> {
    const SELECT: &str =
        "SELECT number FROM address6 WHERE address_key BETWEEN ?1 AND ?2 ORDER BY address_key";
    let ports = |address| (number(address, 0), number(address, u16::MAX));
    if range.family == Family::V4 {
        let first = |address: u128| number(address as u32 as i64, 0);
        return Ok(vec![(first(range.first), first(range.last) | i64::from(u16::MAX))]);
    }
    let mut select = connection.prepare_cached(SELECT)?;
    let key = |address: u128| address.to_be_bytes();
    let numbers = select.query_map([key(range.first), key(range.last)], |row| row.get(0))?;
    numbers.map(|number| number.map(ports)).collect()
}

/// The target of a row with the columns `endpoint_id` and `address_key`, which is that of `address6` or NULL.
pub(super) fn target(row: &Row<'_>) -> rusqlite::Result<Target> {
    let endpoint: i64 = row.get("endpoint_id")?;
    let key: Option<[u8; 16]> = row.get("address_key")?;
    let address = match key {
        Some(key) => IpAddr::V6(Ipv6Addr::from(key)),
        // The bits above are those of numbers that address6 gave.
        None => IpAddr::V4(Ipv4Addr::from_bits(address_number(endpoint) as u32)),
    };
    Ok(Target::new(address, endpoint as u16))
}
