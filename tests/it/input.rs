//! What people get wrong and what the system denies: one clear line, the right exit code, nothing sent.

use std::collections::BTreeSet;
use std::io::BufRead;

use certsweep::store::Ledger;
use rusqlite::Connection;

use crate::support::{
    Lab, Running, TrappedPort, Workspace, assert_same, observations, query, single, table,
};

/// A scope over one loopback address, with a trap there that notices any connection.
struct Trapped {
    workspace: Workspace,
    trap: TrappedPort,
}

impl Trapped {
    fn set() -> Self {
        Self { workspace: Workspace::new(), trap: TrappedPort::set() }
    }

    /// Writes a scope file that would reach the trap if it were not for its `first_lines`, runs a
    /// scan with it and gives back the complaint.
    #[track_caller]
    fn scope(&self, first_lines: &str, code: i32) -> String {
        let rest = format!("name = \"lo\"\nports = [{}]\n", self.trap.port());
        self.workspace.write("scope.toml", format!("{first_lines}\n{rest}"));
        self.refused("--scope scope.toml", code)
    }

    /// Runs a scan of the trap with `arguments` and gives back the complaint.
    #[track_caller]
    fn range(&self, arguments: &str, code: i32) -> String {
        self.refused(&format!("127.0.0.1 --ports {} {arguments}", self.trap.port()), code)
    }

    #[track_caller]
    fn refused(&self, arguments: &str, code: i32) -> String {
        let refused = self.workspace.run(&format!("scan {arguments}")).expect(code);
        self.trap.assert_untouched();
        refused.complaint().to_owned()
    }
}

const HERE: &str = "include = [\"127.0.0.1\"]";

#[test]
fn scope_files_that_cannot_be_read() {
    let trapped = Trapped::set();
    assert_eq!(
        trapped.refused("--scope nowhere.toml", 2),
        "cannot read scope nowhere.toml: No such file or directory (os error 2)"
    );
    std::fs::create_dir(trapped.workspace.path("folder")).unwrap();
    assert_eq!(
        trapped.refused("--scope folder", 2),
        "cannot read scope folder: Is a directory (os error 21)"
    );
    trapped.workspace.write("binary.toml", b"name = \"a\"\n\xff\xfe\n");
    assert_eq!(trapped.refused("--scope binary.toml", 2), "binary.toml:2: not UTF-8 text");
}

#[test]
fn scopes_outside_their_days() {
    let trapped = Trapped::set();
    assert_eq!(
        trapped.scope(&format!("valid_until = 2020-02-29\n{HERE}"), 3),
        "scope 'lo' expired: it was valid until 2020-02-29 (UTC); nothing was sent"
    );
    assert_eq!(
        trapped.scope(&format!("valid_from = 2199-01-01\n{HERE}"), 3),
        "scope 'lo' is not valid before 2199-01-01 (UTC); nothing was sent"
    );
    assert_eq!(
        trapped.scope(&format!("valid_from = 2026-12-01\nvalid_until = 2026-11-01\n{HERE}"), 2),
        "scope.toml:2:15: valid_until 2026-11-01 comes before valid_from 2026-12-01: the scope is \
         never valid"
    );
}

#[test]
fn scope_files_with_mistakes() {
    let trapped = Trapped::set();
    for (lines, complaint) in [
        (
            "include = [\"127.0.0.1/24\"]",
            "1:12: 127.0.0.1/24 has host bits set; did you mean 127.0.0.0/24?",
        ),
        (
            "include = [\n  \"127.0.0.0/24\",\n  \"127.0.0.0/25\",\n]",
            "3:3: 127.0.0.0/25 overlaps 127.0.0.0/24 of line 2; keep the wider one",
        ),
        (
            "include = [\"127.0.0.1\"]\nexlude = [\"127.0.0.1\"]",
            "2:1: unknown key 'exlude'; did you mean 'exclude'?",
        ),
        (
            "include = [\"127.0.0.0/31\"]\nexclude = [\"127.0.0.0/24\"]",
            "1:1: nothing is left of the includes: 127.0.0.0/24 is excluded by the scope",
        ),
        ("include = [\"127.0.0.1\"", "2:1: missing comma between array elements, expected `,`"),
        ("include = [\"127.0.0.1\"]\nrate = 0", "2:8: 'rate' must be a number greater than 0"),
        (
            "include = [\"127.0.0.1\"]\nvalid_until = \"2099-01-01\"",
            "2:15: 'valid_until' is a string, expected a day such as 2026-11-24, without quotes",
        ),
    ] {
        let said = trapped.scope(lines, 2);
        assert!(said.starts_with(&format!("scope.toml:{complaint}")), "{said}");
    }
}

