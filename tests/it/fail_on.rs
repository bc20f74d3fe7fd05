//! `--fail-on match`: 10 where something matched, 0 where nothing did.

use crate::support::{Lab, query};

#[test]
fn a_match_exits_with_10_if_asked_to() {
    let (lab, workspace) = Lab::with_workspace();
    let line = lab.scan_of(lab.host(17));
    workspace.run(&format!("{line} --fail-on match")).expect(10);
    workspace.run(&line).expect(0);
    let ends = query(&workspace.ledger(), "SELECT complete, matched FROM scan");
    assert_eq!(ends, ["1 4", "1 4"]);
}

#[test]
fn a_copied_certificate_is_a_match_too() {
    let (lab, workspace) = Lab::with_workspace();
    workspace.run(&format!("{} --fail-on match", lab.scan_of(lab.host(140)))).expect(10);
}

#[test]
fn without_a_match_the_exit_is_0() {
    let (lab, workspace) = Lab::with_workspace();
    workspace.run(&format!("{} --fail-on match", lab.scan_of(lab.host(1)))).expect(0);
}

#[test]
fn without_its_indicator_set_nothing_matches() {
    let (lab, workspace) = Lab::with_workspace();
    let line = lab.scan_of(lab.host(17)).replace("--indicators demo.toml", "");
    workspace.run(&format!("{line} --fail-on match")).expect(0);
}
