//! The demo without any rights.

use super::program::Ran;
use super::sandbox::{CERTSWEEP, Sandbox};

#[test]
fn the_demo_needs_no_root_and_says_which_ports_stand_in() {
    let sandbox = Sandbox::new();
    sandbox.ok("install", ["-d", "-o", "65534", "-g", "65534", "-m", "0700", "/mnt/nobody"]);
    let nobody = ["--reuid=65534", "--regid=65534", "--clear-groups", "--no-new-privs"];
    let places = ["env", "HOME=/mnt/nobody", "TMPDIR=/mnt/nobody", CERTSWEEP, "demo"];
    let ran = Ran::from(sandbox.run("setpriv", nobody.iter().chain(&places))).exited(0);

    let first = &ran.stderr[0];
    assert!(first.contains("20443, 20992, 21194, 25555"), "{first}");
    assert!(first.contains("443, 992, 1194 and 5555 cannot be bound here without root"), "{first}");
    assert!(ran.stdout.contains("coverage 100.0%"), "{}", ran.stdout);
    assert!(
        ran.stdout.contains("key proven") && ran.stdout.contains("NOT proven"),
        "{}",
        ran.stdout
    );
    let left = sandbox.ok("find", ["/mnt/nobody", "-mindepth", "1"]);
    assert_eq!(left, "", "left behind");
}
