//! What it takes to prove a key to us: RSA key exchange that is finished, and keys that cannot be checked.

use serde_json::Value;

use super::program::{indicator_set, scan};
use super::sandbox::{Sandbox, until};

pub(crate) const RSA: &[&str] = &["-newkey", "rsa:2048"];
const ED448: &[&str] = &["-newkey", "ed448"];

/// A new key and leaf called `name` inside `sandbox`: their files, and the leaf's SHA-1 as OpenSSL gives it.
pub(crate) fn certificate(
    sandbox: &Sandbox,
    name: &str,
    options: &[&str],
) -> (String, String, String) {
    let [key, leaf] = ["key", "leaf"].map(|what| sandbox.write(&format!("{name}-{what}.pem"), ""));
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
    let (key, leaf, sha1) = certificate(&sandbox, "server", key_options);
    serve(&sandbox, &[&["-key", &key, "-cert", &leaf], server_options].concat());
    (sandbox, sha1)
}

/// Starts a server on 127.0.0.1:443 inside `sandbox`.
pub(crate) fn serve(sandbox: &Sandbox, options: &[&str]) {
    let server = ["s_server", "-accept", "127.0.0.1:443", "-quiet"];
    sandbox.start_in_background("openssl", &[&server[..], options].concat());
    until("openssl listens", || {
        let listening = sandbox.ok("ss", ["--no-header", "--listening", "--tcp", "--numeric"]);
        listening.contains(" 127.0.0.1:443 ").then_some(())
    });
}

fn observe(sandbox: &Sandbox, handshake: &str) -> Value {
    let arguments = ["127.0.0.1", "--ports", "443", "--handshake", handshake];
    let mut observations = scan(sandbox, "/mnt/ledger.db", &arguments).exited(0).observations();
    assert_eq!(observations.len(), 1);
    observations.remove(0)
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
        let (key, leaf, sha1) = certificate(&sandbox, "server", RSA);
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
        assert_eq!(seen["leaf"]["sha1"], *sha1);
        assert_eq!(seen["evidence"]["key_proven"], Value::Null, "{seen}");
        let reason = if handshake == "leaf" { "not_reached" } else { "key_kind" };
        assert_eq!(seen["evidence"]["unproven"], reason, "{seen}");
    }
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
            let is_full = handshake == "full";
            let proven = if is_full { Value::Bool(true) } else { Value::Null };
            assert_eq!(seen["evidence"]["key_proven"], proven, "{version} {seen}");
            assert_eq!(seen["evidence"]["handshake_finished"], is_full);
        }
    }
}
