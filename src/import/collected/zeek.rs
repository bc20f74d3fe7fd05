//! Zeek: `x509.log` and `ssl.log`, tab-separated with their header or as JSON Lines.
//!
//! An `x509.log` has the certificates and no addresses, an `ssl.log` the addresses and names of certificates. Where both
//! are read, they are joined.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::Arc;

use serde_json::Value;

use super::facts::quoted;
use super::{Form, Format, Found, Wrong, facts, json};
use crate::domain::collected::{Claims, Collected, Known};
use crate::domain::time::Timestamp;

/// Certificates of `x509.log` are kept up to so many bytes of lines; beyond that they are told without an address.
const JOIN_MAX: usize = 256 << 20;

/// JSON objects of either log.
pub(super) const FORM: Form =
    Form { format: Format::Zeek, claims, read: |object| object_row(object, None) };

fn claims(object: &Value) -> bool {
    let row = Row::Object(object);
    row.is_connection() || row.is_certificate()
}

/// What an object of either log holds.
pub(super) fn object_row(object: &Value, join: Option<Joining<'_>>) -> Result<Found, Wrong> {
    row(&Row::Object(object), join)
}

/// Certificates of `x509.log` that wait for their connections.
#[derive(Debug, Default)]
pub(super) struct Join {
    waiting: Vec<Waiting>,
    by_name: HashMap<String, usize>,
    bytes: usize,
}

/// A certificate, where it stands, and whether a connection showed it.
#[derive(Debug)]
pub(super) struct Waiting {
    pub(super) file: Arc<str>,
    pub(super) line: usize,
    pub(super) collected: Collected,
    is_shown: bool,
}

/// A join, and the line that comes to it.
pub(super) struct Joining<'a> {
    pub(super) join: &'a mut Join,
    pub(super) file: &'a Arc<str>,
    pub(super) line: usize,
    pub(super) length: usize,
}

impl Join {
    /// The certificates that no connection showed.
    pub(super) fn rest(self) -> impl Iterator<Item = Waiting> {
        self.waiting.into_iter().filter(|waiting| !waiting.is_shown)
    }

    fn certificate(&mut self, name: &str) -> Option<Known> {
        let at = self.by_name.get(&name.to_ascii_lowercase())?;
        let waiting = self.waiting.get_mut(*at)?;
        waiting.is_shown = true;
        Some(waiting.collected.certificate.clone())
    }
}

impl Joining<'_> {
    /// Keeps `found` under its names; gives it back where there is no room. What is known already is not kept twice.
    fn keep(self, names: [Option<Cow<'_, str>>; 2], found: Found) -> Found {
        let names: Vec<String> =
            names.into_iter().flatten().map(|name| name.to_ascii_lowercase()).collect();
        let Join { waiting, by_name, bytes } = self.join;
        if names.is_empty() || *bytes + self.length > JOIN_MAX {
            return found;
        }
        let known = names.iter().find_map(|name| by_name.get(name)).copied();
        for collected in found.entries.into_iter().filter(|_| known.is_none()) {
            *bytes += self.length;
            let file = Arc::clone(self.file);
            waiting.push(Waiting { file, line: self.line, collected, is_shown: false });
        }
        let Some(at) = known.or_else(|| waiting.len().checked_sub(1)) else {
            return Found { doubts: found.doubts, ..Found::default() };
        };
        *bytes += names.iter().map(String::len).sum::<usize>();
        by_name.extend(names.into_iter().map(|name| (name, at)));
        Found { doubts: found.doubts, ..Found::default() }
    }
}

/// Reads the tab-separated form: the header says what the columns are.
#[derive(Debug)]
pub(super) struct Table {
    fields: Vec<String>,
    set_separator: String,
    empty: String,
    unset: String,
}

impl Default for Table {
    fn default() -> Self {
        let text = str::to_owned;
        Self {
            fields: Vec::new(),
            set_separator: text(","),
            empty: text("(empty)"),
            unset: text("-"),
        }
    }
}

