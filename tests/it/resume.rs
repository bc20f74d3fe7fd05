//! What was interrupted or killed is finished by `--resume`: nothing is lost, and nothing done twice.

use std::collections::BTreeMap;
use std::io::{BufRead, Write as _};
use std::net::TcpListener;

use certsweep::domain::address::Target;
use rusqlite::Connection;

use crate::support::{
    Lab, Row, Running, Workspace, assert_same, content, observations, parse, query, scan_with,
    single, table,
};

/// Slow enough that the third of the lab's matches comes long before the end.
const RATE: usize = 200;

/// How a run ends before its time.
#[derive(Clone, Copy)]
enum End {
    Interrupted,
    Killed,
}

/// The arguments of a sweep of the whole lab into a file.
fn sweep(lab: &Lab) -> String {
    format!("{} --seed 7 --output out.jsonl", lab.scan())
}

/// Starts `line` slowly and ends it at the third match; what it had said by then.
///
/// The line of a match is printed after its batch has been committed: the run is surely under way.
fn cut_short(workspace: &Workspace, line: &str, end: End) -> String {
    let mut running = workspace.start(&format!("{line} --rate {RATE}"));
    running.wait_for_lines("MATCH", 3);
    match end {
        End::Killed => {
            running.kill();
            String::new()
        }
        End::Interrupted => {
            running.interrupt();
            running.finish().expect(130).stderr
        }
    }
}

/// The content of the ledger after a sweep of `lab` that nobody disturbs.
fn undisturbed(lab: &Lab) -> Vec<String> {
    let workspace = Workspace::new();
    workspace.write("demo.toml", lab.range.indicator_set_toml());
    let sweep = workspace.run(&sweep(lab)).expect(0);
    assert_eq!(sweep.stdout, "");
    assert_same(&table(&workspace.read("out.jsonl")), &lab.table());
    content(&workspace.ledger())
}

#[test]
fn an_interrupted_sweep_is_finished_by_its_id() {
    let (lab, workspace) = Lab::with_workspace();
    let said = cut_short(&workspace, &sweep(&lab), End::Interrupted);
    let first = table(&workspace.read("out.jsonl"));
    assert!((3..1_024).contains(&first.len()), "{}", first.len());
    let id = single(&workspace.ledger(), "SELECT id FROM scan");
    let last = said.lines().last().unwrap();
    assert_eq!(
        last,
        format!(
            "scan {id} is unfinished: {} of 1024 positions are covered; finish it with the same \
             command and --resume={id}",
            first.len()
        )
    );
    let resumed = workspace.run(&format!("{} --resume={id}", sweep(&lab))).expect(0);
    assert_eq!(resumed.scan(), id);
    assert_same(&table(&workspace.read("out.jsonl")), &lab.table());
    assert_eq!(content(&workspace.ledger()), undisturbed(&lab));
}

#[test]
fn a_terminated_sweep_is_found_by_its_plan() {
    let (lab, workspace) = Lab::with_workspace();
    let line = sweep(&lab).replace("--output out.jsonl", "").replace("--seed 7", "");
    let mut running = workspace.start(&format!("{line} --rate {RATE}"));
    running.wait_for_lines("MATCH", 3);
    running.terminate();
    let first = running.finish().expect(130);
    let second = workspace.run(&format!("{line} --resume")).expect(0);
    let mut seen = table(&first.stdout);
    for (target, row) in table(&second.stdout) {
        assert_eq!(seen.insert(target, row), None, "{target} was visited twice");
    }
    assert_same(&seen, &lab.table());
    let scan = single(&workspace.ledger(), "SELECT complete, visits, matched FROM scans");
    assert_eq!(scan, format!("1 1024 {}", lab.matching().len()));
}

#[test]
fn a_sweep_is_interrupted_and_resumed_many_times() {
    let (lab, workspace) = Lab::with_workspace();
    let line = sweep(&lab);
    cut_short(&workspace, &line, End::Interrupted);
    for _ in 0..2 {
        cut_short(&workspace, &format!("{line} --resume"), End::Interrupted);
    }
    workspace.run(&format!("{line} --resume")).expect(0);
    assert_same(&table(&workspace.read("out.jsonl")), &lab.table());
    assert_eq!(content(&workspace.ledger()), undisturbed(&lab));
}

