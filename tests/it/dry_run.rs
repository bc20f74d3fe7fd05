//! `scan --dry-run`: the whole plan, where each setting comes from, and no trace of it.

use crate::support::{Running, TrappedPort, Workspace};

const SCOPE: &str = r#"name = "acme"
operator = "Example CERT"
contact = "abuse@example.org"
authorised_by = "Example AG"
reference = "TICKET-7"
valid_from = 2000-01-01
valid_until = 2099-12-31
include = ["192.0.2.0/24"]
exclude = ["192.0.2.13", "192.0.2.128/25"]
ports = [443, 992]
rate = 40
"#;

/// What the plan says at `key`.
#[track_caller]
fn row<'a>(text: &'a str, key: &str) -> &'a str {
    let line = text.lines().find(|line| line.starts_with(&format!("{key:<16} ")));
    line.unwrap_or_else(|| panic!("no '{key}' in:\n{text}"))[17..].trim_end()
}

/// A setting's value and where it came from.
#[track_caller]
fn setting<'a>(text: &'a str, key: &str) -> (&'a str, &'a str) {
    let (value, origin) = row(text, key).split_once(" from ").unwrap();
    (value.trim_end(), origin)
}

#[test]
fn the_plan_is_shown_in_full() {
    let workspace = Workspace::new();
    workspace.write("scope.toml", SCOPE);
    let plan = workspace.run("scan --scope scope.toml --dry-run").expect(0);
    assert_eq!(plan.stderr, "");
    let plan = plan.stdout;
    assert!(plan.starts_with("dry run: nothing is sent, nothing is written\n"));
    for (key, value) in [
        ("scope", "acme"),
        ("operator", "Example CERT"),
        ("contact", "abuse@example.org"),
        ("authorised by", "Example AG"),
        ("reference", "TICKET-7"),
        ("valid", "2000-01-01 to 2099-12-31 (UTC)"),
        ("addresses", "127"),
        ("probes", "254"),
        ("duration", "at least 50.8 s at these rates, longer where hosts do not answer"),
        (
            "indicators",
            "flax-typhoon (4 certificates, 12 names, 19 reported addresses) from the program",
        ),
    ] {
        assert_eq!(row(&plan, key), value);
    }
    assert!(!plan.contains("\nrequest "), "nothing is asked by default:\n{plan}");
    assert_eq!(setting(&plan, "ports"), ("443, 992", "scope"));
    let left_out = plan.lines().filter_map(|line| line.strip_prefix("left out         "));
    assert_eq!(
        left_out.collect::<Vec<_>>(),
        ["192.0.2.13/32 is excluded by the scope", "192.0.2.128/25 is excluded by the scope"]
    );
}

#[test]
fn every_setting_says_where_it_came_from() {
    let workspace = Workspace::new();
    workspace.write("scope.toml", SCOPE);
    workspace.write("certsweep.toml", "timeout = 2.5\nvantage = \"lab\"\nrate = 30\n");
    let mut command =
        workspace.command("scan --scope scope.toml --dry-run --concurrency 64 --seed 5");
    command.env("CERTSWEEP_RATE", "20").env("CERTSWEEP_FORMAT", "csv");
    let plan = Running::start(&mut command).finish().expect(0).stdout;
    let store = workspace.ledger().display().to_string();
    for (key, value, origin) in [
        ("rate", "20 connections/s", "environment"),
        ("rate per prefix", "5 connections/s", "default"),
        ("concurrency", "64", "flag"),
        ("threads", "1", "default"),
        ("timeout", "2.5s", "certsweep.toml"),
        ("seed", "5", "flag"),
        ("store", store.as_str(), "default"),
        ("format", "csv", "environment"),
        ("vantage", "lab", "certsweep.toml"),
    ] {
        assert_eq!(setting(&plan, key), (value, origin));
    }
}

#[test]
fn flag_goes_before_environment_before_file_before_scope() {
    let workspace = Workspace::new();
    workspace.write("scope.toml", SCOPE);
    let rate = |file: &str, environment: Option<&str>, flag: &str| {
        workspace.write("certsweep.toml", file);
        let line = format!("scan --scope scope.toml --dry-run {flag}");
        let mut command = workspace.command(&line);
        command.envs(environment.map(|rate| ("CERTSWEEP_RATE", rate)));
        let plan = Running::start(&mut command).finish().expect(0).stdout;
        let (value, origin) = setting(&plan, "rate");
        format!("{value} {origin}")
    };
    assert_eq!(rate("", None, ""), "40 connections/s scope");
    assert_eq!(rate("rate = 30\n", None, ""), "30 connections/s certsweep.toml");
    assert_eq!(rate("rate = 99\n", None, ""), "40 connections/s scope");
    assert_eq!(rate("rate = 30\n", Some("20"), ""), "20 connections/s environment");
    assert_eq!(rate("rate = 30\n", Some("20"), "--rate 10"), "10 connections/s flag");
}

#[test]
fn another_settings_file_is_named_as_the_origin() {
    let workspace = Workspace::new();
    workspace.write("other.toml", "store = \"here.db\"\nrate_per_prefix = 2\n");
    let plan = workspace.run("scan 127.0.0.1 --dry-run --config other.toml").expect(0).stdout;
    assert_eq!(setting(&plan, "store"), ("here.db", "other.toml"));
    assert_eq!(setting(&plan, "rate per prefix"), ("2 connections/s", "other.toml"));
}

#[test]
fn loopback_needs_nobody_and_has_no_rate() {
    let plan = Workspace::new().run("scan 127.0.0.0/30 --dry-run").expect(0).stdout;
    assert_eq!(setting(&plan, "rate"), ("unlimited", "default"));
    assert_eq!(setting(&plan, "rate per prefix"), ("unlimited", "default"));
    assert_eq!(row(&plan, "probes"), "16");
    assert_eq!(setting(&plan, "ports"), ("443, 992, 1194, 5555", "default"));
    assert_eq!(row(&plan, "duration"), "as fast as hosts answer: no rate is set");
}

#[test]
fn a_shard_is_shown_as_a_part() {
    let line = "scan 127.1.0.0/22 --ports 443 --seed 1 --shard 2/3 --dry-run";
    let plan = Workspace::new().run(line).expect(0).stdout;
    assert_eq!(row(&plan, "probes"), "shard 2/3 of 1,024: 256 positions");
}

#[test]
fn nothing_is_sent_and_nothing_is_written() {
    let (workspace, trap) = (Workspace::new(), TrappedPort::set());
    let line = format!(
        "scan 127.0.0.1 --ports {} --dry-run --format jsonl --output out.jsonl",
        trap.port()
    );
    workspace.run(&line).expect(0);
    trap.assert_untouched();
    assert_eq!(std::fs::read_dir(workspace.path("")).unwrap().count(), 0);
}

#[test]
fn a_dry_run_of_a_resumption_writes_nothing() {
    let workspace = Workspace::new();
    workspace.run("scan 127.0.0.1 --dry-run --resume").expect(2);
    assert!(!workspace.ledger().exists());
}

#[test]
fn a_request_is_part_of_the_plan() {
    let workspace = Workspace::new();
    workspace.write("scope.toml", SCOPE);
    let plan = workspace.run("scan --scope scope.toml --dry-run --confirm-softether").expect(0);
    let request =
        "one over HTTP, not logged in, to whatever looks like SoftEther or matches an indicator";
    assert_eq!(row(&plan.stdout, "request"), request);
}
