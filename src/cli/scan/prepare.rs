//! From arguments to a checked plan. Nothing is sent and nothing is written.

use std::path::Path;
use std::time::Duration;

use serde_json::{Value, json};

use crate::cli::args::{Handshake, ScanArgs};
use crate::cli::asking;
use crate::cli::exit::Failure;
use crate::cli::settings::{self, File, Given, Origin, Setting, Settings};
use crate::cli::source;
use crate::domain::address::Target;
use crate::domain::indicator::IndicatorSet;
use crate::domain::ladder::Policy;
use crate::domain::plan::{Plan, Tempo};
use crate::domain::ports::PortSet;
use crate::domain::ranges::Range;
use crate::domain::scan::{Scan, Shard};
use crate::domain::scope::Scope;
use crate::domain::targets::{Entry, TargetList};
use crate::domain::text::counted;
use crate::domain::time::Timestamp;
use crate::domain::tls::Limits;
use crate::engine::limits;
use crate::store::{Ledger, Resumable};

/// Everything that is decided before the first packet.
pub(in crate::cli) struct Prepared {
    pub(in crate::cli) plan: Plan,
    pub(in crate::cli) sets: Vec<IndicatorSet>,
    pub(in crate::cli) settings: Settings,
    pub(in crate::cli) policy: Policy,
    /// The scan to finish.
    pub(in crate::cli) resumed: Option<Scan>,
    pub(in crate::cli) seed: Setting<u64>,
    /// Where the ports came from.
    pub(in crate::cli) ports_from: Origin,
    /// The target list's name, if there is one.
    pub(in crate::cli) targets_from: Option<String>,
    pub(in crate::cli) warnings: Vec<String>,
    /// Whether this machine allows fewer connections at once than were asked for.
    pub(in crate::cli) is_lowered: bool,
}

/// Decides everything that `args` leave open.
pub(in crate::cli) fn prepare(
    args: &ScanArgs,
    given: Given<'_>,
    now: Timestamp,
) -> Result<Prepared, Failure> {
    decide(args, read(args, given, now)?)
}

/// The same, of what `args` name, for those of the `known` targets that they name too; `None` if it is none of them.
pub(in crate::cli) fn prepare_known(
    args: &ScanArgs,
    given: Given<'_>,
    now: Timestamp,
    known: &[Target],
) -> Result<Option<Prepared>, Failure> {
    let inputs = read(args, given, now)?;
    let named = |target: &&Target| {
        inputs.scope.allowed.contains(target.address)
            && inputs.scope.ports.contains(target.port)
            && inputs.ports.contains(target.port)
            && inputs.targets.as_ref().is_none_or(|list| list.names(**target))
    };
    let entry = |target: &Target| Entry {
        range: Range::single(target.address),
        port: Some(target.port),
        at: (1, 1),
    };
    let entries: Vec<Entry> = known.iter().filter(named).map(entry).collect();
    if entries.is_empty() {
        return Ok(None);
    }
    let targets = Some(TargetList::within(&inputs.scope, "known matches", &entries)?);
    decide(args, Inputs { targets, ..inputs }).map(Some)
}

/// What the files that arguments name hold.
struct Inputs {
    scope: Scope,
    settings: Settings,
    ports: PortSet,
    ports_from: Origin,
    targets: Option<TargetList>,
    sets: Vec<IndicatorSet>,
    policy: Policy,
}

fn read(args: &ScanArgs, given: Given<'_>, now: Timestamp) -> Result<Inputs, Failure> {
    if args.shard.is_some() && args.seed.is_none() && args.resume.is_none() {
        return Err(Failure::usage(
            "--shard needs --seed: parts fit together only if all are cut from the same order",
        ));
    }
    let file = File::read(args.config.as_deref())?;
    let asked_ports = args.ports.as_deref().map(ports).transpose()?;
    let ranges = (args.ranges.as_slice(), args.exclude.as_slice());
    let scope = source::scope(&args.scope, ranges, asked_ports.as_ref(), now)?;
    let settings = Settings::merge(args, given, &file, &scope)?;
    let ports_from = settings::ports_origin(given, args);
    let ports = asked_ports.unwrap_or_else(|| scope.ports.clone());
    let targets =
        args.targets.as_deref().map(|path| source::target_list(path, &scope)).transpose()?;
    let indicator_files: Vec<_> = args.indicators.iter().chain(&file.indicators).cloned().collect();
    let sets = source::indicator_sets(&indicator_files)?;
    let policy = asking::policy(&args.asking, settings.handshake.value, &sets)?;
    Ok(Inputs { scope, settings, ports, ports_from, targets, sets, policy })
}

