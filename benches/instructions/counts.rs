//! The counts that are committed, and those of now beside them.

use std::collections::BTreeMap;
use std::process::Command;

use serde::{Deserialize, Serialize};

use crate::cases::CASES;

const FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/benches/instructions/counts.toml");

const WRITE: &str = "cargo bench --bench instructions -- --write";

/// How many hundredths of the committed count are allowed.
const PERCENT_MAX: u64 = 110;

/// Instructions of one operation of each case.
#[derive(Deserialize, Serialize)]
pub(crate) struct Counts {
    /// What `rustc --version` says.
    rustc: String,
    instructions: BTreeMap<String, u64>,
}

impl Counts {
    /// Those of now, from the `totals` of all cases in their order.
    pub(crate) fn of(totals: Vec<u64>) -> Self {
        assert_eq!(totals.len(), CASES.len(), "callgrind has seen each case once");
        let each = CASES.iter().zip(totals);
        let each = each.map(|(case, total)| (case.name.to_owned(), total / u64::from(case.times)));
        Self { rustc: rustc(), instructions: each.collect() }
    }

    pub(crate) fn committed() -> Self {
        let text = std::fs::read_to_string(FILE).expect("the committed counts");
        toml::from_str(&text).expect("the committed counts are TOML")
    }

    pub(crate) fn write(&self) {
        let table = toml::to_string(self).expect("names and numbers");
        let text = format!(
            "# Instructions of one operation of each case of this bench, under callgrind. Written by\n\
             # {WRITE}\n\n{table}"
        );
        std::fs::write(FILE, text).expect("the project can be written to");
        println!("written: {FILE}");
    }

    /// Prints all, and gives a complaint for each case that has grown too much or that only one side knows.
    pub(crate) fn compared_with(&self, committed: &Self) -> Vec<String> {
        if self.rustc != committed.rustc {
            println!("the committed counts are of {}, these of {}", committed.rustc, self.rustc);
        }
        let mut complaints = Vec::new();
        for (name, now) in &self.instructions {
            let Some(before) = committed.instructions.get(name) else {
                complaints.push(format!("FAILED: {name} has no committed count: {WRITE}"));
                continue;
            };
            let change = 100.0 * (*now as f64 / *before as f64 - 1.0);
            println!("{name:<24} {now:>9} instructions, {before:>9} before, {change:>+6.1} %");
            if now * 100 > before * PERCENT_MAX {
                complaints.push(format!(
                    "FAILED: {name} takes {now} instructions, {before} before. If that is worth it: {WRITE}"
                ));
            }
        }
        let gone =
            committed.instructions.keys().filter(|name| !self.instructions.contains_key(*name));
        complaints.extend(gone.map(|name| format!("FAILED: there is no case {name}: {WRITE}")));
        complaints
    }
}

/// The version of the compiler in use here.
fn rustc() -> String {
    let mut run = Command::new("rustc");
    run.arg("--version").current_dir(env!("CARGO_MANIFEST_DIR"));
    String::from_utf8_lossy(&run.output().expect("rustc is installed").stdout).trim().to_owned()
}
