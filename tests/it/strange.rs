//! Strange but possible: second names of addresses, rates beyond clocks, names that are no text, escapes.

use crate::support::{Running, Workspace};

#[test]
fn rates_that_no_clock_can_keep_are_refused() {
    let workspace = Workspace::new();
    for rate in ["1e-20", "0", "-5", "nan", "inf"] {
        let refused = workspace.run(&format!("scan 127.0.0.1 --rate {rate}")).expect(2);
        assert_eq!(
            refused.complaint(),
            "--rate must be a number of connections per second, at least 0.001"
        );
    }
    let tiny = "name = \"lo\"\ninclude = [\"127.0.0.1\"]\nports = [443]\nrate = 1e-30\n";
    workspace.write("scope.toml", tiny);
    let refused = workspace.run("scan --scope scope.toml").expect(2);
    assert_eq!(
        refused.complaint(),
        "scope.toml:4:8: 'rate' must be at least 0.001 connections per second"
    );
}

#[test]
fn ipv4_has_no_second_name() {
    let workspace = Workspace::new();
    for range in ["64:ff9b::7f00:1", "2002:7f00:1::1", "::ffff:127.0.0.1", "::127.0.0.1"] {
        let line = format!("scan {range} --authorised-by me --contact me --ports 443");
        let refused = workspace.run(&line).expect(2);
        assert!(refused.complaint().contains("is never probed"), "{}", refused.complaint());
    }
}

#[test]
fn names_that_are_no_text_are_taken_as_they_are() {
    use std::os::unix::ffi::OsStrExt;
    let workspace = Workspace::new();
    let name = std::ffi::OsStr::from_bytes(b"odd-\xff.db");
    let mut command = workspace.command("scan 127.0.0.1 --ports 9");
    Running::start(command.arg("--store").arg(name)).finish().expect(0);
    assert!(workspace.path("").join(name).exists());
}

#[test]
fn what_a_stranger_wrote_reaches_no_terminal_unescaped() {
    let workspace = Workspace::new();
    let set = "\"\\u001b[31mEVIL\" = 1\nname = \"s\"\ntlp = \"clear\"\n[[source]]\nid = \"r\"\n\
               title = \"t\"\n[[address]]\naddress = \"192.0.2.1\"\nsource = \"r\"\n";
    workspace.write("set.toml", set);
    let refused = workspace.run("indicators check set.toml").expect(2);
    assert!(!refused.stderr.contains('\u{1b}'), "{:?}", refused.stderr);
    assert!(refused.stderr.contains("\\u{1b}[31mEVIL"), "{}", refused.stderr);
}

#[test]
fn a_scope_file_says_all_that_a_command_line_could() {
    let workspace = Workspace::new();
    workspace.write("scope.toml", "name = \"lo\"\ninclude = [\"127.0.0.1\"]\nports = [443]\n");
    let refused = workspace.run("scan --scope scope.toml --authorised-by me").expect(2);
    assert_eq!(
        refused.complaint(),
        "--authorised-by beside a scope file, which says who permits it"
    );
    let refused = workspace.run("scan 127.0.0.2 --scope scope.toml").expect(2);
    assert!(refused.complaint().starts_with("127.0.0.2 beside a scope file"));
}
