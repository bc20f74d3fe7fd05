//! `certsweep show`: the timeline of one address, port by port.

use std::net::{IpAddr, SocketAddr};

use super::args::{ShowArgs, ShowFormat};
use super::exit::{Exit, Failure};
use super::search::{indicators, moment, sources};
use super::{probe, settings, terminal};
use crate::domain::query::{Stretch, stretches};
use crate::domain::record;
use crate::domain::text::{defang_address, defang_name, escape};
use crate::domain::when::{self, Edge};
use crate::engine::Clock;

/// Runs `show`.
pub(super) fn run(args: &ShowArgs) -> Result<Exit, Failure> {
    let now = Clock::start().wall();
    let (address, port) = place(&args.place)?;
    let bound = |flag: &str, text: &Option<String>, edge| {
        let moment = text.as_deref().map(|text| when::moment(text, edge, now)).transpose();
        moment.map_err(|why| Failure::usage(format!("{flag}: {why}")))
    };
    let seen =
        (bound("--since", &args.since, Edge::Begin)?, bound("--until", &args.until, Edge::End)?);
    let ledger = settings::ledger(&args.ledger)?;
    let visits = ledger.visits_of(address, port, seen)?;
    let text = match args.format {
        ShowFormat::Human => human(address, &stretches(visits)),
        ShowFormat::Jsonl => {
            let line = |stretch: &Stretch| format!("{}\n", record::stretch(address, stretch));
            stretches(visits).iter().map(line).collect()
        }
        ShowFormat::Pem => {
            let ders = ledger.certificates_of(address, port, seen)?;
            ders.iter().map(|der| probe::pem(der)).collect()
        }
    };
    terminal::print(&text).map(|()| Exit::Done)
}

fn place(text: &str) -> Result<(IpAddr, Option<u16>), Failure> {
    if let Ok(address) = text.parse() {
        return Ok((address, None));
    }
    match text.parse::<SocketAddr>() {
        Ok(endpoint) => Ok((endpoint.ip(), Some(endpoint.port()))),
        Err(_) => Err(Failure::usage(format!(
            "'{}' is no address such as 192.0.2.1, 192.0.2.1:443 or [2001:db8::1]:443; names are not looked up",
            escape(text)
        ))),
    }
}

fn human(address: IpAddr, stretches: &[Stretch]) -> String {
    let mut text = format!("{}\n", defang_address(address));
    if stretches.is_empty() {
        text.push_str("\nnothing is remembered of it\n");
    }
    for same in stretches.chunk_by(|a, b| a.first.port == b.first.port) {
        text.push_str(&format!("\nport {}\n{}\n", same[0].first.port, table(same)));
    }
    text
}

fn table(stretches: &[Stretch]) -> String {
    let mut table = terminal::table();
    table.set_header([
        "first",
        "last",
        "visits",
        "outcome",
        "certificate",
        "TLS",
        "evidence",
        "indicator",
        "source",
        "seen by",
    ]);
    for stretch in stretches {
        let visit = &stretch.first;
        let outcome = match &visit.detail {
            Some(detail) => format!("{}\n{}", visit.outcome, escape(detail)),
            None => visit.outcome.clone(),
        };
        let (version, suite) = &visit.tls;
        let tls: Vec<&str> = [version, suite].into_iter().flatten().map(String::as_str).collect();
        table.add_row([
            moment(Some(visit.time)),
            moment(Some(stretch.last)),
            stretch.visits.to_string(),
            outcome,
            certificate(stretch),
            tls.iter().map(|word| escape(word)).collect::<Vec<_>>().join("\n"),
            visit.evidence().to_owned(),
            indicators(&visit.matches),
            sources(&visit.matches),
            seen_by(stretch),
        ]);
    }
    table.to_string()
}

/// Fingerprint and name, and the server name that was sent.
fn certificate(stretch: &Stretch) -> String {
    let visit = &stretch.first;
    let mut lines = Vec::new();
    if let Some(leaf) = &visit.certificate {
        lines.extend(leaf.sha1.map(|hash| format!("sha1:{hash}")));
        lines.extend(leaf.common_name.as_deref().map(|name| escape(&defang_name(name))));
    }
    let asked = visit.server_name.as_deref();
    lines.extend(asked.map(|name| format!("asked for {}", escape(&defang_name(name)))));
    if lines.is_empty() { "-".to_owned() } else { lines.join("\n") }
}

/// The vantage, the scope, and the scan of the last visit.
fn seen_by(stretch: &Stretch) -> String {
    let (scope, _) = &stretch.first.scope;
    format!("{} / {}\n{}", escape(&stretch.first.vantage), escape(scope), stretch.last_scan)
}
