//! `certsweep probe`: one endpoint, everything that one visit shows.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use ipnet::IpNet;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::args::{ProbeArgs, ProbeFormat};
use super::exit::{Exit, Failure};
use super::{asking, scan, session, settings, source, terminal};
use crate::domain::address::Target;
use crate::domain::cert::Leaf;
use crate::domain::coverage::Coverage;
use crate::domain::indicator::Index;
use crate::domain::observation::{Evidence, Observation, Unproven};
use crate::domain::plan::{Plan, Tempo};
use crate::domain::ports::PortSet;
use crate::domain::record::{self, Origin};
use crate::domain::scan::Shard;
use crate::domain::scope::Scope;
use crate::domain::softether::SoftetherServer;
use crate::domain::targets::{Entry, TargetList};
use crate::domain::text::{defang_name, defang_target, escape};
use crate::domain::tls::Limits;
use crate::engine::{self, Clock, Event, Prober, RunEnd};

/// Batches of events between engine and collector.
const QUEUE: usize = 16;

/// Runs `probe`.
pub(super) fn run(args: &ProbeArgs) -> Result<Exit, Failure> {
    let runtime = session::runtime()?;
    let _entered = runtime.enter();
    let target = endpoint(&args.endpoint)?;
    let sets = source::indicator_sets(&args.indicators)?;
    let policy = asking::policy(&args.asking, args.handshake, &sets)?;
    let index = Arc::new(Index::new(&sets));
    let scope = scope(args, target)?;
    let timeout = settings::timeout(args.timeout)?;
    let plan = plan(scope, target, timeout)?;
    let prober = session::prober(policy, plan.tempo.limits, timeout, index)?;
    let observations = runtime.block_on(visit(plan, prober))?;
    let text = match args.format {
        ProbeFormat::Human => observations.iter().map(human).collect::<Vec<_>>().join("\n"),
        ProbeFormat::Jsonl => {
            let origin = Origin { scan: None, vantage: "default" };
            let record = |seen| format!("{}\n", record::observation(origin, seen));
            observations.iter().map(record).collect()
        }
        ProbeFormat::Pem => pems(&observations)?,
    };
    terminal::print(&text).map(|()| Exit::Done)
}

/// A sweep of `target` alone: a visit may take many connections, which keep the scope's rates like any others.
fn plan(scope: Scope, target: Target, timeout: Duration) -> Result<Plan, Failure> {
    let tempo = Tempo {
        rate: scope.rate.or_else(|| scope.default_rate()),
        rate_per_prefix: scope.rate_per_prefix.or_else(|| scope.default_rate_per_prefix()),
        connect_timeout: timeout,
        limits: Limits { handshake: timeout, ..Limits::default() },
        ..Tempo::default()
    };
    let range = IpNet::from(target.address).into();
    let alone = Entry { range, port: Some(target.port), at: (1, 1) };
    let targets = TargetList::within(&scope, "the endpoint", &[alone])?;
    let ports = PortSet::from_iter([target.port]);
    Ok(Plan::new(scope, ports, Some(targets), (0, Shard::WHOLE), tempo)?)
}

/// Every attempt that the visit calls for.
async fn visit(plan: Plan, prober: Prober) -> Result<Vec<Observation>, Failure> {
    let (sender, mut events) = mpsc::channel(QUEUE);
    let stop = CancellationToken::new();
    let run = engine::run(Arc::new(plan), Coverage::default(), prober, sender, stop);
    let run = tokio::spawn(run);
    let (mut observations, mut fault) = (Vec::new(), None);
    while let Some(batch) = events.recv().await {
        for event in batch {
            match event {
                Event::Observed { observations: told, .. } => observations.extend(told),
                Event::Fault(told) => fault = Some(told.message),
                Event::Skipped { .. } | Event::Slowed { .. } | Event::Recovered { .. } => {}
            }
        }
    }
    match run.await.map_err(|error| Failure::local(format!("the engine: {error}")))?.end {
        _ if !observations.is_empty() => Ok(observations),
        RunEnd::Refused(refusal) => Err(refusal.into()),
        RunEnd::Starved(error) => {
            Err(Failure::local(format!("cannot connect from this machine: {error}")))
        }
        RunEnd::Complete | RunEnd::Stopped | RunEnd::Broken => {
            let fault = fault.unwrap_or_else(|| "nothing was seen".to_owned());
            Err(Failure::local(format!("a fault in certsweep: {fault}; please report this")))
        }
    }
}

fn endpoint(text: &str) -> Result<Target, Failure> {
    let endpoint: SocketAddr = text.parse().map_err(|_| {
        Failure::usage(format!(
            "'{}' is no endpoint such as 192.0.2.1:443 or [2001:db8::1]:443; names are not looked up",
            escape(text)
        ))
    })?;
    if matches!(endpoint, SocketAddr::V6(v6) if v6.scope_id() != 0) {
        return Err(Failure::usage(
            "an address with a zone (%) cannot be probed; zones are left out of scopes",
        ));
    }
    if endpoint.port() == 0 {
        return Err(Failure::usage("port 0 cannot be probed; ports go from 1 to 65535"));
    }
    Ok(Target::new(endpoint.ip(), endpoint.port()))
}

/// The given scope, or one of the endpoint alone. The visit asks it again.
fn scope(args: &ProbeArgs, target: Target) -> Result<Scope, Failure> {
    let ports = PortSet::from_iter([target.port]);
    let now = Clock::start().wall();
    let alone = [target.address.to_string()];
    let include: &[String] = if args.scope.scope.is_some() { &[] } else { &alone };
    let scope = source::scope(&args.scope, (include, &[]), Some(&ports), now)?;
    scope.permits(target, now)?;
    Ok(scope)
}