#[test]
fn port_zero_and_ports_that_are_none() {
    let trapped = Trapped::set();
    let zero = "port 0 cannot be probed; ports go from 1 to 65535";
    trapped.workspace.write("scope.toml", format!("name = \"lo\"\n{HERE}\nports = [443, 0]\n"));
    assert_eq!(trapped.refused("--scope scope.toml", 2), format!("scope.toml:3:15: {zero}"));
    for (ports, complaint) in [
        ("0", zero),
        ("65536", "port 65536 is too large; ports go from 1 to 65535"),
        ("90-80", "the port range 90-80 runs backwards"),
        ("http", "'http' is no port, range or list (lists: softether, softether-wide, https)"),
    ] {
        let said = trapped.refused(&format!("127.0.0.1 --ports {ports}"), 2);
        assert_eq!(said, format!("--ports: {complaint}"));
    }
}

#[test]
fn ports_and_rates_beyond_the_scope() {
    let trapped = Trapped::set();
    let scope = format!("name = \"lo\"\n{HERE}\nports = [443]\nrate = 10\n");
    trapped.workspace.write("scope.toml", scope);
    assert_eq!(
        trapped.refused(&format!("--scope scope.toml --ports {}", trapped.trap.port()), 3),
        format!(
            "port {} is outside scope 'lo', which permits 443; nothing was sent",
            trapped.trap.port()
        )
    );
    assert_eq!(
        trapped.refused("--scope scope.toml --rate 11", 3),
        "rate 11 is beyond the 10 that scope 'lo' permits; nothing was sent"
    );
    assert_eq!(
        trapped.refused("--scope scope.toml 127.0.0.2", 2),
        "127.0.0.2 beside a scope file (--scope or CERTSWEEP_SCOPE), which says all; narrow it \
         with --targets"
    );
}

#[test]
fn scopes_that_no_one_can_permit() {
    let trapped = Trapped::set();
    let people = "operator = \"o\"\ncontact = \"c@example.org\"\nauthorised_by = \"a\"\n";
    let days = "valid_from = 2000-01-01\nvalid_until = 2099-12-31\n";
    let all = "include = [\"0.0.0.0/1\", \"128.0.0.0/1\"]";
    assert_eq!(
        trapped.scope(&format!("{people}{days}{all}"), 3),
        "scope 'lo' includes 4,294,967,296 IPv4 addresses, more than half of all; no one can permit \
         that; nothing was sent"
    );
    for (missing, rest) in [
        ("operator", format!("{days}include = [\"192.0.2.0/24\"]")),
        ("valid_until", format!("{people}include = [\"192.0.2.0/24\"]")),
    ] {
        assert_eq!(trapped.scope(&rest, 2), format!("scope.toml:1:1: '{missing}' is missing"));
    }
}

#[test]
fn ranges_on_the_command_line() {
    let trapped = Trapped::set();
    assert_eq!(
        trapped.refused("", 3),
        "no scope: give --scope FILE, or ranges with --authorised-by and --contact; nothing was sent"
    );
    assert_eq!(
        trapped.range("192.0.2.1", 3),
        "addresses that are not loopback need --authorised-by TEXT: say who permits this, or give a \
         scope file; nothing was sent"
    );
    assert_eq!(
        trapped.range("192.0.2.1 --authorised-by me", 3),
        "addresses that are not loopback need --contact TEXT: say where its owner can reach you, or \
         give a scope file; nothing was sent"
    );
    let port = trapped.trap.port();
    assert_eq!(
        trapped.refused(&format!("127.0.0.0/16 127.1.0.0/32 --ports {port}"), 3),
        "65,537 addresses on the command line, more than 65,536: write a scope file; nothing was sent"
    );
    assert_eq!(
        trapped.range("--exclude 127.0.0.0/8", 2),
        "the command line: nothing is left of the includes: 127.0.0.0/8 is excluded by the scope"
    );
    assert_eq!(
        trapped.range("localhost", 2),
        "the command line: 'localhost' is no address or prefix such as 192.0.2.0/24"
    );
    assert_eq!(
        trapped.range("--exclude 127.0.0.9/8", 2),
        "--exclude: 127.0.0.9/8 has host bits set; did you mean 127.0.0.0/8?"
    );
}

