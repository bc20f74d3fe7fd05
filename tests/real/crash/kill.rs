//! `kill -9` in the middle of any write: nothing that was told is lost, nothing is half written, and who goes on ends
//! where an undisturbed run ends.

use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};

use tempfile::TempDir;

use super::writer::{BATCHES, command, told};
use super::{assert_whole, dump};

/// The system calls by which a ledger changes.
const CALLS: &str = "pwrite64,write,fdatasync,fsync,ftruncate,openat,unlink,fcntl";

/// Points at which the writer is killed, at least.
const POINTS: usize = 200;

/// How many of its system calls the writer makes when nobody disturbs it, and what it leaves.
fn undisturbed() -> (usize, Vec<String>) {
    let folder = TempDir::new().unwrap();
    let (ledger, trace) = (folder.path().join("ledger.db"), folder.path().join("trace"));
    let calls = format!("trace={CALLS}");
    let wrapper = ["strace", "-f", "-e", &calls, "-o", trace.to_str().unwrap()];
    let ran = command(&wrapper, &ledger).output().expect("strace runs, and may trace");
    assert_eq!(told(&ran.stdout), (1..=BATCHES).collect::<Vec<_>>(), "{ran:?}");
    let trace = std::fs::read_to_string(trace).unwrap();
    (trace.lines().filter(|line| line.contains(") = ")).count(), dump(&ledger))
}

/// Kills the writer at its system call number `call`, and looks; then lets another go on, and looks again.
fn kill_at(call: usize, folder: &Path, expected: &[String]) -> bool {
    let ledger = folder.join(format!("{call}.db"));
    let inject = format!("inject={CALLS}:signal=SIGKILL:when={call}");
    let calls = format!("trace={CALLS}");
    let wrapper = ["strace", "-f", "-o", "/dev/null", "-e", &calls, "-e", &inject];
    let killed = command(&wrapper, &ledger).output().unwrap();
    let told_of = told(&killed.stdout).last().copied().unwrap_or(0);
    let at = format!("killed at call {call}");
    if ledger.exists() {
        assert_whole(&ledger, told_of, &at);
    } else {
        assert_eq!(told_of, 0, "{at}");
    }
    let went_on = command(&[], &ledger).output().unwrap();
    assert!(went_on.status.success(), "{at}: {went_on:?}");
    assert_eq!(dump(&ledger), expected, "{at}");
    !killed.status.success()
}

#[test]
fn killed_at_two_hundred_points_nothing_that_was_told_is_lost() {
    let (calls, expected) = undisturbed();
    let step = (calls / POINTS).max(1);
    let points: Vec<usize> = (1..=calls).step_by(step).collect();
    assert!(points.len() >= POINTS, "the writer makes only {calls} calls");
    let (folder, next, killed) =
        (TempDir::new().unwrap(), AtomicUsize::new(0), AtomicUsize::new(0));
    std::thread::scope(|scope| {
        for _ in 0..std::thread::available_parallelism().map_or(2, usize::from) {
            scope.spawn(|| {
                while let Some(call) = points.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let was_killed = kill_at(*call, folder.path(), &expected);
                    killed.fetch_add(usize::from(was_killed), Ordering::Relaxed);
                }
            });
        }
    });
    // Threads of the test program make some of the calls, and not always as many.
    let killed = killed.into_inner();
    assert!(killed * 10 >= points.len() * 9, "{killed} of {} were killed", points.len());
}
