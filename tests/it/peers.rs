//! `benches/peers/compare` measures what is there, and says what is not.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Output};

use crate::support::Workspace;

/// What stands in for another scanner: a certificate for every address that it is given.
const FINDS_ALL: &str = r#"#!/bin/sh
exec sed 's/.*/{"address":"&","sha256":"00"}/' >"$4"
"#;

/// The script's output, or `None` where there is no Python to run it.
fn compared(workspace: &Workspace, arguments: &[&str]) -> Option<Output> {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/peers/compare");
    let python = Command::new("python3").arg("--version").output();
    if !python.is_ok_and(|version| version.status.success()) {
        return None;
    }
    let mut command = Command::new("python3");
    // Nothing is left beside the script.
    command.arg("-B").arg(script).args(arguments).current_dir(workspace.path("."));
    Some(command.output().unwrap())
}

/// The figures of the row that begins with `name`.
fn row(table: &str, name: &str) -> Vec<f64> {
    let row = table.lines().find_map(|line| line.strip_prefix(&format!("{name} ")));
    let row = row.unwrap_or_else(|| panic!("no row {name} in\n{table}"));
    let figures = row.split_whitespace().map(|figure| figure.trim_start_matches('<').parse());
    figures.collect::<Result<_, _>>().unwrap_or_else(|_| panic!("{row} in\n{table}"))
}

#[test]
fn every_program_that_is_there_is_run_on_both_versions() {
    let workspace = Workspace::new();
    workspace.write("finds-all", FINDS_ALL);
    let executable = Permissions::from_mode(0o700);
    fs::set_permissions(workspace.path("finds-all"), executable).unwrap();
    let program = env!("CARGO_BIN_EXE_certsweep");
    let line = ["--certsweep", program, "--targets", "50", "--runs", "1", "--seconds", "20"];
    let stand_in = ["--bare", "./finds-all", "--zgrab2", "no-such-program"];
    let Some(output) = compared(&workspace, &[&line[..], &stand_in].concat()) else { return };
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(0), "{stderr}");
    assert!(stderr.contains("skipped: zgrab2: no program at no-such-program\n"), "{stderr}");
    for name in ["tlsx", "rxds", "masscan"] {
        assert!(stderr.contains(&format!("skipped: {name}: no path given\n")), "{stderr}");
    }
    let table = String::from_utf8(output.stdout).unwrap();
    for version in ["TLS 1.2", "TLS 1.3"] {
        for name in ["certsweep", "certsweep full", "bare Go client"] {
            let figures = row(&table, &format!("{version}   {name:16}"));
            assert_eq!((figures.len(), figures[3]), (4, 50.0), "{table}");
            assert!(figures[..3].iter().all(|figure| *figure > 0.0), "{table}");
        }
    }
}

#[test]
fn without_the_program_there_is_nothing_to_compare() {
    let workspace = Workspace::new();
    let Some(output) = compared(&workspace, &["--certsweep", "no-such-program"]) else { return };
    assert_eq!((output.status.code(), output.stdout.len()), (Some(1), 0));
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert!(stderr.starts_with("no program at no-such-program: build it"), "{stderr}");
}
