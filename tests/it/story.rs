//! Six nights of one range: an indicator's certificate is found on two hosts, moves to a third while one is down and one
//! serves another certificate, and is gone and back again. What is told of each night is written here.

use std::net::Ipv4Addr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use certsweep::lab::{Field, FieldServer};
use tokio::runtime::Runtime;

use crate::support::{Finished, Workspace, parse, query, runtime};

/// What the hosts 1 to 4 do in each night: `i` shows the indicator, `p` a plain certificate, `d` is down, and `-` ends
/// the connection at once. All other hosts do that in every night.
const NIGHTS: [&str; 6] = ["ii-p", "dpip", "ipip", "-p-p", "-p.p", "ipip"];

/// The /29 that is swept.
const NETWORK: Ipv4Addr = Ipv4Addr::new(127, 83, 7, 0);

struct Story {
    field: Field,
    night: Arc<AtomicUsize>,
    workspace: Workspace,
    _runtime: Runtime,
}

impl Story {
    fn begin() -> Self {
        let night = Arc::new(AtomicUsize::new(0));
        let runtime = runtime();
        let entered = runtime.enter();
        let tonight = Arc::clone(&night);
        let choose = move |address: Ipv4Addr| {
            let hosts = NIGHTS[tonight.load(Ordering::SeqCst)].as_bytes();
            let host = (address.to_bits() - NETWORK.to_bits()) as usize;
            match host.checked_sub(1).and_then(|host| hosts.get(host)) {
                Some(b'i') => FieldServer::Indicator,
                Some(b'p') => FieldServer::Tls13,
                Some(b'd' | b'.') => FieldServer::Hold,
                _ => FieldServer::Accept,
            }
        };
        let field = Field::start_with(choose, 0).unwrap();
        drop(entered);
        let workspace = Workspace::new();
        workspace.write("field.toml", field.indicator_set_toml());
        Self { field, night, workspace, _runtime: runtime }
    }

    /// Sweeps in the night with this number, from 1.
    fn sweep(&self, night: usize, more: &str) -> Finished {
        self.night.store(night - 1, Ordering::SeqCst);
        let line = format!(
            "scan {NETWORK}/29 --ports {} --indicators field.toml --timeout 1 --seed 7 --concurrency 1 {more}",
            self.field.port()
        );
        self.workspace.run(&line)
    }

    /// What `line` prints, without times and what differs from one run to the next.
    fn told(&self, line: &str) -> String {
        let text = self.workspace.run(line).expect(0).stdout;
        let text = text
            .replace(&self.field.indicator().sha1.to_string(), "INDICATOR")
            .replace(&self.field.indicator().sha1.to_string()[..8], "INDICAT~")
            .replace(&self.field.leaf().sha1.to_string(), "PLAIN")
            .replace(&format!(":{}", self.field.port()), ":PORT");
        without_times(&text)
    }
}

/// `2026-11-24 02:18:24` becomes `TIME`.
fn without_times(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    let is_time = |text: &str| {
        let form = "dddd-dd-dd dd:dd:dd";
        text.len() >= form.len()
            && form.chars().zip(text.chars()).all(|(form, char)| match form {
                'd' => char.is_ascii_digit(),
                form => form == char,
            })
    };
    while let Some(char) = rest.chars().next() {
        let length = if is_time(rest) { "2026-11-24 02:18:24".len() } else { char.len_utf8() };
        out.push_str(if length == char.len_utf8() { &rest[..length] } else { "TIME" });
        rest = &rest[length..];
    }
    out
}

/// The rows of a Markdown table, cells trimmed, and the line that sums up.
fn rows(text: &str) -> Vec<String> {
    let row = |line: &str| {
        let cells: Vec<&str> = line.trim_matches('|').split('|').map(str::trim).collect();
        cells.join(" | ")
    };
    text.lines().filter(|line| !line.is_empty()).skip(2).map(row).collect()
}

