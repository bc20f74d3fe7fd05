//! Leaf certificates, each stored once.

use rusqlite::{Connection, OptionalExtension, named_params};

use crate::domain::cert::Leaf;
use crate::domain::time::Timestamp;

const FIND: &str = "SELECT id FROM certificate WHERE sha256 = ?1";

const INSERT: &str = "
INSERT INTO certificate (
    sha256, sha1, spki_sha256, der, subject, issuer, common_name, names, serial, not_before,
    not_after, key, signature_algorithm, self_signed, softether_default, parse_error, first_stored
) VALUES (
    :sha256, :sha1, :spki_sha256, :der, :subject, :issuer, :common_name, :names, :serial,
    :not_before, :not_after, :key, :signature_algorithm, :self_signed, :softether_default,
    :parse_error, :first_stored
)";

/// The row of `leaf`, made at `time` if there is none.
///
/// A row that exists is not touched: the same bytes say the same of themselves.
pub(super) fn intern(
    connection: &Connection,
    leaf: &Leaf,
    time: Timestamp,
) -> rusqlite::Result<i64> {
    let known =
        connection.prepare_cached(FIND)?.query_row([leaf.sha256.0], |row| row.get(0)).optional()?;
    match known {
        Some(id) => Ok(id),
        None => insert(connection, leaf, time),
    }
}

fn insert(connection: &Connection, leaf: &Leaf, time: Timestamp) -> rusqlite::Result<i64> {
    let says = &leaf.description;
    let names: serde_json::Value = says.names.iter().map(String::as_str).collect();
    connection.prepare_cached(INSERT)?.insert(named_params! {
        ":sha256": leaf.sha256.0,
        ":sha1": leaf.sha1.0,
        ":spki_sha256": leaf.spki_sha256.map(|hash| hash.0),
        ":der": leaf.der,
        ":subject": says.subject,
        ":issuer": says.issuer,
        ":common_name": says.common_name,
        ":names": names.to_string(),
        ":serial": says.serial,
        ":not_before": says.not_before.map(Timestamp::micros),
        ":not_after": says.not_after.map(Timestamp::micros),
        ":key": says.key,
        ":signature_algorithm": says.signature_algorithm,
        ":self_signed": says.self_signed,
        ":softether_default": says.softether_default,
        ":parse_error": says.parse_error,
        ":first_stored": time.micros(),
    })
}
