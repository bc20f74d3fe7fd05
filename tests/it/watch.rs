//! `watch`: jobs that run once, or on a schedule until a signal, and what is told of them.

use std::net::Ipv4Addr;

use serde_json::Value;

use crate::support::{Finished, Lab, Running, Workspace, parse, query, single};

/// Slow enough that the third of the lab's matches comes long before the end.
const RATE: &str = "rate = 200\n";

/// A settings file with one job; `lines` are more lines of it.
fn settings(lines: &str) -> String {
    format!(
        "indicators = [\"demo.toml\"]\ntimeout = 3\n\
         [[job]]\nname = \"nightly\"\nscope = \"lab.toml\"\nmatches = \"never\"\n{lines}"
    )
}

/// A scope of `hosts`, on all ports of `lab`.
fn scope(lab: &Lab, hosts: &[Ipv4Addr], more: &str) -> String {
    let ports = lab.range.ports();
    let hosts: Vec<String> = hosts.iter().map(ToString::to_string).collect();
    format!("name = \"lab\"\ninclude = {hosts:?}\nports = {ports:?}\n{more}")
}

/// A lab, and a workspace in which a job sweeps two hosts of it, of which one has matches on four ports.
fn two_hosts() -> (Lab, Workspace) {
    let (lab, workspace) = Lab::with_workspace();
    workspace.write("certsweep.toml", settings(""));
    workspace.write("lab.toml", scope(&lab, &[lab.host(1), lab.host(17)], ""));
    (lab, workspace)
}

/// What `--status` says of the job.
fn status(workspace: &Workspace) -> Value {
    let records = parse(&workspace.run("watch --status --format jsonl").expect(0).stdout);
    assert_eq!(records.len(), 1);
    records.into_iter().next().unwrap()
}

/// How many visits each scan made, in order.
fn visits(workspace: &Workspace) -> Vec<String> {
    query(&workspace.ledger(), "SELECT visits FROM scans ORDER BY started, id")
}

/// The lines that `finished` told of the job, but for those of single matches, of scans and of what comes next.
fn told(finished: &Finished) -> Vec<&str> {
    let lines = finished.stderr.lines().filter_map(|line| line.strip_prefix("nightly: "));
    let passed_over = ["MATCH", "scan ", "next run"];
    lines.filter(|line| !passed_over.iter().any(|start| line.starts_with(start))).collect()
}

#[test]
fn a_job_runs_once_with_known_matches_first() {
    let (_lab, workspace) = two_hosts();
    assert_eq!(status(&workspace)["state"], "not watched");
    let first = workspace.run("watch --once nightly --fail-on new").expect(10);
    assert_eq!(
        told(&first),
        [
            "known matches are visited",
            "known matches complete: no known matches in its scope",
            "the whole range is swept",
            "whole range complete: 8 targets, 4 matches (4 new), 4 transitions"
        ]
    );
    assert_eq!(first.stdout, "");
    let second = workspace.run("watch --once nightly --fail-on new").expect(0);
    assert_eq!(
        told(&second),
        [
            "known matches are visited",
            "known matches complete: 4 targets, 4 matches",
            "the whole range is swept",
            "whole range complete: 8 targets, 4 matches"
        ]
    );
    workspace.run("watch --once nightly --fail-on match").expect(10);
    assert_eq!(visits(&workspace), ["8", "4", "8", "4", "8"]);
    let status = status(&workspace);
    assert_eq!((&status["state"], &status["result"]), (&"not watched".into(), &"complete".into()));
    assert_eq!(status["matches"], 4);
    assert_eq!(status["runs"], "every 24h");
    let last =
        single(&workspace.ledger(), "SELECT id FROM scans ORDER BY started DESC, id DESC LIMIT 1");
    assert_eq!(status["scan"], last);
    let table = workspace.run("watch --status").expect(0).stdout;
    assert!(table.contains("nightly") && table.contains("4 matched, 0 guessed"), "{table}");
}

