//! What a search found, as people and spreadsheets read it.

use std::io::{self, Write};

use crate::cli::terminal;
use crate::domain::query::{Certificate, Found, Matched, Why};
use crate::domain::text::{counted, defang_address, defang_name, escape, harmless};
use crate::domain::time::Timestamp;

/// A heading for each certificate, and under it a row for each address.
pub(super) fn text(found: &[Found]) -> String {
    if found.is_empty() {
        return "nothing found\n".to_owned();
    }
    let mut sections = Vec::new();
    for same in found.chunk_by(|a, b| a.certificate == b.certificate) {
        sections.push(format!("{}\n{}\n", heading(&same[0].certificate), rows(same)));
    }
    let addresses = counted(found.len() as u128, "row", "rows");
    format!("{}\n{addresses}\n", sections.join("\n"))
}

/// `sha1:7992...  vpn437972693.sednc[.]cn`, then the other hash, if both are known.
fn heading(certificate: &Certificate) -> String {
    let sha1 = certificate.sha1.map(|hash| format!("sha1:{hash}"));
    let sha256 = certificate.sha256.map(|hash| format!("sha256:{hash}"));
    let name = certificate.common_name.as_deref().or(certificate.subject.as_deref());
    let name = name.map_or("(no name)".to_owned(), |name| escape(&defang_name(name)));
    match (sha1, sha256) {
        (Some(sha1), Some(sha256)) => format!("{sha1}  {name}\n{sha256}"),
        (one, other) => format!("{}  {name}", one.or(other).unwrap_or_default()),
    }
}

fn rows(found: &[Found]) -> String {
    let has_reasons = found.iter().any(|found| !found.why.is_empty());
    let mut table = terminal::table();
    let mut header = vec![
        "address",
        "ports",
        "first seen",
        "last seen",
        "count",
        "evidence",
        "indicator",
        "source",
        "seen by",
    ];
    if has_reasons {
        header.push("why");
    }
    table.set_header(header);
    for found in found {
        let mut row = vec![
            found.address.map_or("-".to_owned(), defang_address),
            places(found),
            moment(found.first_seen),
            moment(found.last_seen),
            found.count.to_string(),
            found.evidence().to_owned(),
            indicators(&found.matches),
            sources(&found.matches),
            seers(found),
        ];
        if has_reasons {
            row.push(found.why.iter().map(reason).collect::<Vec<_>>().join("\n"));
        }
        table.add_row(row);
    }
    table.to_string()
}

/// `443 992`, and under it the server names that were sent.
fn places(found: &Found) -> String {
    let ports: Vec<String> = found.ports.iter().map(u16::to_string).collect();
    let mut lines = vec![if ports.is_empty() { "-".to_owned() } else { ports.join(" ") }];
    let names = found.server_names.iter().filter(|name| !name.is_empty());
    lines.extend(names.map(|name| escape(&defang_name(name))));
    lines.join("\n")
}

/// To the second: nobody reads more in a table.
pub(in crate::cli) fn moment(moment: Option<Timestamp>) -> String {
    moment.map_or("-".to_owned(), |moment| {
        let text = moment.to_string();
        text.get(..19).map_or(text.clone(), |seconds| seconds.replace('T', " "))
    })
}

/// `A sha1:7992c0a8...`; a line for each.
pub(in crate::cli) fn indicators(matches: &[Matched]) -> String {
    let line = |found: &Matched| {
        let indicator = match found.indicator.split_once(':') {
            Some((kind, hash))
                if hash.len() >= 40 && hash.bytes().all(|b| b.is_ascii_hexdigit()) =>
            {
                format!("{kind}:{}\u{2026}", &hash[..8])
            }
            _ => escape(&defang_name(&found.indicator)),
        };
        format!("{} {indicator}", found.tier.letter())
    };
    unless_empty(matches.iter().map(line).collect())
}

pub(in crate::cli) fn sources(matches: &[Matched]) -> String {
    let line = |found: &Matched| format!("{} / {}", escape(&found.set), escape(&found.source));
    unless_empty(matches.iter().map(line).collect())
}

fn seers(found: &Found) -> String {
    let line = |seer: &crate::domain::query::Seer| {
        let name = escape(&seer.name);
        if seer.is_import { format!("{name} (import)") } else { name }
    };
    unless_empty(found.by.iter().map(line).collect())
}

fn unless_empty(lines: Vec<String>) -> String {
    if lines.is_empty() { "-".to_owned() } else { lines.join("\n") }
}

fn reason(why: &Why) -> String {
    escape(&defang_name(&why.to_string()))
}

const HEADER: [&str; 19] = [
    "sha1",
    "sha256",
    "spki_sha256",
    "common_name",
    "subject",
    "issuer",
    "serial",
    "not_before",
    "not_after",
    "address",
    "ports",
    "server_names",
    "first_seen",
    "last_seen",
    "count",
    "evidence",
    "matches",
    "seen_by",
    "why",
];

/// One certificate at one address a line; `watched` by people, nothing reaches their terminal that moves it.
pub(super) fn csv(out: impl Write, found: &[Found], watched: bool) -> io::Result<()> {
    let mut out = csv::Writer::from_writer(out);
    out.write_record(HEADER)?;
    for found in found {
        let cells = cells(found);
        if watched {
            out.write_record(cells.map(|cell| harmless(&cell)))?;
        } else {
            out.write_record(cells)?;
        }
    }
    out.flush()
}

fn cells(found: &Found) -> [String; 19] {
    let known = &found.certificate;
    let hash = |hash: Option<String>| hash.unwrap_or_default();
    let text = |text: &Option<String>| text.clone().unwrap_or_default();
    let time = |time: Option<Timestamp>| time.map(|time| time.to_string()).unwrap_or_default();
    let joined = |items: Vec<String>| items.join(" ");
    let matched = |found: &Matched| {
        format!("{}/{}/{}/{}", found.tier.letter(), found.set, found.indicator, found.source)
    };
    [
        hash(known.sha1.map(|hash| hash.to_string())),
        hash(known.sha256.map(|hash| hash.to_string())),
        hash(known.spki_sha256.map(|hash| hash.to_string())),
        text(&known.common_name),
        text(&known.subject),
        text(&known.issuer),
        text(&known.serial),
        time(known.not_before),
        time(known.not_after),
        found.address.map(|address| address.to_string()).unwrap_or_default(),
        joined(found.ports.iter().map(u16::to_string).collect()),
        joined(found.server_names.iter().filter(|name| !name.is_empty()).cloned().collect()),
        time(found.first_seen),
        time(found.last_seen),
        found.count.to_string(),
        found.evidence().to_owned(),
        joined(found.matches.iter().map(matched).collect()),
        joined(found.by.iter().map(|seer| seer.name.clone()).collect()),
        found.why.iter().map(Why::to_string).collect::<Vec<_>>().join("; "),
    ]
}