/// Whether a line begins the header.
pub(super) fn begins(line: &str) -> bool {
    line.starts_with("#separator ") || line.starts_with("#fields\t")
}

impl Table {
    /// Takes a line of the header or a row.
    pub(super) fn line(&mut self, line: &str, join: Option<Joining<'_>>) -> Result<Found, Wrong> {
        if line.starts_with('#') {
            return self.header(line).map(|()| Found::default());
        }
        if line.is_empty() {
            return Ok(Found::default());
        }
        let cells: Vec<&str> = line.split('\t').take(self.fields.len() + 1).collect();
        if cells.len() != self.fields.len() {
            let (found, expected) = (line.split('\t').count(), self.fields.len());
            return Err(Wrong::of("", format!("{found} columns, where the header has {expected}")));
        }
        row(&Row::Cells(self, cells), join)
    }

    fn header(&mut self, line: &str) -> Result<(), Wrong> {
        if let Some(separator) = line.strip_prefix("#separator ") {
            if separator != "\\x09" {
                return Err(Wrong::of(
                    separator,
                    "columns are separated by something else than tabs (\\x09)",
                ));
            }
            return Ok(());
        }
        let Some((key, value)) = line.split_once('\t') else { return Ok(()) };
        match key {
            "#set_separator" => self.set_separator = value.to_owned(),
            "#empty_field" => self.empty = value.to_owned(),
            "#unset_field" => self.unset = value.to_owned(),
            "#fields" => {
                self.fields = value.split('\t').map(str::to_owned).collect();
                return self.is_of_use();
            }
            _ => {}
        }
        Ok(())
    }

    /// Logs of other things are passed over; those of certificates must name them.
    fn is_of_use(&self) -> Result<(), Wrong> {
        let has = |name: &str| self.fields.iter().any(|field| field == name);
        if has("certificate.serial") && !has("fingerprint") && !has("cert") {
            let message = "no column 'fingerprint' (Zeek 4.1 and later have one) or 'cert' \
                           (policy/protocols/ssl/log-certs-base64)";
            return Err(Wrong::of("#fields", message));
        }
        if has("id.resp_h") && has("cipher") && !has("cert_chain_fps") && !has("cert_chain_fuids") {
            return Err(Wrong::of(
                "#fields",
                "no column 'cert_chain_fps', which names certificates",
            ));
        }
        Ok(())
    }
}

/// A row of either form.
enum Row<'a> {
    Cells(&'a Table, Vec<&'a str>),
    Object(&'a Value),
}

impl Row<'_> {
    fn has(&self, name: &str) -> bool {
        match self {
            Row::Cells(table, _) => table.fields.iter().any(|field| field == name),
            Row::Object(object) => object.get(name).is_some(),
        }
    }

    fn is_connection(&self) -> bool {
        self.has("id.resp_h")
            && ["cert_chain_fps", "cert_chain_fuids", "cipher"].iter().any(|name| self.has(name))
    }

    fn is_certificate(&self) -> bool {
        !self.has("id.resp_h") && (self.has("certificate.serial") || self.has("fingerprint"))
    }

    /// The cell under `name` as it is written, unless it is unset or empty.
    fn cell(&self, name: &str) -> Option<&str> {
        let Row::Cells(table, cells) = self else { return None };
        let at = table.fields.iter().position(|field| field == name)?;
        let cell = cells.get(at).copied()?;
        (cell != table.unset && cell != table.empty && !cell.is_empty()).then_some(cell)
    }

    fn text(&self, name: &str) -> Result<Option<Cow<'_, str>>, Wrong> {
        match self {
            Row::Cells(..) => Ok(self.cell(name).map(unescaped)),
            Row::Object(object) => match json::at(object, &[name]) {
                Some(Value::Number(number)) => Ok(Some(Cow::Owned(number.to_string()))),
                _ => Ok(json::text(object, &[name])?.map(Cow::Borrowed)),
            },
        }
    }

    fn list(&self, name: &str) -> Vec<String> {
        match self {
            Row::Cells(table, _) if table.set_separator.is_empty() => Vec::new(),
            Row::Cells(table, _) => {
                let parts = self.cell(name).map(|cell| cell.split(table.set_separator.as_str()));
                parts.into_iter().flatten().map(|part| unescaped(part).into_owned()).collect()
            }
            Row::Object(object) => json::all_said(object, &[name]),
        }
    }

    fn read<T>(
        &self,
        name: &str,
        read: impl Fn(&str) -> Result<T, Wrong>,
    ) -> Result<Option<T>, Wrong> {
        self.text(name)?.map(|text| read(&text)).transpose()
    }

    /// What is shown and never matched.
    fn said(&self, name: &str) -> Option<String> {
        self.text(name).ok().flatten().map(Cow::into_owned)
    }
}