#[test]
fn indicator_sets_with_mistakes() {
    const SHA1: &str = "7992c0a816246b287d991c4ecf68f2d32e4bca18";
    let trapped = Trapped::set();
    let head = "name = \"s\"\ntlp = \"clear\"\n[[source]]\nid = \"r\"\ntitle = \"t\"\n";
    let entry = |sha1: &str| format!("[[certificate]]\nsha1 = \"{sha1}\"\nsource = \"r\"\n");
    for (tail, complaint) in [
        (entry(&SHA1.replace("c0", "cO")), "7:14: no fingerprint: 'O' is no hex digit".to_owned()),
        (
            entry(SHA1) + &entry(&SHA1.to_uppercase()),
            format!("10:8: sha1:{SHA1} stands here a second time (first in line 7); keep one"),
        ),
        (
            entry(SHA1) + "labl = \"x\"\n",
            "9:1: unknown key 'labl'; did you mean 'label'?".to_owned(),
        ),
    ] {
        trapped.workspace.write("set.toml", format!("{head}{tail}"));
        let said = trapped.range("--indicators set.toml", 2);
        assert_eq!(said, format!("set.toml:{complaint}"));
    }
    assert_eq!(
        trapped.range("--indicators nowhere.toml", 2),
        "cannot read indicator set nowhere.toml: No such file or directory (os error 2)"
    );
    let same_name = format!("{head}{}", entry(SHA1)).replace("\"s\"", "\"flax-typhoon\"");
    trapped.workspace.write("set.toml", same_name);
    assert_eq!(
        trapped.range("--indicators set.toml", 2),
        "set.toml: there is a set named 'flax-typhoon' already; give this one another name"
    );
}

#[test]
fn a_target_list_never_widens_a_scope() {
    let trapped = Trapped::set();
    let port = trapped.trap.port();
    for (list, complaint) in [
        (
            format!("127.0.0.1\n127.0.0.2:{port}\n"),
            format!(
                "2:1: 127.0.0.2:{port} is outside scope 'ad-hoc'; remove it from the list; nothing \
                 was sent"
            ),
        ),
        (
            "# masscan\nopen tcp 22 127.0.0.1 1700000000\n".to_owned(),
            format!(
                "2:13: 127.0.0.1:22 is outside scope 'ad-hoc': port 22 is not among its ports \
                 ({port}); remove it from the list; nothing was sent"
            ),
        ),
        (
            "127.0.0.0/31\n".to_owned(),
            "1:1: the prefix at 127.0.0.0 is not wholly inside scope 'ad-hoc'; nothing was sent"
                .to_owned(),
        ),
    ] {
        trapped.workspace.write("list.txt", list);
        assert_eq!(trapped.range("--targets list.txt", 3), format!("list.txt:{complaint}"));
    }
}

#[test]
fn target_lists_with_mistakes() {
    let trapped = Trapped::set();
    for (list, complaint) in [
        ("127.0.0.1\nopen tcp 0 127.0.0.1 1\n", ":2:10: '0' is no port from 1 to 65535"),
        ("127.0.0.1/8\n", ":1:1: 127.0.0.1/8 has host bits set; did you mean 127.0.0.0/8?"),
        ("# nothing\n", ": the list names no target; nothing was sent"),
    ] {
        trapped.workspace.write("list.txt", list);
        assert_eq!(trapped.range("--targets list.txt", 2), format!("list.txt{complaint}"));
    }
}

