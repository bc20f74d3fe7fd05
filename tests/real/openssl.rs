//! OpenSSL's own server, with keys that this program cannot check.

use super::program::scan;
use super::sandbox::{Sandbox, until};

/// A server with an RSA key of 1,024 bits signs honestly; that it cannot be checked is not held against it.
#[test]
fn a_key_too_small_to_be_checked_is_neither_proven_nor_denied() {
    for (version, proven) in [("-tls1_3", "null"), ("-tls1_2", "null")] {
        let sandbox = Sandbox::new();
        let (key, leaf) = (sandbox.write("key.pem", ""), sandbox.write("leaf.pem", ""));
        let request = ["req", "-x509", "-newkey", "rsa:1024", "-nodes", "-subj", "/CN=small"];
        sandbox.ok("openssl", request.iter().chain(&["-keyout", &key, "-out", &leaf]));
        let server =
            ["s_server", "-accept", "127.0.0.1:443", "-key", &key, "-cert", &leaf, version];
        let weak = ["-cipher", "DEFAULT@SECLEVEL=0", "-quiet"];
        sandbox.start_in_background("openssl", &[&server[..], &weak].concat());
        until("openssl listens", || {
            let listening = sandbox.ok("ss", ["--no-header", "--listening", "--tcp", "--numeric"]);
            listening.contains(" 127.0.0.1:443 ").then_some(())
        });
        let ran = scan(&sandbox, "/mnt/ledger.db", &["127.0.0.1", "--ports", "443"]).exited(0);
        let observation = &ran.observations()[0];
        assert_eq!(observation["outcome"], "certificate", "{version} {observation}");
        assert_eq!(observation["leaf"]["key"], "RSA-1024");
        assert_eq!(observation["evidence"]["key_proven"].to_string(), proven, "{version}");
        assert_eq!(observation["evidence"]["handshake_finished"], true);
    }
}
