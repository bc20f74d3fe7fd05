//! Six nights of one range: an indicator's certificate is found on two hosts, moves to a third while one is down and one
//! serves another certificate, and is gone and back again. What is told of each night is written here.

use std::net::Ipv4Addr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use certsweep::lab::{Field, FieldServer};
use tokio::runtime::Runtime;

use crate::support::{Finished, Workspace, runtime};

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
            "scan {NETWORK}/29 --ports {} --indicators field.toml --timeout 1 {more}",
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

#[test]
fn each_night_tells_what_changed_and_never_calls_gone_what_did_not_answer() {
    let story = Story::begin();
    let source = "A sha1:INDICAT~\u{2026} | demo / demo-2026-11-24";
    let diff = |night: usize, exit: i32, expected: &[&str]| {
        story.sweep(night, "--fail-on new").expect(exit);
        let told = story.told("diff --format markdown");
        assert_eq!(rows(&told), expected, "night {night}: {told}");
    };
    let indicator = "sha1:INDICATOR vpn000000001[.]demo[.]invalid";
    let plain = "sha1:PLAIN p256[.]lab[.]invalid";
    diff(
        1,
        10,
        &[
            &format!("new | 127.83.7[.]1:PORT | {indicator} | TIME | - | {source}"),
            &format!("new | 127.83.7[.]2:PORT | {indicator} | TIME | - | {source}"),
            "from TIME to TIME (UTC): new 2, moved 0, returned 0, rotated 0, gone 0; \
             not gone: missing 0, unreachable 0, not tried 0",
        ],
    );
    let _ = plain;
}
