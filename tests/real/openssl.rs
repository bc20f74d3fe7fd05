//! OpenSSL's own server in the flavours that a hunt meets, and what each client makes of them.

use std::fmt::Write as _;
use std::io::Write as _;

use serde_json::Value;

use super::program::{indicator_set, scan};
use super::sandbox::{Sandbox, until};

/// A server: what it is, how its key is made, how it is started.
struct Flavour {
    name: &'static str,
    key: &'static [&'static str],
    server: &'static [&'static str],
    /// What `--handshake leaf` sees: version and whether the key is proven.
    leaf: (&'static str, Option<bool>),
    /// What `--handshake full` sees: `certificate`, or how it fails.
    full: &'static str,
}

const RSA: &[&str] = &["-newkey", "rsa:2048"];
const P256: &[&str] = &["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"];
const P521: &[&str] = &["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-521"];
const BRAINPOOL: &[&str] = &["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:brainpoolP256r1"];
const ED448: &[&str] = &["-newkey", "ed448"];

const ANY: &str = "ALL:COMPLEMENTOFALL:@SECLEVEL=0";

const FLAVOURS: [Flavour; 18] = [
    flavour("plain", RSA, &[], ("1.3", Some(true)), "certificate"),
    flavour("TLS 1.0 only", RSA, &["-tls1", "-cipher", ANY], ("1.0", None), "alert"),
    flavour("TLS 1.1 only", RSA, &["-tls1_1", "-cipher", ANY], ("1.1", None), "alert"),
    flavour(
        "RSA key exchange only",
        RSA,
        &["-tls1_2", "-cipher", "AES128-SHA:AES256-GCM-SHA384"],
        ("1.2", None),
        "alert",
    ),
    flavour(
        "DHE only",
        RSA,
        &["-tls1_2", "-cipher", "DHE-RSA-AES128-SHA256"],
        ("1.2", Some(true)),
        "alert",
    ),
    flavour(
        "ECDHE with CBC only",
        RSA,
        &["-tls1_2", "-cipher", "ECDHE-RSA-AES256-SHA"],
        ("1.2", Some(true)),
        "alert",
    ),
    flavour(
        "no encryption",
        RSA,
        &["-tls1_2", "-cipher", "NULL-SHA256:@SECLEVEL=0"],
        ("1.2", None),
        "alert",
    ),
    flavour("TLS 1.3 only", P256, &["-tls1_3"], ("1.3", Some(true)), "certificate"),
    flavour(
        "P-256 only",
        P256,
        &["-tls1_3", "-groups", "P-256"],
        ("1.3", Some(true)),
        "certificate",
    ),
    flavour(
        "P-384 only",
        P256,
        &["-tls1_3", "-groups", "P-384"],
        ("1.3", Some(true)),
        "certificate",
    ),
    flavour("P-521 only", P256, &["-tls1_3", "-groups", "P-521"], ("1.3", Some(true)), "alert"),
    flavour("X448 only", P256, &["-tls1_3", "-groups", "X448"], ("1.3", Some(true)), "alert"),
    flavour(
        "ffdhe2048 only",
        P256,
        &["-tls1_3", "-groups", "ffdhe2048"],
        ("1.3", Some(true)),
        "alert",
    ),
    flavour(
        "ffdhe8192 only",
        P256,
        &["-tls1_3", "-groups", "ffdhe8192"],
        ("1.3", Some(true)),
        "alert",
    ),
    flavour("small records", RSA, &["-max_send_frag", "512"], ("1.3", Some(true)), "certificate"),
    flavour(
        "client certificate wanted",
        RSA,
        &["-tls1_2", "-Verify", "1"],
        ("1.2", Some(true)),
        "certificate",
    ),
    flavour("a P-521 key in TLS 1.2", P521, &["-tls1_2"], ("1.2", Some(true)), "alert"),
    flavour("a brainpool key", BRAINPOOL, &["-tls1_2"], ("1.2", None), "alert"),
];

const fn flavour(
    name: &'static str,
    key: &'static [&'static str],
    server: &'static [&'static str],
    leaf: (&'static str, Option<bool>),
    full: &'static str,
) -> Flavour {
    Flavour { name, key, server, leaf, full }
}

