//! Where a way leads, and that none is taken that the scope does not hold.

use super::program::scan;
use super::sandbox::{Sandbox, until};
use super::watch::{Seen, Watch, endpoints, lead_nowhere};

const STORE: &str = "/mnt/ledger.db";
const PERMITTED: [&str; 4] = ["--authorised-by", "test", "--contact", "test@example.org"];
const UNHURRIED: [&str; 2] = ["--rate-per-prefix", "1000"];

#[test]
fn a_network_that_says_no_is_unreachable() {
    let sandbox = Sandbox::new();
    sandbox.ok("ip", ["route", "add", "unreachable", "192.0.2.0/28"]);
    let watch = Watch::start(&sandbox);
    let arguments = [&["192.0.2.0/28", "--ports", "443"], &PERMITTED[..], &UNHURRIED].concat();
    let ran = scan(&sandbox, STORE, &arguments).exited(0);
    let observations = ran.observations();
    assert_eq!(observations.len(), 16);
    for observation in &observations {
        assert_eq!(observation["outcome"], "unreachable", "{observation}");
        assert_eq!(observation["attempts"].as_array().unwrap().len(), 1, "{observation}");
    }
    assert_eq!(watch.seen(), Seen { contacted: endpoints([], &[]), others: 0 });
}

#[test]
fn a_network_without_a_route_is_unreachable() {
    let sandbox = Sandbox::new();
    let arguments = [&["192.0.2.8", "--ports", "443,992"], &PERMITTED[..], &UNHURRIED].concat();
    let ran = scan(&sandbox, STORE, &arguments).exited(0);
    let observations = ran.observations();
    assert_eq!(observations.len(), 2);
    for observation in observations {
        assert_eq!(observation["outcome"], "unreachable", "{observation}");
    }
}

#[test]
fn a_network_that_says_nothing_times_out_and_nothing_leaves_the_scope() {
    let sandbox = Sandbox::new();
    lead_nowhere(&sandbox);
    let watch = Watch::start(&sandbox);
    let excluded = ["--exclude", "192.0.2.3", "--exclude", "192.0.2.8/30"];
    let arguments = [
        &["192.0.2.0/28", "--ports", "443,992", "--timeout", "0.3"],
        &excluded[..],
        &PERMITTED,
        &UNHURRIED,
    ];
    let ran = scan(&sandbox, STORE, &arguments.concat()).exited(0);

    let allowed =
        endpoints((0..16).filter(|host| *host != 3 && !(8..12).contains(host)), &[443, 992]);
    let observations = ran.observations();
    assert_eq!(observations.len(), allowed.len());
    for observation in &observations {
        assert_eq!(observation["outcome"], "connect_timeout", "{observation}");
    }
    assert_eq!(watch.seen(), Seen { contacted: allowed.clone(), others: 0 });

    // The watch would have seen what must not be: here it sees two packets of another program.
    let elsewhere = "echo >/dev/udp/192.0.2.8/53; : >/dev/tcp/192.0.2.3/443";
    sandbox.start_in_background("bash", &["-c", elsewhere]);
    let beyond = Seen { contacted: &allowed | &endpoints([3], &[443]), others: 1 };
    until("the watch sees what lies beyond", || (watch.seen() == beyond).then_some(()));
}

#[test]
fn a_rule_of_ones_own_that_answers_for_the_network_is_what_it_says() {
    let sandbox = Sandbox::new();
    lead_nowhere(&sandbox);
    let rules = "table inet wall {
        chain output {
            type filter hook output priority 10
            policy accept
            ip daddr 192.0.2.1 reject with icmp type host-unreachable
            ip daddr 192.0.2.2 meta l4proto tcp reject with tcp reset
            ip daddr 192.0.2.3 drop
            ip daddr 192.0.2.4 reject with icmp type prot-unreachable
        }
    }";
    sandbox.ok("nft", [rules]);
    let ranges = ["192.0.2.1", "192.0.2.2", "192.0.2.3", "192.0.2.4"];
    let ports = ["--ports", "443", "--timeout", "2"];
    let ran = scan(&sandbox, STORE, &[&ranges[..], &ports, &PERMITTED, &UNHURRIED].concat());
    let mut outcomes: Vec<_> = ran
        .exited(0)
        .observations()
        .iter()
        .map(|observation| {
            ["address", "outcome"].map(|key| observation[key].as_str().unwrap().to_owned())
        })
        .collect();
    outcomes.sort();
    let expected = [
        ["192.0.2.1", "unreachable"],
        ["192.0.2.2", "refused"],
        ["192.0.2.3", "connect_timeout"],
        ["192.0.2.4", "unreachable"],
    ];
    assert_eq!(outcomes, expected);
}

/// What this machine cannot do at all is no shortage that could stop a sweep.
#[test]
fn without_ipv6_its_addresses_are_unreachable_and_all_others_are_swept() {
    let sandbox = Sandbox::new();
    sandbox.ok("sh", ["-c", "echo 1 >/proc/sys/net/ipv6/conf/all/disable_ipv6"]);
    let ran = scan(&sandbox, STORE, &["127.0.0.0/30", "::1", "--ports", "443"]).exited(0);
    let outcomes: Vec<_> = ran
        .observations()
        .iter()
        .map(|observation| (observation["address"] == "::1", observation["outcome"].to_string()))
        .collect();
    assert_eq!(outcomes.len(), 5);
    for (is_ipv6, outcome) in outcomes {
        assert_eq!(outcome, if is_ipv6 { "\"unreachable\"" } else { "\"refused\"" });
    }
}