/// `text` with `\x09` and the like as the octets that they stand for.
fn unescaped(text: &str) -> Cow<'_, str> {
    if !text.contains("\\x") {
        return Cow::Borrowed(text);
    }
    let (mut octets, mut rest) = (Vec::with_capacity(text.len()), text);
    while let Some((before, after)) = rest.split_once("\\x") {
        octets.extend_from_slice(before.as_bytes());
        let digits = after.get(..2).filter(|two| two.bytes().all(|byte| byte.is_ascii_hexdigit()));
        match digits.and_then(|two| u8::from_str_radix(two, 16).ok()) {
            Some(octet) => {
                octets.push(octet);
                rest = after.get(2..).unwrap_or_default();
            }
            None => {
                octets.extend_from_slice(b"\\x");
                rest = after;
            }
        }
    }
    octets.extend_from_slice(rest.as_bytes());
    Cow::Owned(String::from_utf8_lossy(&octets).into_owned())
}

fn row(row: &Row<'_>, join: Option<Joining<'_>>) -> Result<Found, Wrong> {
    if row.is_connection() {
        connection(row, join)
    } else if row.is_certificate() {
        certificate(row, join)
    } else {
        Ok(Found::default())
    }
}

/// A certificate of `x509.log`.
fn certificate(row: &Row<'_>, join: Option<Joining<'_>>) -> Result<Found, Wrong> {
    let mut found = Found::default();
    let fingerprint = row.text("fingerprint")?;
    let mut claims = fingerprint.as_deref().map(hashed).transpose()?.unwrap_or_default();
    let der = row.read("cert", facts::base64)?;
    claims.subject = row.said("certificate.subject");
    claims.issuer = row.said("certificate.issuer");
    claims.serial = row.said("certificate.serial").as_deref().and_then(facts::hex_serial);
    claims.names = [row.list("san.dns"), row.list("san.ip")].concat();
    claims.not_before = row.read("certificate.not_valid_before", time)?;
    claims.not_after = row.read("certificate.not_valid_after", time)?;
    let seen = Collected {
        time: row.read("ts", time)?,
        ..Collected::alone(Known::Hashes(Box::default()))
    };
    facts::add(&mut found, der, claims, seen);
    let id = row.text("id")?;
    Ok(match join {
        Some(join) if !found.entries.is_empty() => join.keep([fingerprint, id], found),
        _ => found,
    })
}

/// A connection of `ssl.log`: the first certificate of its chain is the leaf.
fn connection(row: &Row<'_>, join: Option<Joining<'_>>) -> Result<Found, Wrong> {
    let mut found = Found::default();
    let name_of = |column| row.list(column).into_iter().next();
    let (fingerprint, id) = (name_of("cert_chain_fps"), name_of("cert_chain_fuids"));
    let joined = join.and_then(|Joining { join, .. }| {
        [&fingerprint, &id].into_iter().flatten().find_map(|name| join.certificate(name))
    });
    let name = row.text("server_name")?;
    let seen = Collected {
        time: row.read("ts", time)?,
        address: row.read("id.resp_h", facts::address)?,
        port: row.read("id.resp_p", facts::port)?,
        server_name: name.and_then(|name| facts::server_name(&name, &mut found.doubts)),
        certificate: Known::Hashes(Box::default()),
    };
    if let Some(certificate) = joined {
        found.entries.push(Collected { certificate, ..seen });
    } else if let Some(fingerprint) = fingerprint {
        let mut claims = hashed(&fingerprint)?;
        claims.subject = row.said("subject");
        claims.issuer = row.said("issuer");
        facts::add(&mut found, None, claims, seen);
    } else if let Some(id) = id {
        let message = format!(
            "certificate {} is in no x509.log read before this; give the folder of both",
            quoted(&id)
        );
        found.doubts.push(Wrong::of(&id, message));
    }
    Ok(found)
}