#[test]
fn a_killed_sweep_loses_nothing_and_counts_nothing_twice() {
    let (lab, workspace) = Lab::with_workspace();
    let line = sweep(&lab);
    cut_short(&workspace, &line, End::Killed);
    // What a torn write leaves behind.
    let path = workspace.path("out.jsonl");
    let mut file = std::fs::File::options().append(true).open(path).unwrap();
    file.write_all(b"{\"type\":\"observation\",\"sch").unwrap();
    workspace.run(&format!("{line} --resume")).expect(0);
    let lines = observations(&workspace.read("out.jsonl"));
    let repeated = lines.len() - lab.table().len();
    assert!(repeated <= RATE, "{repeated} were visited again");
    let seen: BTreeMap<Target, Row> = lines.into_iter().collect();
    assert_same(&seen, &lab.table());
    let ledger = workspace.ledger();
    assert_eq!(single(&ledger, "SELECT sum(count) FROM scan_outcome"), "1024");
    assert_eq!(single(&ledger, "SELECT min(count), max(count) FROM sighting"), "1 1");
    assert_eq!(content(&ledger), undisturbed(&lab));
}

/// Results go out before they are committed. Another process that keeps the ledger locked makes the
/// moment between the two long enough to be killed in.
#[test]
fn what_was_said_and_not_committed_is_visited_and_said_again() {
    let (lab, workspace) = Lab::with_workspace();
    let line = sweep(&lab).replace("--output out.jsonl", "");
    let slow = format!("{line} --rate {RATE}");
    let (running, mut stdout) = Running::piped(&mut workspace.command(&slow));
    let mut said = read_observations(&mut stdout, 1);
    let (locked, committed) = lock(&workspace);
    said += &read_observations(&mut stdout, (committed + 10).saturating_sub(1));
    running.kill();
    drop(locked);
    let resumed = workspace.run(&format!("{line} --resume")).expect(0);
    let (first, second) = (table(&said), table(&resumed.stdout));
    assert_eq!(second.len(), lab.table().len() - committed);
    assert_eq!(first.keys().filter(|target| second.contains_key(*target)).count(), 10);
    assert_same(&first.into_iter().chain(second).collect(), &lab.table());
    assert_eq!(content(&workspace.ledger()), undisturbed(&lab));
}

/// Lines of `stdout` with `count` observations among them.
fn read_observations(stdout: &mut impl BufRead, count: usize) -> String {
    let (mut text, mut seen) = (String::new(), 0);
    while seen < count {
        let begin = text.len();
        assert_ne!(stdout.read_line(&mut text).unwrap(), 0, "ended after:\n{text}");
        seen += usize::from(text[begin..].contains("\"type\":\"observation\""));
    }
    text
}

/// Locks the ledger until the connection is dropped; how many visits it holds.
fn lock(workspace: &Workspace) -> (Connection, usize) {
    let ledger = Connection::open(workspace.ledger()).unwrap();
    ledger.execute_batch("BEGIN IMMEDIATE").unwrap();
    let visits = "SELECT ifnull(sum(count), 0) FROM scan_outcome";
    let visits: i64 = ledger.query_row(visits, [], |row| row.get(0)).unwrap();
    (ledger, visits.try_into().unwrap())
}

#[test]
fn a_ledger_that_stays_locked_ends_the_sweep_and_it_can_be_resumed() {
    let (lab, workspace) = Lab::with_workspace();
    let line = sweep(&lab);
    let mut running = workspace.start(&format!("{line} --rate {RATE}"));
    running.wait_for_lines("MATCH", 3);
    let (locked, committed) = lock(&workspace);
    let ended = running.finish().expect(4);
    let id = ended.scan();
    let hint = format!(
        "scan {id} is unfinished: {committed} of 1024 positions are covered; finish it with the \
         same command and --resume={id}"
    );
    let complaint = format!(
        "certsweep: {} is locked by another process; wait for it or use another --store",
        workspace.ledger().display()
    );
    assert_eq!(ended.stderr.lines().rev().take(2).collect::<Vec<_>>(), [complaint, hint]);
    drop(locked);
    workspace.run(&format!("{line} --resume={id}")).expect(0);
    assert_eq!(content(&workspace.ledger()), undisturbed(&lab));
}

#[test]
fn a_sweep_killed_at_its_first_record_is_resumed_from_the_start() {
    let (lab, workspace) = Lab::with_workspace();
    let mut running = workspace.start(&format!("{} --rate 1", sweep(&lab)));
    running.wait_for_lines("scan ", 1);
    running.kill();
    workspace.run(&format!("{} --resume", sweep(&lab))).expect(0);
    assert_eq!(content(&workspace.ledger()), undisturbed(&lab));
    let records = parse(&workspace.read("out.jsonl"));
    let events: Vec<_> = records.iter().filter_map(|record| record["event"].as_str()).collect();
    assert_eq!(events, ["started", "resumed", "ended"]);
}