#[test]
fn a_list_on_standard_input_narrows_the_sweep_in_any_form() {
    let (lab, workspace) = Lab::with_workspace();
    let (a, b, port) = (lab.host(1), lab.host(140), lab.range.ports()[0]);
    let both = [a, b].map(|address| (address, vec![port]));
    for (list, named) in [
        (
            format!(
                "open tcp {port} {a} 1700000000\nclosed tcp {port} {} 1700000000\n",
                lab.host(2)
            ),
            &both[..1],
        ),
        (
            format!(
                "[\n{{\"ip\": \"{a}\", \"ports\": [{{\"port\": {port}, \"proto\": \"tcp\", \
                 \"status\": \"open\"}}]}},\n{{\"ip\": \"{b}\", \"ports\": [{{\"port\": {port}, \
                 \"proto\": \"tcp\", \"status\": \"open\"}}]}}\n]\n"
            ),
            &both[..],
        ),
        (format!("saddr,sport\n{a},{port}\n{b},{port}\n"), &both[..]),
        (
            format!(
                "# Nmap\nHost: {a} ()\tStatus: Up\nHost: {a} ()\tPorts: {port}/open/tcp//https///, \
                 1/closed/tcp/////\n"
            ),
            &both[..1],
        ),
        (format!("{a}:{port}\n{b}:{port}  # twice\n{b}:{port}\n"), &both[..]),
        (format!("{a}\n"), &[(a, lab.range.ports().to_vec())]),
    ] {
        let line = format!("{} --targets -", lab.scan());
        let sweep = workspace.run_with_input(&line, &list).expect(0);
        let mut expected = lab.table();
        expected.retain(|target, _| {
            named
                .iter()
                .any(|(host, ports)| target.address == *host && ports.contains(&target.port))
        });
        assert_same(&table(&sweep.stdout), &expected);
    }
}

#[test]
fn shards_need_a_common_seed() {
    let trapped = Trapped::set();
    assert_eq!(
        trapped.range("--shard 1/2", 2),
        "--shard needs --seed: parts fit together only if all are cut from the same order"
    );
    for shard in ["0/2", "3/2", "1", "1/0", "a/b"] {
        let refused =
            trapped.workspace.run(&format!("scan 127.0.0.1 --seed 1 --shard {shard}")).expect(2);
        let first = refused.stderr.lines().next().unwrap();
        assert!(
            first.starts_with(&format!("error: invalid value '{shard}' for '--shard <I/N>': ")),
            "{first}"
        );
    }
}

#[test]
fn flags_that_make_no_sense() {
    let trapped = Trapped::set();
    for (flag, complaint) in [
        ("--rate 0", "--rate must be a number of connections per second, at least 0.001"),
        (
            "--rate-per-prefix inf",
            "--rate-per-prefix must be a number of connections per second, at least 0.001",
        ),
        ("--concurrency 0", "--concurrency must be at least 1"),
        ("--threads 0", "--threads must be from 1 to 256"),
        ("--threads 257", "--threads must be from 1 to 256"),
        ("--timeout 0", "--timeout must be more than 0 and at most 3600 seconds"),
        ("--timeout 1e9", "--timeout must be more than 0 and at most 3600 seconds"),
    ] {
        assert_eq!(trapped.range(flag, 2), complaint);
    }
    let unknown = trapped.workspace.run("scan 127.0.0.1 --rat 5").expect(2);
    let first = unknown.stderr.lines().next().unwrap();
    assert_eq!(first, "error: unexpected argument '--rat' found");
    assert!(unknown.stderr.contains("a similar argument exists: '--rate'"), "{}", unknown.stderr);
}

#[test]
fn settings_files_with_mistakes() {
    let trapped = Trapped::set();
    for (text, complaint) in [
        ("rat = 5\n", "1:1: unknown key 'rat'; did you mean 'rate'?"),
        ("rate = 5\nformat = \"xml\"\n", "2:10: unknown value 'xml'; known: human, jsonl, csv"),
        ("timeout = -1\n", "1:11: 'timeout' must be a number greater than 0"),
    ] {
        trapped.workspace.write("certsweep.toml", text);
        assert_eq!(trapped.range("", 2), format!("certsweep.toml:{complaint}"));
    }
    assert_eq!(
        trapped.range("--config nowhere.toml", 2),
        "cannot read settings nowhere.toml: No such file or directory (os error 2)"
    );
}

