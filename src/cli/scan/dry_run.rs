//! `scan --dry-run`: the plan, and where each setting came from.

use std::time::Duration;

use super::Prepared;
use crate::cli::settings::Setting;
use crate::domain::plan::Plan;
use crate::domain::scope::Exclusion;
use crate::domain::text::{counted, escape, grouped};
use crate::domain::tls::ServerName;

/// Exclusions listed one by one.
const EXCLUSIONS_SHOWN: usize = 40;

/// The plan as text for people.
pub(super) fn text(prepared: &Prepared) -> String {
    let Prepared { plan, settings, .. } = prepared;
    let mut lines = vec!["dry run: nothing is sent, nothing is written".to_owned(), String::new()];
    lines.extend(permission(plan));
    lines.push(row("addresses", &grouped(plan.address_count())));
    let ports = Setting::new(plan.ports.clone(), prepared.ports_from.clone());
    lines.push(setting("ports", &ports, ToString::to_string));
    if let Some(file) = &prepared.targets_from {
        lines.push(row("target list", file));
    }
    lines.push(row("probes", &probes(plan)));
    let most = prepared.policy.attempts_max();
    lines.push(row(
        "connections",
        &format!("mostly one a probe, {most} at most where there is an answer"),
    ));
    lines.push(row("duration", &duration(plan)));
    lines.push(row("plan", &plan.hash().to_string()));
    lines.push(String::new());
    lines.push(setting("rate", &settings.rate, |rate| per_second(*rate)));
    lines.push(setting("rate per prefix", &settings.rate_per_prefix, |rate| per_second(*rate)));
    lines.push(setting("concurrency", &settings.concurrency, ToString::to_string));
    lines.push(setting("threads", &settings.threads, ToString::to_string));
    lines.push(setting("timeout", &settings.timeout, |timeout| format!("{timeout:?}")));
    lines.push(setting("handshake", &settings.handshake, |how| how.word().to_owned()));
    let names: Vec<&str> = prepared.policy.server_names.iter().map(ServerName::as_str).collect();
    if !names.is_empty() {
        lines.push(row("server names", &format!("none, then {}", names.join(", "))));
    }
    if prepared.policy.all_leaves {
        lines.push(row("leaves", "all: RSA, ECDSA and EdDSA one by one"));
    }
    if prepared.policy.confirm_softether {
        let to = "to whatever looks like SoftEther or matches an indicator";
        lines.push(row("request", &format!("one over HTTP, not logged in, {to}")));
    }
    lines.push(setting("seed", &prepared.seed, ToString::to_string));
    lines.push(setting("store", &settings.store, |path| path.display().to_string()));
    lines.push(setting("format", &settings.format, |format| format.word().to_owned()));
    lines.push(setting("vantage", &settings.vantage, |name| escape(name)));
    lines.push(String::new());
    for set in &prepared.sets {
        let (name, contents) = (escape(&set.name), set.contents());
        lines.push(row("indicators", &format!("{name} ({contents}) from {}", escape(&set.file))));
    }
    lines.extend(exclusions(&plan.scope.exclusions));
    lines.extend(prepared.warnings.iter().map(|warning| row("note", warning)));
    lines.join("\n") + "\n"
}

fn permission(plan: &Plan) -> Vec<String> {
    let scope = &plan.scope;
    let mut lines = vec![row("scope", &escape(&scope.name))];
    for (key, value) in [
        ("operator", &scope.operator),
        ("contact", &scope.contact),
        ("authorised by", &scope.authorised_by),
        ("reference", &scope.reference),
    ] {
        lines.extend(value.as_ref().map(|value| row(key, &escape(value))));
    }
    let from = scope.valid_from.map_or("always".to_owned(), |day| day.to_string());
    let until = scope.valid_until.map_or("no end".to_owned(), |day| day.to_string());
    lines.push(row("valid", &format!("{from} to {until} (UTC)")));
    lines.push(row("scope hash", &scope.hash.to_string()));
    lines
}

fn probes(plan: &Plan) -> String {
    let all = grouped(plan.target_count());
    if plan.shard.count == 1 {
        return all;
    }
    let here = counted(plan.order.len().into(), "position", "positions");
    format!("shard {} of {all}: {here}", plan.shard)
}

fn duration(plan: &Plan) -> String {
    match plan.duration_at_rate() {
        Some(duration) => {
            let text = rounded(duration);
            format!("at least {text} at these rates, longer where hosts do not answer")
        }
        None => "as fast as hosts answer: no rate is set".to_owned(),
    }
}

fn rounded(duration: Duration) -> String {
    let seconds = duration.as_secs();
    match seconds {
        0..60 => format!("{:.1} s", duration.as_secs_f64()),
        60..3_600 => format!("{} min {} s", seconds / 60, seconds % 60),
        3_600..86_400 => format!("{} h {} min", seconds / 3_600, seconds % 3_600 / 60),
        _ => format!("{} days {} h", grouped((seconds / 86_400).into()), seconds % 86_400 / 3_600),
    }
}

fn per_second(rate: Option<f64>) -> String {
    rate.map_or("unlimited".to_owned(), |rate| format!("{rate} connections/s"))
}

fn exclusions(exclusions: &[Exclusion]) -> Vec<String> {
    let mut lines: Vec<String> = exclusions
        .iter()
        .take(EXCLUSIONS_SHOWN)
        .map(|exclusion| row("left out", &exclusion.to_string()))
        .collect();
    if let Some(more) = exclusions.len().checked_sub(EXCLUSIONS_SHOWN).filter(|more| *more > 0) {
        lines.push(row(
            "left out",
            &format!("and {}", counted(more as u128, "more range", "more ranges")),
        ));
    }
    lines
}

fn row(key: &str, value: &str) -> String {
    format!("{key:<16} {value}")
}

fn setting<T>(key: &str, setting: &Setting<T>, text: impl Fn(&T) -> String) -> String {
    format!("{key:<16} {:<28} from {}", text(&setting.value), setting.origin)
}