#[test]
fn what_was_excluded_since_is_not_visited() {
    let (lab, workspace) = Lab::with_workspace();
    workspace.write("scope.toml", lab.scope());
    let line = format!("{} --seed 7 --output out.jsonl", scan_with("--scope scope.toml"));
    cut_short(&workspace, &line, End::Interrupted);
    let before = workspace.read("out.jsonl");
    let opted_out = format!("exclude = [\"{}/26\"]\n", lab.host(64));
    workspace.write("scope.toml", format!("{}{opted_out}", lab.scope()));
    workspace.run(&format!("{line} --resume")).expect(0);
    let excluded = |target: &Target| (64..128).any(|octet| target.address == lab.host(octet));
    let after = observations(&workspace.read("out.jsonl")[before.len()..]);
    assert!(!after.is_empty() && !after.iter().any(|(target, _)| excluded(target)));
    let mut expected = lab.table();
    let first = table(&before);
    expected.retain(|target, _| first.contains_key(target) || !excluded(target));
    assert_same(&table(&workspace.read("out.jsonl")), &expected);
    let ledger = workspace.ledger();
    assert_eq!(single(&ledger, "SELECT complete FROM scan"), "1");
    assert_eq!(single(&ledger, "SELECT first_position, last_position FROM coverage"), "0 1023");
}

#[test]
fn a_second_interrupt_leaves_at_once_and_can_be_resumed_too() {
    let (workspace, listener) = (Workspace::new(), TcpListener::bind("127.0.0.1:0").unwrap());
    let address = listener.local_addr().unwrap();
    let line = format!("scan 127.0.0.1 --ports {} --format jsonl", address.port());
    let mut running = workspace.start(&format!("{line} --timeout 3600"));
    // Nobody ever answers what is accepted here.
    let _open = listener.accept().unwrap();
    running.interrupt();
    running.wait_for_lines("interrupted: waiting for open connections to end", 1);
    running.interrupt();
    running.finish().expect(130);
    let resumed = workspace.run(&format!("{line} --timeout 1 --resume")).expect(0);
    let seen = observations(&resumed.stdout);
    assert_eq!(seen.len(), 1);
    assert_eq!((seen[0].0.into(), seen[0].1.outcome.as_str()), (address, "silent"));
}

#[test]
fn there_must_be_something_to_resume() {
    let (lab, workspace) = Lab::with_workspace();
    let line = lab.scan_of(format!("{}/30", lab.host(0)));
    let sweep = workspace.run(&line).expect(0);
    let ledger = workspace.ledger();
    let complaint = |which: &str| {
        format!("{} holds no unfinished scan {which}; start one without --resume", ledger.display())
    };
    let refused = workspace.run(&format!("{line} --resume")).expect(2);
    assert_eq!(refused.complaint(), complaint("of this plan"));
    let id = sweep.scan();
    let refused = workspace.run(&format!("{line} --resume={id}")).expect(2);
    assert_eq!(refused.complaint(), complaint(&format!("called {id}")));
    let refused = workspace.run(&format!("{line} --resume=nonsense")).expect(2);
    assert_eq!(refused.complaint(), complaint("called nonsense"));
}

#[test]
fn another_plan_is_not_resumed() {
    let (lab, workspace) = Lab::with_workspace();
    let line = sweep(&lab);
    cut_short(&workspace, &line, End::Interrupted);
    let id = single(&workspace.ledger(), "SELECT id FROM scan");
    let before = (content(&workspace.ledger()), workspace.read("out.jsonl"));
    let fewer_ports = line.replace(&lab.ports(), &lab.range.ports()[0].to_string());
    for other in [fewer_ports, line.replace("--seed 7", "--seed 8")] {
        let refused = workspace.run(&format!("{other} --resume={id}")).expect(2);
        assert_eq!(
            refused.complaint(),
            format!(
                "scan {id} was of another plan (scope 'ad-hoc', shard 1/1): give the same ranges, \
                 ports and targets"
            )
        );
        let refused = workspace.run(&format!("{other} --resume")).expect(2);
        assert!(refused.complaint().contains("holds no unfinished scan of this plan"));
    }
    assert_eq!((content(&workspace.ledger()), workspace.read("out.jsonl")), before);
}

#[test]
fn an_interrupt_right_after_the_opening_line_is_an_interrupt() {
    let (lab, workspace) = Lab::with_workspace();
    for _ in 0..20 {
        let mut running = workspace.start(&format!("{} --rate 20", lab.scan()));
        running.wait_for_lines("scan ", 1);
        running.interrupt();
        running.finish().expect(130);
    }
}