#[test]
fn stores_that_cannot_be() {
    let trapped = Trapped::set();
    trapped.workspace.write("file", "some text");
    let said = trapped.range("--store file/ledger.db", 4);
    assert!(said.starts_with("cannot create the directory of file/ledger.db: "), "{said}");
    for content in ["x", "some text that is no ledger"] {
        trapped.workspace.write("file", content);
        assert_eq!(
            trapped.range("--store file", 4),
            "file is not a certsweep ledger and was left as it is; use another --store"
        );
        assert_eq!(trapped.workspace.read("file"), content);
    }
    std::fs::create_dir(trapped.workspace.path("folder")).unwrap();
    let said = trapped.range("--store folder", 4);
    assert!(said.contains("folder"), "{said}");
}

#[test]
fn stores_of_others_and_of_later_versions_are_left_as_they_are() {
    let trapped = Trapped::set();
    let path = trapped.workspace.path("ledger.db");
    drop(Ledger::open(&path).unwrap());
    Connection::open(&path).unwrap().pragma_update(None, "user_version", 99).unwrap();
    let other = trapped.workspace.path("other.db");
    Connection::open(&other).unwrap().execute_batch("CREATE TABLE theirs (a)").unwrap();
    for (name, path, complaint) in [
        (
            "ledger.db",
            &path,
            "was written by a newer certsweep (schema 99; this one knows up to 7); update certsweep \
             or use another --store",
        ),
        (
            "other.db",
            &other,
            "is not a certsweep ledger and was left as it is; use another --store",
        ),
    ] {
        let before = std::fs::read(path).unwrap();
        let said = trapped.range(&format!("--store {name}"), 4);
        assert_eq!(said, format!("{name} {complaint}"));
        assert_eq!(std::fs::read(path).unwrap(), before);
    }
}

#[test]
fn results_never_overwrite_a_file() {
    let trapped = Trapped::set();
    trapped.workspace.write("out.jsonl", "precious\n");
    for format in ["jsonl", "csv"] {
        assert_eq!(
            trapped.range(&format!("--format {format} --output out.jsonl"), 2),
            "out.jsonl is there already; name a new file, or remove it"
        );
        assert_eq!(trapped.workspace.read("out.jsonl"), "precious\n");
    }
}

#[test]
fn a_reader_that_leaves_ends_the_sweep_and_it_can_be_resumed() {
    let (lab, workspace) = Lab::with_workspace();
    let line = format!("{} --rate 200", lab.scan());
    let (running, mut stdout) = Running::piped(&mut workspace.command(&line));
    let mut first = String::new();
    stdout.read_line(&mut first).unwrap();
    drop(stdout);
    assert!(first.contains("\"event\":\"started\""), "{first}");
    let ended = running.finish().expect(4);
    let last = ended.stderr.lines().last().unwrap();
    assert_eq!(last, "certsweep: standard output was closed by its reader");
    let id = ended.scan();
    assert!(ended.stderr.contains(&format!("--resume={id}\n")), "{}", ended.stderr);
    let resumed = workspace.run(&format!("{} --resume", lab.scan())).expect(0);
    assert_eq!(resumed.scan(), id);
    // What nobody read is not in the ledger either, and so is visited again.
    assert_same(&table(&resumed.stdout), &lab.table());
    assert_eq!(single(&workspace.ledger(), "SELECT complete, visits FROM scans"), "1 1024");
}

#[test]
fn few_descriptors_slow_a_sweep_down_and_no_more() {
    let (lab, workspace) = Lab::with_workspace();
    let sweep =
        Running::start(&mut workspace.command_with_descriptors(64, &lab.scan())).finish().expect(0);
    let note = sweep.stderr.lines().next().unwrap();
    let (count, rest) = note.split_once(' ').unwrap();
    assert!((4..40).contains(&count.parse::<u32>().unwrap()), "{note}");
    assert_eq!(
        rest,
        "connections at once instead of 1000: 64 file descriptors are allowed; raise ulimit -n for \
         more"
    );
    assert!(!sweep.stderr.contains("slowed down"), "{}", sweep.stderr);
    assert_same(&table(&sweep.stdout), &lab.table());
}

