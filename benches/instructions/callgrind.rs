//! Runs this program under valgrind, and reads what it counted.

use std::path::Path;
use std::process::Command;

/// The instructions of each call of the functions that `pattern` names, in the order of the calls, in this program
/// started with `argument`.
pub(crate) fn totals(argument: &str, pattern: &str) -> Vec<u64> {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let out = folder.path().join("out");
    let status = Command::new("valgrind")
        .args(["--tool=callgrind", "--quiet"])
        .arg(format!("--callgrind-out-file={}", out.display()))
        .arg(format!("--toggle-collect={pattern}"))
        .arg(format!("--dump-after={pattern}"))
        .arg(std::env::current_exe().expect("our own path"))
        .arg(argument)
        .status()
        .expect("valgrind is installed");
    assert!(status.success(), "the cases fail under valgrind: {status}");
    // Each call has a file of its own; the one without a number is of what came after the last.
    let files = (1..).map(|number| out.with_extension(number.to_string()));
    files.take_while(|file| file.exists()).map(|file| total(&file)).collect()
}

/// What a file of callgrind's says was counted in all.
fn total(file: &Path) -> u64 {
    let text = std::fs::read_to_string(file).expect("a file that was just written");
    let total = text.lines().find_map(|line| line.strip_prefix("totals: "));
    total.and_then(|total| total.trim().parse().ok()).expect("a line of totals")
}