fn human(observation: &Observation) -> String {
    let Observation { evidence, timing, .. } = observation;
    let mut rows = vec![
        ("endpoint", defang_target(observation.target)),
        ("time", observation.time.to_string()),
        (
            "outcome",
            format!("{}{}", observation.outcome, parenthesis(observation.outcome.detail())),
        ),
    ];
    if let Some(name) = &observation.server_name {
        rows.insert(1, ("server name", defang_name(name.as_str())));
    }
    if let Some(ended) = &observation.ended {
        rows.push(("ended", format!("{ended}{}", parenthesis(ended.detail()))));
    }
    if let Some(tls) = &observation.tls {
        rows.push(("TLS", format!("{} with {}", tls.version, tls.cipher_suite)));
    }
    if let Some(leaf) = &observation.leaf {
        let proven = match evidence.key_proven {
            Some(true) => "key proven in this handshake".to_owned(),
            Some(false) => {
                "the signature over this handshake does NOT check: key not held".to_owned()
            }
            None => format!("key not proven ({})", unproven(*evidence)),
        };
        let finished = if evidence.handshake_finished { "finished" } else { "not finished" };
        rows.push(("evidence", format!("{proven}; handshake {finished}")));
        rows.extend(described(leaf));
        for (at, hash) in observation.chain.iter().enumerate() {
            rows.push(("chain", format!("{} sha256:{hash}", at + 1)));
        }
    }
    for found in &observation.matches {
        let label = found
            .label
            .as_deref()
            .map_or(String::new(), |label| format!(" ({})", escape(&defang_name(label))));
        let (set, source) = (escape(&found.set), escape(&found.source));
        let tier = found.tier.letter();
        let indicator = escape(&defang_name(&found.indicator.to_string()));
        let word = if found.tier.is_certain() { "MATCH" } else { "GUESS" };
        rows.push((word, format!("tier {tier} {indicator}{label} of {set}/{source}")));
    }
    for report in &observation.reported {
        rows.push(("reported", scan::reported(report)));
    }
    rows.extend(observation.softether_server.as_ref().map(|server| ("SoftEther", named(server))));
    for attempt in &observation.attempts {
        let (client, offer) = (attempt.asked.client(), attempt.asked.offer());
        let outcome = format!("{}{}", attempt.outcome, parenthesis(attempt.outcome.detail()));
        let asked = if attempt.request.is_some() { ", then one request" } else { "" };
        rows.push(("attempt", format!("{client} {offer}: {outcome}{asked}")));
    }
    for (key, duration) in
        [("connected", timing.connect), ("first byte", timing.first_byte), ("leaf", timing.leaf)]
    {
        rows.extend(duration.map(|duration| (key, format!("after {} us", duration.as_micros()))));
    }
    rows.iter().map(|(key, value)| format!("{key:<12} {value}\n")).collect()
}

/// What a server said of itself.
fn named(server: &SoftetherServer) -> String {
    let version = server.version.map_or(String::new(), |version| {
        format!(", version {}.{:02}", version / 100, version % 100)
    });
    let build = server.build.map_or(String::new(), |build| format!(", build {build}"));
    format!("{}{version}{build}", escape(&defang_name(&server.product)))
}

/// Why nothing is known of the key, in words.
fn unproven(evidence: Evidence) -> String {
    evidence.unproven.map_or("unknown", Unproven::word).replace('_', " ")
}

fn described(leaf: &Leaf) -> Vec<(&'static str, String)> {
    let description = &leaf.description;
    let mut rows = vec![("SHA-1", leaf.sha1.to_string()), ("SHA-256", leaf.sha256.to_string())];
    rows.extend(leaf.spki_sha256.map(|hash| ("key SHA-256", hash.to_string())));
    let text = |value: &Option<String>| value.as_deref().map(escape);
    let named = |value: &Option<String>| value.as_deref().map(|name| escape(&defang_name(name)));
    for (key, value) in [
        ("subject", named(&description.subject)),
        ("issuer", named(&description.issuer)),
        ("names", named(&Some(description.names.join(", ")).filter(|names| !names.is_empty()))),
        ("serial", text(&description.serial)),
        ("not before", description.not_before.map(|time| time.to_string())),
        ("not after", description.not_after.map(|time| time.to_string())),
        ("key", text(&description.key)),
        ("signed with", text(&description.signature_algorithm)),
        ("unreadable", text(&description.parse_error)),
    ] {
        rows.extend(value.map(|value| (key, value)));
    }
    if description.softether_default {
        rows.push(("template", "the structure of SoftEther's default certificate".to_owned()));
    }
    rows
}

fn parenthesis(detail: Option<String>) -> String {
    detail.map_or(String::new(), |detail| format!(" ({detail})"))
}

/// Every leaf that was seen.
fn pems(observations: &[Observation]) -> Result<String, Failure> {
    let leaves: Vec<String> = observations
        .iter()
        .filter_map(|seen| seen.leaf.as_deref())
        .map(|leaf| pem(&leaf.der))
        .collect();
    match observations.first() {
        Some(first) if leaves.is_empty() => Err(Failure::local(format!(
            "no certificate: {}{}",
            first.outcome,
            parenthesis(first.outcome.detail())
        ))),
        _ => Ok(leaves.concat()),
    }
}

/// RFC 7468: base64 in lines of 64 between two labels.
pub(super) fn pem(der: &[u8]) -> String {
    let base64 = data_encoding::BASE64.encode(der);
    let lines: Vec<&str> =
        base64.as_bytes().chunks(64).filter_map(|line| std::str::from_utf8(line).ok()).collect();
    format!("-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----\n", lines.join("\n"))
}
