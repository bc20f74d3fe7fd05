//! Servers that hold several leaves: by name, and by kind of key.

use serde_json::Value;

use super::openssl::{RSA, certificate, serve};
use super::program::{indicator_set, scan};
use super::sandbox::Sandbox;

const P256: &[&str] = &["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"];

/// A sweep of 127.0.0.1:443 that knows the leaf `sha1`.
fn sweep(sandbox: &Sandbox, sha1: &str, asking: &[&str]) -> Vec<Value> {
    let set = sandbox.write("set.toml", &indicator_set("report", &[sha1]));
    let arguments = ["127.0.0.1", "--ports", "443", "--indicators", &set];
    scan(sandbox, "/mnt/ledger.db", &[&arguments[..], asking].concat()).exited(0).observations()
}

/// Name, leaf, how many matches, and whether the handshake was finished.
fn told(seen: &Value) -> (Option<&str>, Option<&str>, usize, bool) {
    (
        seen["server_name"].as_str(),
        seen["leaf"]["sha1"].as_str(),
        seen["matches"].as_array().unwrap().len(),
        seen["evidence"]["handshake_finished"] == true,
    )
}

#[test]
fn a_leaf_that_hides_behind_a_name_is_found_by_it() {
    let sandbox = Sandbox::new();
    let (key, leaf, sha1) = certificate(&sandbox, "default", RSA);
    let (hidden_key, hidden_leaf, hidden) = certificate(&sandbox, "hidden", P256);
    let names = ["-servername", "hidden.test", "-cert2", &hidden_leaf, "-key2", &hidden_key];
    serve(&sandbox, &[&["-key", &key, "-cert", &leaf, "-servername_fatal"], &names[..]].concat());

    let seen = sweep(&sandbox, &hidden, &["--server-names", "other.test", "Hidden.test."]);
    let told: Vec<_> = seen.iter().map(told).collect();
    assert_eq!(
        told,
        [
            (None, Some(&*sha1), 0, false),
            (Some("other.test"), None, 0, false),
            (Some("hidden.test"), Some(&*hidden), 1, true),
        ]
    );
    assert_eq!(seen[1]["detail"]["description"], "unrecognized_name");
    assert_eq!(seen[1]["attempts"].as_array().unwrap().len(), 1, "no other offer would help");
    let without = sweep(&sandbox, &hidden, &[]);
    assert_eq!(without.iter().map(self::told).collect::<Vec<_>>(), [told[0]]);
}

#[test]
fn both_leaves_of_a_server_with_two_kinds_of_key_are_found() {
    let sandbox = Sandbox::new();
    let (key, leaf, rsa) = certificate(&sandbox, "rsa", RSA);
    let (other_key, other_leaf, p256) = certificate(&sandbox, "p256", P256);
    serve(&sandbox, &["-key", &key, "-cert", &leaf, "-dkey", &other_key, "-dcert", &other_leaf]);

    let seen = sweep(&sandbox, &rsa, &["--all-leaves"]);
    let told: Vec<_> = seen.iter().map(told).collect();
    assert_eq!(told, [(None, Some(&*p256), 0, false), (None, Some(&*rsa), 1, true)]);
    let others: Vec<_> = seen.iter().map(|seen| &seen["other_leaf"]).collect();
    assert_eq!(others, [false, true]);
    assert_eq!(seen[1]["evidence"]["key_proven"], true, "{}", seen[1]);
    let offers: Vec<_> = seen[0]["attempts"].as_array().unwrap().iter().collect();
    let offers: Vec<_> = offers.iter().map(|attempt| &attempt["offer"]).collect();
    assert_eq!(offers, ["universal", "rsa-finish", "eddsa-finish"]);
    assert_eq!(sweep(&sandbox, &rsa, &[]).len(), 1, "only where it is wanted");
}