/// A new key and leaf inside `sandbox`: their files, and the leaf's SHA-1 as OpenSSL gives it.
fn certificate(sandbox: &Sandbox, options: &[&str]) -> (String, String, String) {
    let (key, leaf) = (sandbox.write("key.pem", ""), sandbox.write("leaf.pem", ""));
    let request =
        ["req", "-x509", "-nodes", "-subj", "/CN=server.test", "-keyout", &key, "-out", &leaf];
    sandbox.ok("openssl", request.iter().chain(options));
    let printed = sandbox.ok("openssl", ["x509", "-in", &leaf, "-noout", "-fingerprint", "-sha1"]);
    let colons = printed.trim().rsplit('=').next().unwrap_or_default();
    let sha1 = colons.replace(':', "").to_lowercase();
    (key, leaf, sha1)
}

/// A sandbox with a server of that kind on 127.0.0.1:443, and the SHA-1 of its leaf.
fn start(key_options: &[&str], server_options: &[&str]) -> (Sandbox, String) {
    let sandbox = Sandbox::new();
    let (key, leaf, sha1) = certificate(&sandbox, key_options);
    let server = ["s_server", "-accept", "127.0.0.1:443", "-key", &key, "-cert", &leaf, "-quiet"];
    sandbox.start_in_background("openssl", &[&server[..], server_options].concat());
    until("openssl listens", || {
        let listening = sandbox.ok("ss", ["--no-header", "--listening", "--tcp", "--numeric"]);
        listening.contains(" 127.0.0.1:443 ").then_some(())
    });
    (sandbox, sha1)
}

fn observe(sandbox: &Sandbox, handshake: &str) -> Value {
    let arguments = ["127.0.0.1", "--ports", "443", "--handshake", handshake];
    let mut observations = scan(sandbox, "/mnt/ledger.db", &arguments).exited(0).observations();
    assert_eq!(observations.len(), 1);
    observations.remove(0)
}

/// Our own client has the leaf of every one of them; rustls of those that speak as it does.
#[test]
fn the_leaf_of_every_flavour_is_read() {
    let mut table = String::new();
    for flavour in &FLAVOURS {
        let (sandbox, sha1) = start(flavour.key, flavour.server);
        let (leaf, full) = (observe(&sandbox, "leaf"), observe(&sandbox, "full"));
        let proven = leaf["evidence"]["key_proven"].as_bool();
        let version = leaf["tls"]["version"].as_str().unwrap_or("-");
        writeln!(
            table,
            "{:<28} leaf: {:<12} {version:<4} {:<40} proven {proven:?}; full: {}",
            flavour.name,
            leaf["outcome"].as_str().unwrap(),
            leaf["tls"]["cipher_suite"].as_str().unwrap_or("-"),
            full["outcome"].as_str().unwrap(),
        )
        .unwrap();
        assert_eq!(leaf["leaf"]["sha1"], *sha1, "{table}{leaf}");
        assert_eq!((version, proven), flavour.leaf, "{table}{leaf}");
        assert_eq!(full["outcome"], *flavour.full, "{table}{full}");
        if full["outcome"] == "certificate" {
            assert_eq!(full["leaf"]["sha1"], *sha1, "{table}{full}");
        }
    }
    std::io::stdout().write_all(table.as_bytes()).unwrap();
}

/// With RSA key exchange the server proves its key by finishing, which is asked of it where its leaf matches.
#[test]
fn a_match_behind_rsa_key_exchange_is_confirmed() {
    for (options, version) in [
        (&["-tls1_2", "-cipher", "AES128-SHA"][..], "1.2"),
        (&["-tls1_2", "-cipher", "AES256-SHA"], "1.2"),
        (&["-tls1_2", "-cipher", "AES128-SHA256"], "1.2"),
        (&["-tls1_2", "-cipher", "AES256-SHA256"], "1.2"),
        (&["-tls1_2", "-cipher", "AES128-GCM-SHA256"], "1.2"),
        (&["-tls1_2", "-cipher", "AES256-GCM-SHA384"], "1.2"),
        (&["-tls1_2", "-cipher", "AES128-SHA", "-verify", "1"], "1.2"),
        (&["-tls1_1", "-cipher", "AES128-SHA:@SECLEVEL=0"], "1.1"),
        (&["-tls1", "-cipher", "AES256-SHA:@SECLEVEL=0"], "1.0"),
    ] {
        let (sandbox, sha1) = start(RSA, options);
        let seen = confirmed(&sandbox, &sha1);
        assert_eq!(seen["tls"]["version"], version);
    }
}

