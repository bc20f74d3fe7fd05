//! The matrix as a table: written, printed, and held against the one that is kept.

use std::fmt::Write as _;
use std::io::Write as _;
use std::path::Path;

use serde_json::Value;

use super::Row;

/// Where the table is kept.
const KEPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/reach.md");

/// Writes the table anew instead of holding it against the kept one.
const BLESS: &str = "CERTSWEEP_BLESS";

const INTRODUCTION: &str = "\
# Reach: real servers, and what each handshake gets from them

`tests/real/matrix` starts these servers from Debian 12's packages and sweeps them with each `--handshake`. It fails
when a SHA-1 is not the one of the server's certificate, when a leaf is not read that `openssl s_client` is shown, when
a visit ends otherwise than it should, or when this page says something else. `CERTSWEEP_BLESS=1` makes it write the
page.

- **leaf** is our own client, to the certificate and not to a proof. **auto** begins like it, and completes
  the handshake where the leaf is one that is looked for, as all are here. **full** completes it in any case, with rustls
  where it can. **rustls** is what rustls alone makes of the server, for contrast.
- A cell has version, suite and evidence, which the README explains, or how the visit ended without a certificate.
  *Then* says what came after the leaf.
- **agree** says whether leaf and full come to the same outcome and fingerprint. *Two leaves*: the server holds two, and
  either is right.
- **s_client** says whether OpenSSL 3.0 reads the leaf, with all its suites, at security level 0, without a server name.
- Servers that want a name show nobody their leaf here, because no names are sent.
";

/// The whole page.
pub(super) fn write(families: &[(&str, Vec<Row<'_>>)]) -> String {
    let mut page = INTRODUCTION.to_owned();
    let rows = || families.iter().flat_map(|(_, rows)| rows);
    let got = |index: usize| rows().filter(|row| Row::sha1(&row.seen[index]).is_some()).count();
    let rustls = rows().filter(|row| row.rustls()["outcome"] == "certificate").count();
    let theirs = rows().filter(|row| row.s_client.is_some()).count();
    writeln!(
        page,
        "\nOf {} servers auto reads the leaf of {}, leaf of {}, full of {}, rustls alone of {rustls}, and \
         s_client of {theirs}.",
        rows().count(),
        got(0),
        got(1),
        got(2)
    )
    .unwrap();
    for (family, rows) in families {
        writeln!(
            page,
            "\n## {family}\n\n| server | leaf | auto | full | rustls | agree | s_client |\n\
             | --- | --- | --- | --- | --- | --- | --- |"
        )
        .unwrap();
        for row in rows {
            let [auto, leaf, full] = row.seen.each_ref().map(cell);
            let s_client = if row.s_client.is_some() { "yes" } else { "no" };
            let (name, agree) = (row.server.name, row.agree());
            let rustls = ending(row.rustls());
            writeln!(
                page,
                "| {name} | {leaf} | {auto} | {full} | {rustls} | {agree} | {s_client} |"
            )
            .unwrap();
        }
    }
    page
}

/// What a visit saw, in a few words.
fn cell(seen: &Value) -> String {
    if seen["outcome"] != "certificate" {
        return ending(seen);
    }
    let evidence = &seen["evidence"];
    let proof = match (evidence["key_proven"].as_bool(), &evidence["handshake_finished"]) {
        (Some(true), Value::Bool(true)) => "key proven, finished",
        (Some(true), _) => "key proven",
        (Some(false), _) => "NOT proven",
        (None, Value::Bool(true)) => "finished",
        (None, _) => "presented",
    };
    let why = evidence["unproven"].as_str().map_or(String::new(), |why| format!(" ({why})"));
    let then = match &seen["ended"] {
        Value::Null => String::new(),
        ended => format!(", then {}", word(ended)),
    };
    let tls = &seen["tls"];
    format!("{} {}, {proof}{why}{then}", word(&tls["version"]), word(&tls["cipher_suite"]))
}

/// How a visit or an attempt ended.
fn ending(seen: &Value) -> String {
    let detail = &seen["detail"];
    let detail = detail["description"].as_str().or(detail["protocol"].as_str());
    match detail {
        Some(detail) => format!("{}: {detail}", word(&seen["outcome"])),
        None => word(&seen["outcome"]),
    }
}

fn word(value: &Value) -> String {
    value.as_str().unwrap_or("-").to_owned()
}

/// Shows the table to who runs the test.
pub(super) fn print(page: &str) {
    std::io::stdout().write_all(page.as_bytes()).unwrap();
}

/// Holds the table against the one that is kept, or keeps it.
pub(super) fn keep(page: &str) {
    if std::env::var_os(BLESS).is_some() {
        return std::fs::write(Path::new(KEPT), page).unwrap();
    }
    let kept = std::fs::read_to_string(KEPT).unwrap_or_default();
    let differs = |(line, now): &(usize, &str)| kept.lines().nth(*line) != Some(*now);
    let changed: Vec<&str> = page.lines().enumerate().filter(differs).map(|(_, now)| now).collect();
    assert!(
        kept == page,
        "docs/reach.md says otherwise; {BLESS}=1 writes it anew:\n{}",
        changed.join("\n")
    );
}