fn decide(args: &ScanArgs, inputs: Inputs) -> Result<Prepared, Failure> {
    let Inputs { scope, mut settings, ports, ports_from, targets, sets, policy } = inputs;
    let mut warnings = fit_limits(&mut settings)?;
    let is_lowered = !warnings.is_empty();
    warnings.extend(targets.iter().flat_map(|list| left_out(list, &scope, &ports)));
    let plan = plan_of(scope, ports, targets, &settings);
    let shard = args.shard.unwrap_or(Shard::WHOLE);
    let resumed = match &args.resume {
        None => None,
        Some(id) => {
            let plan = plan((args.seed.unwrap_or_default(), shard))?;
            Some(unfinished(&settings.store.value, id, &plan, args)?)
        }
    };
    if let Some(scan) = &resumed {
        same_vantage(&mut settings, scan)?;
        same_questions(&questions(settings.handshake.value, &policy), scan)?;
    }
    let (seed, shard) = match (&resumed, args.seed) {
        (Some(scan), _) => {
            (Setting::new(scan.seed, Origin::File(format!("scan {}", scan.id))), scan.shard)
        }
        (None, Some(seed)) => (Setting::new(seed, Origin::Flag), shard),
        (None, None) => (Setting::new(random() as u64, Origin::Default), shard),
    };
    let plan = plan((seed.value, shard))?;
    if plan.target_count() == 0 {
        return Err(Failure::usage(format!(
            "nothing to sweep: the target list names nothing on ports {}",
            plan.ports
        )));
    }
    let targets_from = args.targets.as_ref().map(|path| path.display().to_string());
    Ok(Prepared {
        plan,
        sets,
        settings,
        policy,
        resumed,
        seed,
        ports_from,
        targets_from,
        warnings,
        is_lowered,
    })
}

/// What of `list` is not visited, though it is named.
fn left_out(list: &TargetList, scope: &Scope, ports: &PortSet) -> Vec<String> {
    let mut warnings = Vec::new();
    if list.excluded > 0 {
        let addresses = counted(list.excluded, "listed address is", "listed addresses are");
        warnings.push(format!("{addresses} left out: the scope excludes them"));
    }
    let others = list.on_other_ports(scope, ports);
    if others > 0 {
        let targets = counted(others as u128, "listed target is", "listed targets are");
        warnings.push(format!("{targets} left out: on other ports than {ports}"));
    }
    warnings
}

/// A resumed scan looks from where it looked before.
fn same_vantage(settings: &mut Settings, scan: &Scan) -> Result<(), Failure> {
    let Setting { value, origin } = &settings.vantage;
    if *origin != Origin::Default && *value != scan.vantage {
        return Err(Failure::usage(format!(
            "scan {} looked from '{}', not from '{value}' ({origin}): resume it from where it was begun",
            scan.id, scan.vantage
        )));
    }
    let origin = Origin::File(format!("scan {}", scan.id));
    settings.vantage = Setting::new(scan.vantage.clone(), origin);
    Ok(())
}