/// What a diff says of a night: the number of rows of each kind.
fn summary(changes: [u32; 5], open: [u32; 3]) -> String {
    let [new, moved, returned, rotated, gone] = changes;
    let [missing, unreachable, not_tried] = open;
    format!(
        "from TIME to TIME (UTC): new {new}, moved {moved}, returned {returned}, rotated {rotated}, \
         gone {gone}; not gone: missing {missing}, unreachable {unreachable}, not tried {not_tried}"
    )
}

const INDICATOR: &str = "sha1:INDICATOR vpn000000001[.]demo[.]invalid";
const PLAIN: &str = "sha1:PLAIN p256[.]lab[.]invalid";

/// A row of a diff: what, at which host, which certificate, and what was there or where it was before.
fn row(what: &str, host: u8, certificate: &str, before: &str) -> String {
    format!(
        "{what} | 127.83.7[.]{host}:PORT | {certificate} | TIME | {before} | A sha1:INDICAT~\u{2026} | \
         demo / demo-2026-11-24"
    )
}

#[test]
fn each_night_tells_what_changed_and_never_calls_gone_what_did_not_answer() {
    let story = Story::begin();
    let night = |night: usize, exit: i32, expected: &[String]| {
        story.sweep(night, "--fail-on new").expect(exit);
        let told = story.told("diff --format markdown");
        assert_eq!(rows(&told), expected, "night {night}: {told}");
    };
    let is_new = |host| row("new", host, INDICATOR, "-");
    night(1, 10, &[is_new(1), is_new(2), summary([2, 0, 0, 0, 0], [0, 0, 0])]);
    let moved = row("moved", 3, INDICATOR, "127.83.7[.]2:PORT TIME");
    night(
        2,
        10,
        &[
            moved,
            row("missing 1x", 2, INDICATOR, "-"),
            row("unreachable", 1, INDICATOR, "-"),
            summary([0, 1, 0, 0, 0], [1, 1, 0]),
        ],
    );
    night(3, 0, &[row("rotated", 2, PLAIN, INDICATOR), summary([0, 0, 0, 1, 0], [0, 0, 0])]);
    let missing = |host| row("missing 1x", host, INDICATOR, "-");
    night(4, 0, &[missing(1), missing(3), summary([0; 5], [2, 0, 0])]);
    night(
        5,
        0,
        &[
            row("gone", 1, INDICATOR, "-"),
            row("unreachable", 3, INDICATOR, "-"),
            summary([0, 0, 0, 0, 1], [0, 1, 0]),
        ],
    );
    night(6, 10, &[row("returned", 1, INDICATOR, "-"), summary([0, 0, 1, 0, 0], [0; 3])]);
    kept(&story);
}

/// What the ledger holds after the six nights.
fn kept(story: &Story) {
    let transitions = query(
        &story.workspace.ledger(),
        "SELECT kind, address, tier FROM transitions ORDER BY time, address",
    );
    let expected = [
        "new 127.83.7.1 A",
        "new 127.83.7.2 A",
        "moved 127.83.7.3 A",
        "rotated 127.83.7.2 A",
        "gone 127.83.7.1 A",
        "returned 127.83.7.1 A",
    ];
    assert_eq!(transitions, expected);
    let found = story.told(&format!("search {} --format csv", story.field.indicator().sha1));
    let column = |line: &str, at: usize| line.split(',').nth(at).unwrap().to_owned();
    let counts: Vec<_> =
        found.lines().skip(1).map(|line| (column(line, 9), column(line, 14))).collect();
    let expected = [("127.83.7.1", "3"), ("127.83.7.2", "1"), ("127.83.7.3", "3")];
    assert_eq!(counts, expected.map(|(address, count)| (address.to_owned(), count.to_owned())));
    // Everything: the plain certificate at hosts 2 and 4 too, and what happened in all nights together.
    let all = story.told("diff --since today --all --format markdown");
    let all: Vec<String> = rows(&all).into_iter().map(|row| row.replace(" | TIME", "")).collect();
    let kind = |row: &String| row.split(" | ").take(2).collect::<Vec<_>>().join(" ");
    let told: Vec<String> = all.iter().map(kind).collect();
    assert_eq!(told[..told.len() - 1].len(), 8, "{told:?}");
    assert_eq!(all.last().unwrap(), &summary([3, 2, 1, 1, 1], [0; 3]));
}

