//! Disks that take nothing, or nothing more.

use certsweep::engine::limits;
use certsweep::lab::Range;
use certsweep::store::Ledger;
use tempfile::TempDir;

use super::program::{Ran, scan};
use super::sandbox::Sandbox;

const STORE: &str = "/mnt/small/ledger.db";

/// A file system in memory, below [`HOME`](super::sandbox::HOME).
fn mount(sandbox: &Sandbox, name: &str, options: &str) {
    let directory = format!("/mnt/{name}");
    sandbox.ok("mkdir", [&directory]);
    sandbox.ok("mount", ["-t", "tmpfs", "-o", options, "tmpfs", &directory]);
}

/// The one line that `ran` wrote to standard error.
#[track_caller]
fn only_line(ran: &Ran) -> &str {
    let [line] = &ran.stderr[..] else { panic!("{:?}", ran.stderr) };
    line
}

#[test]
fn a_ledger_on_a_read_only_disk_is_refused_before_anything_is_sent() {
    let sandbox = Sandbox::new();
    mount(&sandbox, "fixed", "ro");
    for store in ["/mnt/fixed/ledger.db", "/mnt/fixed/new/ledger.db"] {
        let ran = scan(&sandbox, store, &["127.0.0.1", "--ports", "443"]).exited(4);
        let line = only_line(&ran);
        assert!(line.starts_with("certsweep: ") && line.contains(store), "{line}");
        assert!(line.contains("another --store"), "{line}");
        assert_eq!(ran.stdout, "");
    }
}

#[test]
fn a_ledger_that_was_made_read_only_is_refused_and_left_as_it_is() {
    let sandbox = Sandbox::new();
    mount(&sandbox, "fixed", "rw");
    let (store, arguments) = ("/mnt/fixed/ledger.db", ["127.0.0.1", "--ports", "443"]);
    scan(&sandbox, store, &arguments).exited(0);
    sandbox.ok("mount", ["-o", "remount,ro", "/mnt/fixed"]);
    let before = std::fs::read(sandbox.outside("fixed/ledger.db")).unwrap();
    let ran = scan(&sandbox, store, &arguments).exited(4);
    assert!(only_line(&ran).contains(store), "{:?}", ran.stderr);
    assert_eq!(std::fs::read(sandbox.outside("fixed/ledger.db")).unwrap(), before);
}

#[test]
fn a_ledger_on_a_full_disk_is_refused_before_anything_is_sent() {
    let sandbox = Sandbox::new();
    mount(&sandbox, "small", "size=16k");
    let ran = scan(&sandbox, STORE, &["127.0.0.1", "--ports", "443"]).exited(4);
    let line = only_line(&ran);
    assert!(line.contains("no space left") && line.contains(STORE), "{line}");
    assert_eq!(ran.stdout, "");
}

#[test]
fn a_disk_that_fills_up_midway_costs_nothing_that_was_written_before() {
    limits::descriptors();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let _entered = runtime.enter();
    let range = Range::start(None).unwrap();
    let sandbox = Sandbox::on_shared_network();
    // Room for the first of the batches and not for all of them.
    mount(&sandbox, "small", "size=768k");
    let network = range.network().to_string();
    let ports = range.ports().map(|port| port.to_string()).join(",");
    let set = sandbox.write("set.toml", &range.indicator_set_toml());
    // Slow enough for several batches, and patient enough for a machine that is busy.
    let pace = ["--rate", "400", "--timeout", "3"];
    let arguments = [&[&*network, "--ports", &ports, "--indicators", &set], &pace[..]].concat();
    let ran = scan(&sandbox, STORE, &arguments).exited(4);

    let [.., unfinished, failure] = &ran.stderr[..] else { panic!("{:?}", ran.stderr) };
    let expected =
        format!("certsweep: no space left for {STORE}: free some; all that was committed");
    assert!(failure.starts_with(&expected), "{failure}");
    let id = ran.scan();
    assert!(unfinished.starts_with(&format!("scan {id} is unfinished: ")), "{unfinished}");
    assert!(unfinished.contains(&format!("--resume={id}")), "{unfinished}");

    let copy = Copy::of(&sandbox);
    let resumable = copy.ledger.resumable(&id).unwrap().expect("the scan is unfinished");
    let covered = resumable.coverage.len();
    assert!(unfinished.contains(&format!(": {covered} of 1024 positions")), "{unfinished}");
    assert!(covered > 0 && covered < 1024, "{unfinished}");
    assert_eq!(resumable.counts.total(), covered);
    let shown = ran.stderr.iter().filter(|line| line.starts_with("MATCH ")).count() as u64;
    assert_eq!(copy.ledger.findings(&id, 0).unwrap().total, shown);
    // The batch that found no room may have gone out before; no other may.
    assert!(ran.observations().len() as u64 >= covered);

    sandbox.ok("mount", ["-o", "remount,size=64m", "/mnt/small"]);
    let resume = format!("--resume={id}");
    let resumed = scan(&sandbox, STORE, &[&arguments[..], &[&resume]].concat()).exited(0);
    assert_eq!(resumed.observations().len() as u64, 1024 - covered);
    let copy = Copy::of(&sandbox);
    assert_eq!(copy.ledger.resumable(&id).unwrap(), None);
    let expected = range.expected().map(|(_, behaviour)| behaviour.expected_of_leaf());
    let matches = expected.filter(|expected| expected.matches).count() as u64;
    assert_eq!(copy.ledger.findings(&id, 0).unwrap().total, matches);
}

/// The ledger and its log as they are in the sandbox, opened somewhere with room.
struct Copy {
    ledger: Ledger,
    _directory: TempDir,
}

impl Copy {
    fn of(sandbox: &Sandbox) -> Self {
        let directory = tempfile::tempdir().unwrap();
        for entry in std::fs::read_dir(sandbox.outside("small")).unwrap() {
            let entry = entry.unwrap();
            // What is shared between processes is made again from the log.
            if entry.file_name() != "ledger.db-shm" {
                std::fs::copy(entry.path(), directory.path().join(entry.file_name())).unwrap();
            }
        }
        let ledger = Ledger::open(&directory.path().join("ledger.db")).unwrap();
        Self { ledger, _directory: directory }
    }
}