#[test]
fn a_watch_runs_what_is_due_and_ends_with_a_signal() {
    let (_lab, workspace) = two_hosts();
    let mut running = workspace.start("watch");
    running.wait_for_lines("nightly: next run", 2);
    let watched = status(&workspace);
    assert_eq!((&watched["state"], &watched["result"]), (&"waiting".into(), &"complete".into()));
    assert!(watched["next_run"].as_str() > watched["started"].as_str(), "{watched}");
    let refused = workspace.run("watch --once nightly").expect(4);
    let ledger = workspace.ledger();
    let told = format!("job 'nightly' of {} is run by another process", ledger.display());
    assert!(refused.complaint().starts_with(&told), "{}", refused.stderr);
    running.terminate();
    running.finish().expect(0);
    assert_eq!(status(&workspace)["state"], "not watched");
    // Nothing is due when it is started again.
    let mut again = workspace.start("watch");
    again.wait_for_lines("nightly: next run", 1);
    again.interrupt();
    again.finish().expect(0);
    assert_eq!(visits(&workspace), ["8"]);
}

/// Starts a watch over the whole lab slowly and waits until it is surely under way.
fn under_way(lab: &Lab, workspace: &Workspace) -> Running {
    workspace.write("lab.toml", lab.scope());
    workspace.write("certsweep.toml", settings(RATE));
    let mut running = workspace.start("watch");
    running.wait_for_lines("nightly: MATCH", 3);
    assert_eq!(status(workspace)["state"], "sweeping");
    running
}

/// Starts it again, as fast as it goes, and makes sure that it finishes what it had begun.
fn finish(lab: &Lab, workspace: &Workspace) {
    let cut_short = status(workspace);
    assert_eq!(cut_short["state"], "cut short");
    workspace.write("certsweep.toml", settings(""));
    let mut running = workspace.start("watch");
    let goes_on = format!("nightly: scan {} was cut short", cut_short["scan"].as_str().unwrap());
    running.wait_for_lines(&goes_on, 1);
    running.wait_for_lines("nightly: whole range complete", 1);
    running.wait_for_lines("nightly: next run", 1);
    running.terminate();
    running.finish().expect(0);
    let scans = query(&workspace.ledger(), "SELECT complete, visits, matched FROM scans");
    assert_eq!(scans, [format!("1 1024 {}", lab.matching().len())]);
}

#[test]
fn a_run_that_was_interrupted_goes_on_at_the_next_start() {
    let (lab, workspace) = Lab::with_workspace();
    let running = under_way(&lab, &workspace);
    running.terminate();
    running.finish().expect(130);
    assert_eq!(status(&workspace)["result"], "interrupted");
    finish(&lab, &workspace);
}

#[test]
fn a_run_that_was_killed_goes_on_at_the_next_start() {
    let (lab, workspace) = Lab::with_workspace();
    under_way(&lab, &workspace).kill();
    assert_eq!(status(&workspace)["result"], Value::Null);
    finish(&lab, &workspace);
}

#[test]
fn a_run_whose_plan_has_changed_begins_anew() {
    let (lab, workspace) = Lab::with_workspace();
    under_way(&lab, &workspace).kill();
    workspace.write("lab.toml", scope(&lab, &[lab.host(17)], ""));
    workspace.write("certsweep.toml", settings(""));
    let ran = workspace.run("watch --once nightly").expect(0);
    let anew = ran.stderr.lines().find(|line| line.ends_with("; begins anew")).expect(&ran.stderr);
    assert!(anew.starts_with("nightly: scan ") && anew.contains(" was of another plan"), "{anew}");
    assert_eq!(visits(&workspace)[1..], ["4"]);
}

