//! The program itself, run inside a sandbox.

use std::process::Output;

use serde_json::Value;

use super::sandbox::{CERTSWEEP, Sandbox};

/// What a run left behind.
pub(crate) struct Ran {
    /// The exit code.
    pub(crate) code: Option<i32>,
    /// Standard output.
    pub(crate) stdout: String,
    /// The lines of standard error.
    pub(crate) stderr: Vec<String>,
}

impl From<Output> for Ran {
    fn from(output: Output) -> Self {
        let text = |bytes| String::from_utf8(bytes).unwrap();
        Self {
            code: output.status.code(),
            stdout: text(output.stdout),
            stderr: text(output.stderr).lines().map(str::to_owned).collect(),
        }
    }
}

impl Ran {
    /// This run, which must have exited with `code`.
    #[track_caller]
    pub(crate) fn exited(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "{:#?}", self.stderr);
        self
    }

    /// The visits, if results were asked for as JSON lines.
    pub(crate) fn observations(&self) -> Vec<Value> {
        let records = self.stdout.lines().map(|line| serde_json::from_str(line).unwrap());
        records.filter(|record: &Value| record["type"] == "observation").collect()
    }

    /// The id of the scan, from its first line on standard error.
    pub(crate) fn scan(&self) -> String {
        let ids = self.stderr.iter().filter_map(|line| line.strip_prefix("scan "));
        ids.flat_map(str::split_whitespace).next().expect("the scan is named").to_owned()
    }
}

/// `certsweep scan` inside `sandbox`: records as JSON lines, and everything in the same order each time.
pub(crate) fn scan(sandbox: &Sandbox, store: &str, arguments: &[&str]) -> Ran {
    let always = ["scan", "--format", "jsonl", "--seed", "1", "--store", store];
    sandbox.run(CERTSWEEP, always.iter().chain(arguments)).into()
}

/// The text of an indicator set that names the leaves with these SHA-1.
pub(crate) fn indicator_set(name: &str, leaves: &[&str]) -> String {
    let mut text = format!(
        "name = \"{name}\"\ntlp = \"clear\"\n\n[[source]]\nid = \"report\"\ntitle = \"A report\"\n"
    );
    for sha1 in leaves {
        text += &format!("\n[[certificate]]\nsha1 = \"{sha1}\"\nsource = \"report\"\n");
    }
    text
}
