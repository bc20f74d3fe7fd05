//! JSON Lines back into values that can be compared.

use std::collections::BTreeMap;

use certsweep::domain::address::Target;
use serde_json::Value;

/// What a visit found, as far as the lab determines it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Row {
    pub(crate) outcome: String,
    pub(crate) detail: Option<String>,
    pub(crate) ended: Option<String>,
    pub(crate) sha1: Option<String>,
    pub(crate) key_proven: Option<bool>,
    pub(crate) handshake_finished: bool,
    pub(crate) matches: Vec<String>,
    pub(crate) tls_version: Option<String>,
}

/// What a sweep found, by target.
pub(crate) type Table = BTreeMap<Target, Row>;

/// Every line of `text` as JSON.
#[track_caller]
pub(crate) fn parse(text: &str) -> Vec<Value> {
    assert!(text.is_empty() || text.ends_with('\n'), "a torn last line");
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}")))
        .collect()
}

/// Every observation among the lines of `text`, in order.
#[track_caller]
pub(crate) fn observations(text: &str) -> Vec<(Target, Row)> {
    let records = parse(text);
    records.iter().filter(|record| record["type"] == "observation").map(observation).collect()
}

/// The observations of `text` by target, each of which may be there once.
#[track_caller]
pub(crate) fn table(text: &str) -> Table {
    let mut table = Table::new();
    for (target, row) in observations(text) {
        assert_eq!(table.insert(target, row), None, "{target} stands twice");
    }
    table
}

/// The target and the row of one record.
pub(crate) fn observation(record: &Value) -> (Target, Row) {
    let text = |value: &Value| value.as_str().map(str::to_owned);
    let address = record["address"].as_str().unwrap().parse().unwrap();
    let port = record["port"].as_u64().unwrap().try_into().unwrap();
    let (evidence, leaf) = (&record["evidence"], &record["leaf"]);
    assert_eq!(record["schema"], 1);
    assert_eq!(evidence["presented"], !leaf.is_null(), "{record}");
    let row = Row {
        outcome: text(&record["outcome"]).unwrap(),
        detail: detail(&record["detail"]),
        ended: text(&record["ended"]),
        sha1: text(&leaf["sha1"]),
        key_proven: evidence["key_proven"].as_bool(),
        handshake_finished: evidence["handshake_finished"].as_bool().unwrap(),
        matches: record["matches"]
            .as_array()
            .unwrap()
            .iter()
            .map(|found| text(&found["indicator"]).unwrap())
            .collect(),
        tls_version: text(&record["tls"]["version"]),
    };
    (Target::new(address, port), row)
}

/// The detail as people read it: `http`, `fatal protocol_version(70)`.
fn detail(detail: &Value) -> Option<String> {
    if let Some(protocol) = detail["protocol"].as_str() {
        return Some(protocol.to_owned());
    }
    let (level, description) = (detail["level"].as_str()?, detail["description"].as_str()?);
    Some(format!("{level} {description}({})", detail["code"]))
}

/// Makes sure that `seen` is `expected`, and names the first few targets for which it is not.
#[track_caller]
pub(crate) fn assert_same(seen: &Table, expected: &Table) {
    let targets = seen.keys().chain(expected.keys().filter(|target| !seen.contains_key(*target)));
    let wrong: Vec<String> = targets
        .filter(|target| seen.get(*target) != expected.get(*target))
        .map(|target| {
            format!("{target}: {:?}\n  instead of {:?}", seen.get(target), expected.get(target))
        })
        .collect();
    let shown = wrong.iter().take(5).cloned().collect::<Vec<_>>().join("\n");
    assert!(wrong.is_empty(), "{} of {} are wrong:\n{shown}", wrong.len(), expected.len());
}