#[test]
fn the_scope_file_is_read_anew_at_each_run() {
    let (lab, workspace) = two_hosts();
    workspace.run("watch --once nightly").expect(0);
    // Whoever opts out is left alone from the next run on, known matches included.
    let without = format!("exclude = [\"{}\"]\n", lab.host(17));
    workspace.write("lab.toml", scope(&lab, &[lab.host(1), lab.host(17)], &without));
    workspace.run("watch --once nightly").expect(0);
    assert_eq!(visits(&workspace), ["8", "4"]);
    // An expired one refuses the run with one line, and the watch goes on.
    let expired = "valid_until = 2020-12-31\n";
    workspace.write("lab.toml", scope(&lab, &[lab.host(1), lab.host(17)], expired));
    let refused = workspace.run("watch --once nightly").expect(3);
    let why = "scope 'lab' expired: it was valid until 2020-12-31 (UTC); nothing was sent";
    assert_eq!(
        told(&refused),
        ["known matches are visited", &format!("known matches refused: {why}")]
    );
    let status = status(&workspace);
    assert_eq!((&status["result"], &status["why"]), (&"refused".into(), &why.into()));
    assert_eq!(visits(&workspace).len(), 2);
}

#[test]
fn a_watch_outlives_a_run_that_is_refused() {
    let (lab, workspace) = two_hosts();
    workspace.write("lab.toml", "name = 5\n");
    let good = "[[job]]\nname = \"other\"\nscope = \"other.toml\"\n";
    workspace.write("certsweep.toml", settings(good));
    workspace.write("other.toml", scope(&lab, &[lab.host(17)], ""));
    let mut running = workspace.start("watch");
    running.wait_for_lines("other: whole range complete: 4 targets, 4 matches", 1);
    running.terminate();
    let said = running.finish().expect(0).stderr;
    assert!(said.contains("nightly: known matches refused: lab.toml:1:8: 'name' is an"), "{said}");
}

#[test]
fn a_check_says_what_would_run_when_and_writes_nothing() {
    let (_lab, workspace) = two_hosts();
    let check = workspace.run("watch --check").expect(0);
    for row in
        ["job              nightly", "runs             every 24h", "next run         at once"]
    {
        assert!(check.stdout.lines().any(|line| line == row), "no '{row}' in:\n{}", check.stdout);
    }
    assert!(
        check.stdout.contains("probes           8 of 2 addresses on ports "),
        "{}",
        check.stdout
    );
    assert!(!workspace.ledger().exists());
    workspace.write("lab.toml", "name = 5\n");
    let check = workspace.run("watch --check").expect(2);
    assert!(check.stdout.contains("refused          lab.toml:1:8: "), "{}", check.stdout);
}

#[test]
fn what_is_no_job_is_told_in_one_line() {
    let (_lab, workspace) = two_hosts();
    let complaint = |line: &str| workspace.run(line).expect(2).complaint().to_owned();
    let unknown = complaint("watch --once nihgtly");
    assert_eq!(unknown, "certsweep.toml: there is no job 'nihgtly'; did you mean 'nightly'?");
    workspace.write("empty.toml", "");
    assert_eq!(complaint("watch --config empty.toml"), "empty.toml: there is no [[job]] to watch");
    workspace.write("bad.toml", settings("evry = \"1h\"\n"));
    assert_eq!(
        complaint("watch --check --config bad.toml"),
        "bad.toml:7:1: unknown key 'evry'; did you mean 'every'?"
    );
}

#[test]
fn paths_are_relative_to_the_settings_file() {
    let (lab, workspace) = two_hosts();
    std::fs::create_dir(workspace.path("etc")).unwrap();
    workspace.write("etc/certsweep.toml", settings("targets = \"open.txt\"\n"));
    workspace.write("etc/lab.toml", scope(&lab, &[lab.host(1), lab.host(17)], ""));
    workspace.write("etc/open.txt", format!("{}\n", lab.host(17)));
    let ran = workspace.run("watch --once nightly --config etc/certsweep.toml").expect(0);
    assert_eq!(
        told(&ran).last(),
        Some(&"whole range complete: 4 targets, 4 matches (4 new), 4 transitions")
    );
}