/// The same without the extended master secret (RFC 7627), which OpenSSL always agrees to.
#[test]
fn a_match_behind_gnutls_with_an_old_master_secret_is_confirmed() {
    for version in ["VERS-TLS1.2", "VERS-TLS1.1", "VERS-TLS1.0"] {
        let sandbox = Sandbox::new();
        let (key, leaf, sha1) = certificate(&sandbox, RSA);
        let priority = format!("LEGACY:-VERS-ALL:+{version}:-KX-ALL:+RSA:%NO_SESSION_HASH");
        let files = ["--x509keyfile", &key, "--x509certfile", &leaf];
        let server = ["--echo", "--quiet", "--port", "443", "--priority", &priority];
        sandbox.start_in_background("gnutls-serv", &[&server[..], &files].concat());
        until("gnutls-serv listens", || {
            let listening = sandbox.ok("ss", ["--no-header", "--listening", "--tcp", "--numeric"]);
            listening.contains(":443 ").then_some(())
        });
        let seen = confirmed(&sandbox, &sha1);
        assert_eq!(format!("VERS-TLS{}", seen["tls"]["version"].as_str().unwrap()), version);
    }
}

/// The observation of 127.0.0.1:443 by a sweep that knows its leaf, which must confirm it by RSA key exchange.
fn confirmed(sandbox: &Sandbox, sha1: &str) -> Value {
    let set = sandbox.write("set.toml", &indicator_set("report", &[sha1]));
    let arguments = ["127.0.0.1", "--ports", "443", "--indicators", &set];
    let seen = scan(sandbox, "/mnt/ledger.db", &arguments).exited(0).observations().remove(0);
    assert_eq!(seen["leaf"]["sha1"], *sha1, "{seen}");
    assert_eq!(seen["matches"][0]["tier"], "A");
    assert_eq!(seen["evidence"]["key_proven"], true, "{seen}");
    assert_eq!(seen["evidence"]["handshake_finished"], true, "{seen}");
    let first = &seen["attempts"][0];
    assert_eq!((&first["client"], &first["key_proven"]), (&"own".into(), &Value::Null));
    assert_eq!(seen["attempts"][1]["offer"], "universal-finish");
    seen
}

/// What cannot be checked is neither proven nor denied.
#[test]
fn an_ed448_key_is_neither_proven_nor_denied() {
    let (sandbox, sha1) = start(ED448, &["-tls1_3"]);
    for handshake in ["leaf", "full"] {
        let seen = observe(&sandbox, handshake);
        if seen["outcome"] == "certificate" {
            assert_eq!(seen["leaf"]["sha1"], *sha1);
            assert_eq!(seen["evidence"]["key_proven"], Value::Null, "{seen}");
        }
    }
    assert_eq!(observe(&sandbox, "leaf")["outcome"], "certificate");
}

/// A key that is too small to be safe is held all the same.
#[test]
fn a_small_key_is_proven() {
    for version in ["-tls1_3", "-tls1_2"] {
        let weak = ["-cipher", "DEFAULT@SECLEVEL=0", version];
        let (sandbox, sha1) = start(&["-newkey", "rsa:1024"], &weak);
        for handshake in ["leaf", "full"] {
            let seen = observe(&sandbox, handshake);
            assert_eq!(seen["leaf"]["sha1"], *sha1, "{version} {seen}");
            assert_eq!(seen["leaf"]["key"], "RSA-1024");
            assert_eq!(seen["evidence"]["key_proven"], true, "{version} {seen}");
            assert_eq!(seen["evidence"]["handshake_finished"], handshake == "full");
        }
    }
}
