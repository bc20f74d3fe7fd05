//! Help, manual pages, completions, and what `indicators` says.

use certsweep::lab::CertificateKind;

use crate::support::{Lab, Workspace};

const COMMANDS: [&str; 20] = [
    "scan",
    "watch",
    "probe",
    "search",
    "show",
    "diff",
    "store",
    "store info",
    "store check",
    "store compact",
    "store prune",
    "store merge",
    "match",
    "indicators",
    "indicators list",
    "indicators check",
    "demo",
    "bench",
    "completions",
    "man",
];

#[test]
fn completions_and_the_manual_name_every_command() {
    let workspace = Workspace::new();
    for page in ["completions bash", "completions zsh", "completions fish", "man"] {
        let text = workspace.run(page).expect(0).stdout;
        for command in COMMANDS.iter().filter(|command| !command.contains(' ')) {
            assert!(text.contains(command), "'{command}' is not in {page}");
        }
    }
}

#[test]
fn there_is_a_manual_page_for_every_command() {
    let workspace = Workspace::new();
    workspace.run("man --out pages").expect(0);
    for command in COMMANDS {
        let page = workspace.read(&format!("pages/certsweep-{}.1", command.replace(' ', "-")));
        assert!(page.contains(".SH SYNOPSIS"), "{command}");
    }
    assert!(workspace.read("pages/certsweep.1").contains("130 interrupted"));
}

/// The arguments that `help` lists without a word about them.
fn unexplained(help: &str) -> Vec<&str> {
    let lines: Vec<&str> = help.lines().collect();
    let depth = |line: &str| line.len() - line.trim_start().len();
    let starts = |line: &str| {
        (1..=6).contains(&depth(line)) && line.trim_start().starts_with(['-', '<', '['])
    };
    let explained = |at: usize| {
        let below = lines.get(at + 1).copied().unwrap_or_default();
        lines[at].trim_start().contains("  ")
            || (!below.trim().is_empty() && depth(below) > depth(lines[at]) && !starts(below))
    };
    (0..lines.len())
        .filter(|at| starts(lines[*at]) && !explained(*at))
        .map(|at| lines[at])
        .collect()
}

#[test]
fn help_explains_every_argument_of_every_command() {
    let workspace = Workspace::new();
    for command in COMMANDS {
        for flag in ["--help", "-h"] {
            let help = workspace.run(&format!("{command} {flag}")).expect(0).stdout;
            assert!(help.contains("Usage: certsweep"), "{help}");
            assert_eq!(unexplained(&help), Vec::<&str>::new(), "{command} {flag}");
        }
    }
}

#[test]
fn an_argument_without_a_word_is_noticed() {
    let help =
        "Options:\n      --silent <X>\n      --rate <N>  How fast\n  -h, --help\n          Print\n";
    assert_eq!(unexplained(help), ["      --silent <X>"]);
}

#[test]
fn without_arguments_the_program_explains_itself() {
    let help = Workspace::new().run("").expect(2);
    assert_eq!(help.stdout, "");
    assert!(help.stderr.contains("Usage: certsweep <COMMAND>"), "{}", help.stderr);
    assert!(help.stderr.contains("Exit codes: 0 done; 2 bad usage"), "{}", help.stderr);
}

#[test]
fn the_version_is_that_of_the_package() {
    let version = Workspace::new().run("--version").expect(0).stdout;
    assert_eq!(version, format!("certsweep {}\n", env!("CARGO_PKG_VERSION")));
}

#[test]
fn indicators_are_listed_with_their_provenance_and_defanged() {
    let workspace = Workspace::new();
    let list = workspace.run("indicators list").expect(0).stdout;
    let head = "set 'flax-typhoon', 4 certificates, 12 names, 19 reported addresses, TLP CLEAR\n";
    assert!(list.starts_with(head), "{list}");
    assert!(list.contains("sha1:7992c0a816246b287d991c4ecf68f2d32e4bca18"));
    assert!(list.contains("vpn437972693[.]sednc[.]cn"));
    assert!(list.contains("(Microsoft Threat Intelligence, 2023-08-24)"));
    assert!(!list.contains("sednc.cn") && !list.contains("45.204.1.248"));
}

#[test]
fn sets_of_ones_own_are_listed_after_the_built_in_ones() {
    let (lab, workspace) = Lab::with_workspace();
    let list = workspace.run("indicators list demo.toml").expect(0).stdout;
    let (built_in, own) = (list.find("set 'flax-typhoon'"), list.find("set 'demo'"));
    assert!(built_in.is_some() && built_in < own, "{list}");
    for kind in CertificateKind::ALL {
        let sha1 = lab.range.leaf(kind).sha1.to_string();
        assert_eq!(list.contains(&sha1), kind.is_indicator(), "{kind:?}");
    }
}

#[test]
fn a_check_names_every_file_that_is_wrong() {
    let (_lab, workspace) = Lab::with_workspace();
    workspace.write("bad.toml", "name = \"bad\"\ntlp = \"blue\"\n");
    workspace.write("empty.toml", "name = \"empty\"\ntlp = \"red\"\n");
    let good = workspace.run("indicators check demo.toml").expect(0);
    let ok = "demo.toml: ok, set 'demo', 2 certificates, 0 reported addresses\n";
    assert_eq!((good.stdout.as_str(), good.stderr.as_str()), ("", ok));
    let bad = workspace.run("indicators check bad.toml demo.toml empty.toml").expect(2);
    let lines: Vec<&str> = bad.stderr.lines().collect();
    assert_eq!(lines.len(), 3, "{}", bad.stderr);
    assert_eq!(lines[0], ok.trim_end());
    assert!(lines[1].starts_with("bad.toml:2:7: unknown TLP level 'blue'"), "{}", lines[1]);
    assert!(
        lines[2].starts_with("certsweep: empty.toml:1:1: the set holds neither a"),
        "{}",
        lines[2]
    );
}