#[test]
fn a_running_scan_is_not_resumed() {
    let (lab, workspace) = Lab::with_workspace();
    let mut running = workspace.start(&format!("{} --seed 7 --rate 20 --output a", lab.scan()));
    running.wait_for_lines("scan ", 1);
    let second = workspace.run(&format!("{} --seed 7 --resume", lab.scan()));
    running.interrupt();
    running.finish();
    assert_ne!(
        second.code,
        0,
        "visits {}",
        single(&workspace.ledger(), "SELECT visits FROM scans")
    );
}

#[test]
fn a_part_of_a_plan_is_swept_by_one_scan_at_a_time() {
    let (lab, workspace) = Lab::with_workspace();
    let line = sweep(&lab).replace("--output out.jsonl", "");
    let mut running = workspace.start(&format!("{line} --rate {RATE}"));
    let id = {
        running.wait_for_lines("MATCH", 1);
        single(&workspace.ledger(), "SELECT id FROM scan")
    };
    let lease = "SELECT substr(holder, -26) FROM lease";
    assert_eq!(single(&workspace.ledger(), lease), id);
    let refused = workspace.run(&line).expect(4);
    let [complaint] = refused.stderr.lines().collect::<Vec<_>>()[..] else {
        panic!("{}", refused.stderr)
    };
    assert!(
        complaint.contains(&format!(" {id} is at work on the same part of the plan")),
        "{complaint}"
    );
    assert_eq!(refused.stdout, "");
    running.kill();
    workspace.run(&line).expect(0);
    assert_eq!(query(&workspace.ledger(), "SELECT complete FROM scans ORDER BY id"), ["0", "1"]);
    assert_eq!(query(&workspace.ledger(), "SELECT * FROM lease"), [""; 0]);
}

#[test]
fn an_opt_out_spoils_no_target_list() {
    let (lab, workspace) = Lab::with_workspace();
    let hosts = (0..60).chain([77, 100, 200, 233]);
    let listed: Vec<String> = hosts.map(|octet| lab.host(octet).to_string()).collect();
    workspace.write("list.txt", listed.join("\n"));
    workspace.write("scope.toml", lab.scope());
    let line = format!(
        "{} --targets list.txt --seed 7 --output out.jsonl",
        scan_with("--scope scope.toml")
    );
    cut_short(&workspace, &line, End::Interrupted);
    workspace.write("scope.toml", format!("{}exclude = [\"{}\"]\n", lab.scope(), listed[5]));
    let resumed = workspace.run(&format!("{line} --resume")).expect(0);
    assert!(
        resumed.stderr.contains("1 listed address is left out: the scope excludes them"),
        "{}",
        resumed.stderr
    );
}

#[test]
fn a_scan_goes_on_from_where_it_looked() {
    let (lab, workspace) = Lab::with_workspace();
    let line = format!("{} --vantage here", sweep(&lab));
    cut_short(&workspace, &line, End::Interrupted);
    let refused = workspace.run(&format!("{} --vantage there --resume", sweep(&lab))).expect(2);
    assert!(refused.complaint().contains("looked from 'here', not from 'there'"));
    workspace.run(&format!("{} --resume", sweep(&lab))).expect(0);
    assert_eq!(single(&workspace.ledger(), "SELECT DISTINCT vantage FROM scans"), "here");
}

#[test]
fn an_indicator_set_that_comes_late_is_told() {
    let (lab, workspace) = Lab::with_workspace();
    cut_short(&workspace, &sweep(&lab), End::Interrupted);
    let late = lab.range.indicator_set_toml().replace("name = \"demo\"", "name = \"late\"");
    workspace.write("late.toml", late);
    let line = format!("{} --indicators late.toml --resume", sweep(&lab));
    let resumed = workspace.run(&line).expect(0);
    let told =
        "indicator set 'late' is new to this scan: what was seen before is not matched with it";
    assert!(resumed.stderr.lines().any(|line| line == told), "{}", resumed.stderr);
    assert_eq!(single(&workspace.ledger(), "SELECT count(DISTINCT set_id) FROM scan_set"), "3");
}

/// What is covered means the same for the whole scan: it was asked the same.
#[test]
fn a_scan_goes_on_asking_what_it_asked() {
    let (lab, workspace) = Lab::with_workspace();
    cut_short(&workspace, &sweep(&lab), End::Interrupted);
    for (other, complaint) in [
        (
            "--server-names a.example",
            "was begun with --server-names [], not [\"a.example\"]: resume it as it was begun",
        ),
        ("--all-leaves", "was begun with --all-leaves false, not true: resume it as it was begun"),
    ] {
        let refused = workspace.run(&format!("{} --resume {other}", sweep(&lab))).expect(2);
        assert!(refused.complaint().ends_with(complaint), "{}", refused.complaint());
    }
}