/// The hash that Zeek was told to make: SHA-256, unless somebody chose another.
fn hashed(text: &str) -> Result<Claims, Wrong> {
    let sha1 = facts::sha1(text).ok();
    match facts::sha256(text) {
        Ok(hash) => Ok(Claims { sha256: Some(hash), ..Claims::default() }),
        Err(_) if sha1.is_some() => Ok(Claims { sha1, ..Claims::default() }),
        Err(_) => Err(Wrong::of(
            text,
            format!("{} is no SHA-1 or SHA-256 (40 or 64 hex digits)", quoted(text)),
        )),
    }
}

/// Seconds since 1970, or RFC 3339, as Zeek was told to write times.
fn time(text: &str) -> Result<Timestamp, Wrong> {
    if text.contains('T') { facts::moment(text) } else { facts::epoch(text) }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{SHA1, SHA256, claimed, said, seen, seen_joined};
    use crate::domain::fingerprint::Sha1Fingerprint;

    fn table(fields: &[&str], rows: &[&[&str]]) -> String {
        let head = "#separator \\x09\n#set_separator\t,\n#empty_field\t(empty)\n#unset_field\t-\n#path\tx\n";
        let rows = rows.iter().map(|row| format!("{}\n", row.join("\t")));
        format!("{head}#fields\t{}\n{}#close\tnow\n", fields.join("\t"), rows.collect::<String>())
    }

    const X509: [&str; 6] = [
        "ts",
        "fingerprint",
        "certificate.subject",
        "certificate.serial",
        "certificate.not_valid_after",
        "san.dns",
    ];
    const SSL: [&str; 6] =
        ["ts", "id.orig_h", "id.resp_h", "id.resp_p", "server_name", "cert_chain_fps"];

    #[test]
    fn certificates_are_read_with_what_is_said_of_them() {
        let row = [
            "1795486704.512345",
            SHA256,
            "CN=a\\x2cb",
            "0A1",
            "2145916799.000000",
            "a.example,b.example",
        ];
        let text = table(&X509, &[&row]);
        assert_eq!(seen(&text), [format!("7 zeek 2026-11-24T02:18:24.512Z - - - {SHA256}")]);
        let claims = claimed(&text);
        assert_eq!(
            (claims.subject.as_deref(), claims.serial.as_deref()),
            (Some("CN=a,b"), Some("00a1"))
        );
        assert_eq!(claims.names, ["a.example", "b.example"]);
        assert_eq!(claims.not_after.unwrap().to_string(), "2037-12-31T23:59:59.000Z");
        let json = format!(
            "{{\"ts\":1795486704.512345,\"fingerprint\":\"{SHA1}\",\"certificate.serial\":\"01\",\"san.dns\":[\"a\"]}}\n"
        );
        assert_eq!(seen(&json), [format!("1 zeek 2026-11-24T02:18:24.512Z - - - {SHA1}")]);
        let octets = format!(
            "{{\"ts\":\"2026-11-24T02:18:24Z\",\"fingerprint\":\"{SHA1}\",\"cert\":\"YWJj\"}}\n"
        );
        let abc = Sha1Fingerprint::of(b"abc");
        assert_eq!(seen(&octets), [format!("1 zeek 2026-11-24T02:18:24.000Z - - - {abc}")]);
    }

    #[test]
    fn connections_name_their_leaf_and_where_it_was() {
        let chain = format!("{SHA256},{}", "b".repeat(64));
        let row = ["1795486704.5", "192.0.2.99", "192.0.2.1", "443", "a.example", &chain];
        let without = ["1795486704.5", "192.0.2.99", "192.0.2.1", "443", "-", "(empty)"];
        let text = table(&SSL, &[&row, &without]);
        let expected = "zeek 2026-11-24T02:18:24.500Z 192.0.2.1 443 a.example";
        assert_eq!(seen(&text), [format!("7 {expected} {SHA256}")]);
        let json = format!(
            "{{\"ts\":1795486704.5,\"id.resp_h\":\"192.0.2.1\",\"id.resp_p\":443,\"server_name\":\"a.example\",\
             \"cert_chain_fps\":[\"{SHA256}\"]}}\n"
        );
        assert_eq!(seen(&json), [format!("1 {expected} {SHA256}")]);
    }

    #[test]
    fn logs_of_both_kinds_are_joined() {
        let x509 = table(
            &["ts", "id", "fingerprint", "cert"],
            &[&["1", "Fa", SHA1, "YWJj"], &["2", "Fb", SHA256, "-"], &["3", "Fa", SHA1, "YWJj"]],
        );
        let fields = ["ts", "id.resp_h", "id.resp_p", "cert_chain_fuids"];
        let ssl = table(
            &fields,
            &[&["4", "192.0.2.1", "443", "Fa,Fz"], &["5", "192.0.2.2", "443", "Fz"]],
        );
        let by_hash = table(&SSL, &[&["6", "192.0.2.9", "192.0.2.3", "992", "-", SHA1]]);
        let (seen, said) = seen_joined(&[&x509, &ssl, &by_hash]);
        let abc = Sha1Fingerprint::of(b"abc");
        assert_eq!(
            seen,
            [
                format!("7 zeek 1970-01-01T00:00:04.000Z 192.0.2.1 443 - {abc}"),
                format!("7 zeek 1970-01-01T00:00:06.000Z 192.0.2.3 992 - {abc}"),
                format!("8 zeek 1970-01-01T00:00:02.000Z - - - {SHA256}"),
            ]
        );
        let contradiction = format!(
            "f:7:1: the file says SHA-1 {SHA1}, but its certificate has {abc}, which is taken"
        );
        assert_eq!(said[0], contradiction);
        let unknown =
            "f:8:17: certificate 'Fz' is in no x509.log read before this; give the folder of both";
        assert_eq!(said.last().unwrap(), unknown);
    }

    #[test]
    fn wrong_rows_are_placed() {
        let md5 = "a".repeat(32);
        let rows: [&[&str]; 4] = [
            &["1", "a", "192.0.2", "443", "-", SHA256],
            &["1", "a", "192.0.2.1", "443", "-", &md5],
            &["1", "a", "192.0.2.1"],
            &["x", "a", "192.0.2.1", "443", "-", SHA256],
        ];
        assert_eq!(
            said(&table(&SSL, &rows)),
            [
                "f:7:5: '192.0.2' is no IP address".to_owned(),
                format!("f:8:21: '{md5}' is no SHA-1 or SHA-256 (40 or 64 hex digits)"),
                "f:9:1: 3 columns, where the header has 6".to_owned(),
                "f:10:1: 'x' is no time in seconds since 1970".to_owned(),
            ]
        );
        let old = table(&["ts", "id", "certificate.serial"], &[&["1", "F", "01"]]);
        let message = "f:6:1: no column 'fingerprint' (Zeek 4.1 and later have one) or 'cert' \
                       (policy/protocols/ssl/log-certs-base64)";
        assert_eq!(said(&old), [message]);
        let other = table(&["ts", "id.resp_h", "query"], &[&["1", "192.0.2.1", "a.example"]]);
        assert_eq!((seen(&other), said(&other)), (vec![], vec![]));
    }
}
