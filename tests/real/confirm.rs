//! A VPN server that is asked for its product, by whichever client speaks its TLS.

use serde_json::{Value, json};

use super::program::scan;
use super::sandbox::{CERTSWEEP, Sandbox, until};
use super::softether::{ADDRESS, Server};

/// Settings of the server and of OpenSSL, what it then speaks, and the offer that carries the request.
const SPOKEN: [(&str, &str, [&str; 2], &str); 4] = [
    ("", "", ["1.3", "TLS_AES_256_GCM_SHA384"], "tls12-tls13"),
    (
        "",
        "MaxProtocol = TLSv1.2\n",
        ["1.2", "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384"],
        "tls12-tls13",
    ),
    (
        "string CipherName AES128-SHA\n",
        "MaxProtocol = TLSv1.2\n",
        ["1.2", "TLS_RSA_WITH_AES_128_CBC_SHA"],
        "universal-finish",
    ),
    (
        "string CipherName AES256-SHA\n",
        "MinProtocol = TLSv1\nMaxProtocol = TLSv1\nCipherString = ALL:@SECLEVEL=0\n",
        ["1.0", "TLS_RSA_WITH_AES_256_CBC_SHA"],
        "universal-finish",
    ),
];

#[test]
fn a_softether_server_says_what_it_is_and_serves_on() {
    for (settings, openssl, [version, suite], offer) in SPOKEN {
        let sandbox = &Sandbox::new();
        let server = Server::start_with(sandbox, settings, openssl);
        let seen = observed(sandbox, &["--confirm-softether"]);
        let tls = json!({ "version": version, "cipher_suite": suite });
        assert_eq!(seen["tls"], tls, "{seen}");
        assert_eq!(seen["leaf"]["softether_default"], true, "{seen}");
        let product = "SoftEther VPN Server Developer Edition (64 bit) (Open Source)";
        let said = &seen["softether_server"];
        let [version, build] = ["version", "build"].map(|key| said[key].as_u64().unwrap());
        assert_eq!((said["product"].as_str(), version >= 500), (Some(product), true), "{said}");
        assert!(build > 9_000, "{said}");
        assert_eq!(requests(&seen), [("universal", None), (offer, Some("softether"))], "{seen}");
        assert_eq!(seen["evidence"]["handshake_finished"], true);
        assert_eq!(seen["ended"], Value::Null);

        // It serves on: the next visit, which asks for nothing, finds it as it was.
        let next = observed(sandbox, &[]);
        assert_eq!((&next["outcome"], &next["leaf"]), (&seen["outcome"], &seen["leaf"]));
        assert_eq!(next["softether_server"], Value::Null);
        assert_eq!(requests(&next), [("universal", None)], "{next}");
        // By the server's own word three connections came and went, and one handshake was finished.
        until("the last connection is logged", || {
            let ended = "Connection \"CID-3\" has been terminated.";
            (!server.logged(ended).is_empty()).then_some(())
        });
        let finished = server.logged("SSL communication for connection");
        assert!(finished.len() == 1 && finished[0].contains("\"CID-2\""), "{finished:#?}");
    }
}

/// With a handshake that is completed anyway, and in words for people.
#[test]
fn people_read_what_a_softether_server_says() {
    let sandbox = &Sandbox::new();
    let _server = Server::start(sandbox);
    let endpoint = format!("{ADDRESS}:443");
    let probe = |options: &[&str]| sandbox.ok(CERTSWEEP, [&["probe", &endpoint], options].concat());
    let text = probe(&["--confirm-softether", "--handshake", "full"]);
    let row = text.lines().find(|line| line.starts_with("SoftEther ")).unwrap();
    assert!(row.contains("SoftEther VPN Server"), "{row}");
    assert!(row.contains(", version 5.") && row.contains(", build "), "{row}");
    assert_eq!(text.matches(", then one request\n").count(), 1, "{text}");
    let silent = probe(&["--handshake", "full"]);
    assert!(!silent.contains("\nSoftEther ") && !silent.contains("request"), "{silent}");
}

/// The one observation of the server by a sweep.
fn observed(sandbox: &Sandbox, options: &[&str]) -> Value {
    let address = ADDRESS.to_string();
    let arguments = [&[&address, "--ports", "443"], options].concat();
    scan(sandbox, "/mnt/ledger.db", &arguments).exited(0).observations().remove(0)
}

/// The offer of each attempt, and what was asked over it.
fn requests(seen: &Value) -> Vec<(&str, Option<&str>)> {
    let attempts = seen["attempts"].as_array().unwrap().iter();
    attempts.map(|made| (made["offer"].as_str().unwrap(), made["request"].as_str())).collect()
}