/// A single scan that was not looked at since, and a place that was not tried, are told as that.
#[test]
fn what_was_not_tried_is_told_as_that() {
    let story = Story::begin();
    story.sweep(1, "").expect(0);
    let other = format!("scan 127.83.7.8/29 --ports {} --timeout 1", story.field.port());
    story.workspace.run(&other).expect(0);
    let told = story.told("diff --format markdown");
    let expected = [
        row("not tried", 1, INDICATOR, "-"),
        row("not tried", 2, INDICATOR, "-"),
        summary([0; 5], [0, 0, 2]),
    ];
    assert_eq!(rows(&told), expected, "{told}");
    let scans = query(&story.workspace.ledger(), "SELECT id FROM scan ORDER BY started");
    let told = story.told(&format!("diff {} --format markdown", scans[0]));
    assert_eq!(rows(&told).last().unwrap(), &summary([2, 0, 0, 0, 0], [0; 3]));
    let told = story.told(&format!("diff {} {} --format markdown", scans[0], scans[1]));
    assert_eq!(rows(&told).last().unwrap(), &summary([0; 5], [0, 0, 2]));
    let unknown = story.workspace.run("diff 01JD0000000000000000000000").expect(2);
    assert!(
        unknown.stderr.contains("holds no scan 01JD0000000000000000000000"),
        "{}",
        unknown.stderr
    );
}

/// The same six nights as a job of `watch`, which visits known matches first: two visits a night. What is told stands
/// in a file, each transition once.
#[test]
fn a_nightly_job_tells_of_each_transition_once() {
    let story = Story::begin();
    story.workspace.write(
        "scope.toml",
        format!(
            "name = \"story\"\ninclude = [\"{NETWORK}/29\"]\nports = [{}]\n",
            story.field.port()
        ),
    );
    story.workspace.write(
        "certsweep.toml",
        "timeout = 1\n[[alert]]\nname = \"log\"\nfile = \"alerts.jsonl\"\n\
         [[job]]\nname = \"nightly\"\nscope = \"scope.toml\"\nindicators = [\"field.toml\"]\n",
    );
    let told_in = [
        &["new 1", "new 2"][..],
        &["moved 3", "rotated 2"],
        &[],
        &["gone 1", "gone 3"],
        &[],
        &["returned 1", "returned 3"],
    ];
    let mut before = 0;
    for (night, expected) in told_in.iter().enumerate() {
        story.night.store(night, Ordering::SeqCst);
        let has_news =
            expected.iter().any(|told| !told.starts_with(['g', 'r']) || told.starts_with("ret"));
        let exit = if has_news { 10 } else { 0 };
        story.workspace.run("watch --once nightly --fail-on new").expect(exit);
        let alerts = parse(&story.workspace.read("alerts.jsonl"));
        let mut told: Vec<String> = alerts[before..]
            .iter()
            .map(|alert| {
                let host = alert["address"].as_str().unwrap().rsplit('.').next().unwrap();
                assert_eq!(
                    (&alert["type"], &alert["job"]),
                    (&"transition".into(), &"nightly".into())
                );
                format!("{} {host}", alert["kind"].as_str().unwrap())
            })
            .collect();
        told.sort();
        assert_eq!(&told, expected, "night {}", night + 1);
        before = alerts.len();
    }
    let keys = "SELECT count(DISTINCT key) FROM transitions";
    assert_eq!(query(&story.workspace.ledger(), keys), ["8"]);
    let status = parse(&story.workspace.run("watch --status --format jsonl").expect(0).stdout);
    let channel = status.iter().find(|record| record["type"] == "alert").unwrap();
    assert_eq!((&channel["delivered"], &channel["waiting"]), (&8.into(), &0.into()));
}
