//! `kill -9` in the middle of any write: nothing that was told is lost, nothing is half written, and who goes on ends
//! where an undisturbed run ends.

use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};

use tempfile::TempDir;

use super::writer::{BATCHES, command, told};
use super::{assert_whole, dump};

/// The system calls by which a ledger changes, and those that lock it, which come between all others.
const WRITES: [&str; 6] = ["pwrite64", "fdatasync", "fsync", "ftruncate", "unlink", "openat"];
const LOCKS: &str = "fcntl";

/// Points at which the writer is killed, at least.
const POINTS: usize = 200;

/// A system call of the writer: which, and its number among those of the same name, from 1.
type Point = (&'static str, usize);

/// The system calls that the writer makes when nobody disturbs it, and what it leaves.
fn undisturbed() -> (Vec<Point>, Vec<String>) {
    let folder = TempDir::new().unwrap();
    let (ledger, trace) = (folder.path().join("ledger.db"), folder.path().join("trace"));
    let calls = format!("trace={},{LOCKS}", WRITES.join(","));
    let wrapper = ["strace", "-f", "-e", &calls, "-o", trace.to_str().unwrap()];
    let ran = command(&wrapper, &ledger).output().expect("strace runs, and may trace");
    assert_eq!(told(&ran.stdout), (1..=BATCHES).collect::<Vec<_>>(), "{ran:?}");
    let trace = std::fs::read_to_string(trace).unwrap();
    // strace counts the calls of each thread and name apart, and it is the writer's thread that matters.
    let writer = trace.lines().find(|line| line.contains("pwrite64(")).unwrap();
    let writer = writer.split(' ').next().unwrap().to_owned();
    let count = |name: &str| {
        let begin = format!("{writer} {name}(");
        trace
            .lines()
            .filter(|line| {
                line.split_whitespace().collect::<Vec<_>>().join(" ").starts_with(&begin)
            })
            .count()
    };
    let mut points: Vec<Point> = WRITES
        .iter()
        .flat_map(|name| (1..=count(name)).map(move |number| (*name, number)))
        .collect();
    let missing = POINTS.saturating_sub(points.len()).max(20);
    let locks = count(LOCKS);
    points.extend((1..=locks).step_by((locks / missing).max(1)).map(|number| (LOCKS, number)));
    (points, dump(&ledger))
}

/// Kills the writer at `point`, and looks; then lets another go on, and looks again. Whether it was killed.
fn kill_at(point: Point, folder: &Path, expected: &[String]) -> bool {
    let (call, number) = point;
    let ledger = folder.join(format!("{call}-{number}.db"));
    let inject = format!("inject={call}:signal=SIGKILL:when={number}");
    let trace = format!("trace={call}");
    let wrapper = ["strace", "-f", "-o", "/dev/null", "-e", &trace, "-e", &inject];
    let killed = command(&wrapper, &ledger).output().unwrap();
    let told_of = told(&killed.stdout).last().copied().unwrap_or(0);
    let at = format!("killed at {call} number {number}");
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
    let (points, expected) = undisturbed();
    assert!(points.len() >= POINTS, "the writer makes only {} calls", points.len());
    let (folder, next, killed) =
        (TempDir::new().unwrap(), AtomicUsize::new(0), AtomicUsize::new(0));
    std::thread::scope(|scope| {
        for _ in 0..std::thread::available_parallelism().map_or(2, usize::from) {
            scope.spawn(|| {
                while let Some(point) = points.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let was_killed = kill_at(*point, folder.path(), &expected);
                    killed.fetch_add(usize::from(was_killed), Ordering::Relaxed);
                }
            });
        }
    });
    // Not every run makes as many calls.
    let killed = killed.into_inner();
    assert!(killed * 10 >= points.len() * 9, "{killed} of {} were killed", points.len());
}