#[test]
fn too_few_descriptors_are_too_few_before_anything_is_sent() {
    let (workspace, trap) = (Workspace::new(), TrappedPort::set());
    let line = format!("scan 127.0.0.1 --ports {}", trap.port());
    let refused =
        Running::start(&mut workspace.command_with_descriptors(20, &line)).finish().expect(4);
    trap.assert_untouched();
    let said = refused.complaint();
    assert!(said.starts_with("only 20 file descriptors are allowed and "), "{said}");
    assert!(said.contains(" are in use; raise ulimit -n to at least "), "{said}");
    assert!(!workspace.ledger().exists());
}

#[test]
fn every_form_of_output_holds_every_target() {
    let (lab, workspace) = Lab::with_workspace();
    let line = lab.scan_of(format!("{}/28", lab.host(16)));
    let csv = workspace.run(&line.replace("jsonl", "csv")).expect(0).stdout;
    let human = workspace.run(&line.replace("jsonl", "human")).expect(0).stdout;
    let jsonl = observations(&workspace.run(&line).expect(0).stdout);
    let mut reader = csv::Reader::from_reader(csv.as_bytes());
    let headers = reader.headers().unwrap().clone();
    let column = |name| headers.iter().position(|header| header == name).unwrap();
    let (address, port) = (column("address"), column("port"));
    let cells: BTreeSet<String> = reader
        .records()
        .map(|record| record.unwrap())
        .map(|record| format!("{}:{}", &record[address], &record[port]))
        .collect();
    let lines: BTreeSet<String> = jsonl.iter().map(|(target, _)| target.to_string()).collect();
    assert_eq!((cells.len(), &cells), (64, &lines));
    assert!(human.starts_with("4 matches\n"), "{human}");
    assert!(human.contains("64 targets probed of 64 in the plan, coverage 100.0%\n"), "{human}");
    assert!(!human.contains(&format!("{}:", lab.host(17))), "not defanged:\n{human}");
    assert_eq!(query(&workspace.ledger(), "SELECT visits FROM scans"), ["64", "64", "64"]);
}

#[test]
fn a_report_never_overwrites_a_file() {
    let (workspace, trap) = (Workspace::new(), TrappedPort::set());
    workspace.write("out.txt", "precious\n");
    let line = format!(
        "scan 127.0.0.1 --ports {} --timeout 1 --format human --output out.txt",
        trap.port()
    );
    let refused = workspace.run(&line).expect(2);
    assert_eq!(workspace.read("out.txt"), "precious\n");
    trap.assert_untouched();
    assert_eq!(refused.complaint(), "out.txt is there already; name a new file, or remove it");
}

#[test]
fn a_report_that_cannot_be_written_is_noticed_before_anything_is_sent() {
    let (workspace, trap) = (Workspace::new(), TrappedPort::set());
    let line = format!(
        "scan 127.0.0.1 --ports {} --timeout 1 --format human --output nowhere/out.txt",
        trap.port()
    );
    workspace.run(&line).expect(4);
    trap.assert_untouched();
}

#[test]
fn a_mistyped_key_is_named() {
    let workspace = Workspace::new();
    workspace.write("scope.toml", "name = \"lo\"\ninlcude = [\"127.0.0.1\"]\nports = [443]\n");
    let refused = workspace.run("scan --scope scope.toml").expect(2);
    assert_eq!(
        refused.complaint(),
        "scope.toml:2:1: unknown key 'inlcude'; did you mean 'include'?"
    );
}

#[test]
fn a_range_given_twice_is_complained_of_in_words_of_the_command_line() {
    let workspace = Workspace::new();
    let refused = workspace.run("scan 127.0.0.1 127.0.0.1 --ports 9").expect(2);
    assert_eq!(
        refused.complaint(),
        "the command line: 127.0.0.1/32 overlaps 127.0.0.1/32; keep the wider one"
    );
}

#[test]
fn a_list_that_leaves_nothing_to_visit_is_refused() {
    let workspace = Workspace::new();
    workspace.write("scope.toml", "name = \"lo\"\ninclude = [\"127.0.0.1\"]\nports = [443, 992]\n");
    workspace.write("list.txt", "127.0.0.1:992\n");
    let line = "scan --scope scope.toml --targets list.txt --ports 443";
    let refused = workspace.run(line).expect(2);
    assert_eq!(refused.complaint(), "nothing to sweep: the target list names nothing on ports 443");
}