/// What targets are asked, as a scan's settings hold it.
pub(super) fn questions(handshake: Handshake, policy: &Policy) -> [(&'static str, Value); 4] {
    [
        ("handshake", handshake.word().into()),
        ("server_names", json!(policy.server_names)),
        ("all_leaves", policy.all_leaves.into()),
        ("confirm_softether", policy.confirm_softether.into()),
    ]
}

/// A resumed scan asks what it asked before: what it covers then means the same for all of it.
fn same_questions(asked: &[(&'static str, Value)], scan: &Scan) -> Result<(), Failure> {
    let settings: Value = serde_json::from_str(&scan.settings).unwrap_or_default();
    for (key, now) in asked {
        let before = &settings["inputs"][key];
        if !before.is_null() && before != now {
            let flag = key.replace('_', "-");
            return Err(Failure::usage(format!(
                "scan {} was begun with --{flag} {before}, not {now}: resume it as it was begun",
                scan.id
            )));
        }
    }
    Ok(())
}

fn ports(items: &[String]) -> Result<PortSet, Failure> {
    PortSet::read(items.iter().map(String::as_str))
        .map_err(|error| Failure::usage(format!("--ports: {error}")))
}

/// Makes plans over the same targets for any seed and shard.
fn plan_of(
    scope: Scope,
    ports: PortSet,
    targets: Option<TargetList>,
    settings: &Settings,
) -> impl Fn((u64, Shard)) -> Result<Plan, Failure> + use<> {
    let timeout: Duration = settings.timeout.value;
    let tempo = Tempo {
        rate: settings.rate.value,
        rate_per_prefix: settings.rate_per_prefix.value,
        concurrency: settings.concurrency.value,
        threads: settings.threads.value,
        connect_timeout: timeout,
        limits: Limits { handshake: timeout, ..Limits::default() },
    };
    move |part| Ok(Plan::new(scope.clone(), ports.clone(), targets.clone(), part, tempo)?)
}

/// Lowers the concurrency to what this process may open and what memory there is for it.
fn fit_limits(settings: &mut Settings) -> Result<Vec<String>, Failure> {
    let (limit, open) = (limits::descriptors(), limits::open_descriptors());
    let (asked, threads) = (settings.concurrency.value, settings.threads.value);
    let Some(cap) = limits::cap(asked, threads, limit, open) else {
        return Err(Failure::local(format!(
            "only {limit} file descriptors are allowed and {open} are in use; raise ulimit -n to at \
             least {}",
            open + 64
        )));
    };
    let mut warnings = Vec::new();
    if cap.lowered {
        warnings.push(format!(
            "{} connections at once instead of {asked}: {limit} file descriptors are allowed; raise \
             ulimit -n for more",
            cap.concurrency
        ));
    }
    settings.concurrency.value = cap.concurrency;
    if let Some(most) = limits::connections_in_memory()
        && most < cap.concurrency
    {
        warnings.push(format!(
            "{most} connections at once instead of {}: there is little free memory",
            cap.concurrency
        ));
        settings.concurrency.value = most;
    }
    Ok(warnings)
}

/// The unfinished scan of `plan` in the ledger at `store`: the one called `id`, or the latest.
fn unfinished(store: &Path, id: &str, plan: &Plan, args: &ScanArgs) -> Result<Scan, Failure> {
    let found = if !store.exists() {
        None
    } else if id.is_empty() {
        Ledger::open_read_only(store)?.unfinished(plan.hash(), args.seed, plan.shard)?
    } else {
        Ledger::open_read_only(store)?.resumable(id)?
    };
    let Some(Resumable { scan, .. }) = found else {
        let which = if id.is_empty() { "of this plan".to_owned() } else { format!("called {id}") };
        return Err(nothing_to_resume(store, &which));
    };
    let same_part = args.shard.is_none_or(|shard| shard == scan.shard)
        && args.seed.is_none_or(|seed| seed == scan.seed);
    if scan.plan_hash != plan.hash() || !same_part {
        return Err(Failure::usage(format!(
            "scan {} was of another plan (scope '{}', shard {}): give the same ranges, ports and targets",
            scan.id, scan.scope_name, scan.shard
        )));
    }
    Ok(scan)
}

/// The failure of resuming where no scan is unfinished.
pub(super) fn nothing_to_resume(store: &Path, which: &str) -> Failure {
    Failure::usage(format!(
        "{} holds no unfinished scan {which}; start one without --resume",
        store.display()
    ))
}

/// The ledger at `store`.
pub(in crate::cli) fn ledger(store: &Path) -> Result<Ledger, Failure> {
    if store.is_dir() {
        let store = store.display();
        return Err(Failure::local(format!(
            "{store} is a directory; name a file in it as --store"
        )));
    }
    Ok(Ledger::open(store)?)
}

/// Numbers that nobody can guess, from the system.
pub(in crate::cli) fn random() -> u128 {
    let mut bytes = [0; 16];
    // Without the system's generator there is still the time, which is enough for an order.
    if getrandom::fill(&mut bytes).is_err() {
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
        bytes = now.unwrap_or_default().as_nanos().to_le_bytes();
    }
    u128::from_le_bytes(bytes)
}

/// What the opening record says of an indicator set.
pub(in crate::cli) fn indicator_record(set: &IndicatorSet) -> Value {
    json!({
        "name": set.name,
        "tlp": set.tlp,
        "sha256": set.hash,
        "certificates": set.certificates.len(),
        "entries": set.entries.len(),
        "profiles": set.profiles.len(),
        "addresses": set.addresses.len(),
    })
}
