//! The matrix of real servers: which leaf and how much of a proof each kind of handshake gets from them.
//!
//! All servers run side by side in one sandbox, each on an address and a port of its own, and are swept
//! once with each `--handshake`. What came of it is the table in `docs/reach.md`.

mod certificates;
mod database;
mod gnutls;
mod node;
mod nss;
mod openssl;
mod openvpn;
mod place;
mod softether;
mod table;
mod web;

use std::collections::BTreeMap;
use std::net::IpAddr;

use serde_json::Value;

use self::certificates::Certificates;
use self::place::{Place, start_all};
use super::program::{indicator_set, scan};
use super::sandbox::Sandbox;

/// How far a sweep can go with each handshake: our own client first and another where that helps, our own
/// client alone, rustls alone.
const HANDSHAKES: [&str; 3] = ["auto", "leaf", "full"];

/// Servers of one make.
struct Family {
    /// As the table's heading says it.
    name: &'static str,
    servers: &'static [Server],
}

/// One server: how it is started, what it shows, and how a visit to it ends.
struct Server {
    name: &'static str,
    /// A command for the shell that becomes the server; [`Place`] says what it can name.
    command: &'static str,
    /// Files that the command needs: name and text, in which the same can be named.
    files: &'static [(&'static str, &'static str)],
    /// The certificates whose leaves it may show, by their names in [`certificates`].
    leaves: &'static [&'static str],
    /// What a visit makes of it, whatever the handshake.
    outcome: &'static str,
    /// What rustls alone makes of it.
    rustls: &'static str,
}

impl Server {
    /// One that shows its leaf to everybody.
    const fn new(
        name: &'static str,
        leaves: &'static [&'static str],
        command: &'static str,
    ) -> Self {
        let files = &[];
        let (outcome, rustls) = ("certificate", "certificate");
        Self { name, command, files, leaves, outcome, rustls }
    }

    const fn files(mut self, files: &'static [(&'static str, &'static str)]) -> Self {
        self.files = files;
        self
    }

    /// It shows one of these instead.
    const fn leaves(mut self, leaves: &'static [&'static str]) -> Self {
        self.leaves = leaves;
        self
    }

    /// It speaks nothing that rustls knows, and says so to it.
    const fn beyond_rustls(self) -> Self {
        self.rustls("alert")
    }

    /// An attempt of rustls's ends so.
    const fn rustls(mut self, outcome: &'static str) -> Self {
        self.rustls = outcome;
        self
    }

    /// It shows no leaf to who comes without what it wants; a visit ends so.
    const fn nobody(mut self, outcome: &'static str) -> Self {
        (self.outcome, self.rustls) = (outcome, outcome);
        self
    }
}

const FAMILIES: [&Family; 8] = [
    &softether::FAMILY,
    &openssl::FAMILY,
    &gnutls::FAMILY,
    &nss::FAMILY,
    &web::FAMILY,
    &node::FAMILY,
    &database::FAMILY,
    &openvpn::FAMILY,
];

/// What became of one server.
struct Row<'a> {
    server: &'a Server,
    /// A visit's record for each of [`HANDSHAKES`].
    seen: [Value; 3],
    /// The SHA-1 of the leaf that `openssl s_client` was shown.
    s_client: Option<String>,
}

impl Row<'_> {
    fn sha1(seen: &Value) -> Option<&str> {
        seen["leaf"]["sha1"].as_str()
    }

    /// Whether `leaf` and `full` say the same of the server.
    fn agree(&self) -> &'static str {
        let [_, leaf, full] = &self.seen;
        match (Self::sha1(leaf), Self::sha1(full)) {
            (Some(leaf), Some(full)) if leaf == full => "yes",
            (Some(_), Some(_)) if self.server.leaves.len() > 1 => "two leaves",
            (None, None) if leaf["outcome"] == full["outcome"] => "yes",
            _ => "no",
        }
    }

    /// What rustls made of the server, in its one attempt of `full`.
    fn rustls(&self) -> &Value {
        let attempt = &self.seen[2]["attempts"][0];
        assert_eq!(attempt["client"], "rustls");
        attempt
    }

    /// What is not as it should be, a line for each.
    fn complaints(&self, family: &str, certificates: &Certificates) -> Vec<String> {
        let server = self.server;
        let mut said = Vec::new();
        let mut say = |what: String| said.push(format!("{family}, {}: {what}", server.name));
        let leaves: Vec<_> = server.leaves.iter().map(|name| certificates.sha1(name)).collect();
        for (handshake, seen) in HANDSHAKES.iter().zip(&self.seen) {
            if seen["outcome"] != server.outcome {
                let (outcome, detail) = (&seen["outcome"], &seen["detail"]);
                say(format!("{handshake} ended with {outcome} {detail} {}", seen["attempts"]));
            }
            if let Some(sha1) = Self::sha1(seen).filter(|sha1| !leaves.contains(sha1)) {
                say(format!("{handshake} has {sha1}, which is not the server's"));
            }
        }
        if self.rustls()["outcome"] != server.rustls {
            say(format!("rustls ended with {}", self.rustls()));
        }
        let [auto, own, _] = self.seen.each_ref().map(Self::sha1);
        if self.agree() == "no" {
            say("leaf and full do not agree".to_owned());
        }
        if auto.is_some() && self.seen[0]["matches"][0]["tier"] != "A" {
            say("auto has no match".to_owned());
        }
        if let Some(theirs) = &self.s_client {
            let reached = own.is_some() && auto.is_some();
            if !reached || !leaves.contains(&&**theirs) {
                say(format!("s_client has {theirs}, auto {auto:?} and leaf {own:?}"));
            }
        }
        said
    }
}

/// Every server's record by one sweep over them all.
fn sweep(
    sandbox: &Sandbox,
    places: &[Place<'_>],
    handshake: &str,
    options: &[&str],
) -> BTreeMap<IpAddr, Value> {
    // One that serves a single client at a time comes back after a moment.
    place::wait(sandbox, places);
    let ledger = format!("/mnt/{handshake}.db");
    let patience = ["--timeout", "20", "--concurrency", "8", "--handshake", handshake];
    let ran = scan(sandbox, &ledger, &[&patience, options].concat()).exited(0);
    let by_address = |seen: Value| (seen["address"].as_str().unwrap().parse().unwrap(), seen);
    ran.observations().into_iter().map(by_address).collect()
}

/// Sweeps all `places`, where with `auto` every leaf is one that is looked for.
fn visit<'a>(sandbox: &Sandbox, places: &[Place<'a>], certificates: &Certificates) -> Vec<Row<'a>> {
    let targets: String = places.iter().map(|place| format!("{place}\n")).collect();
    let targets = sandbox.write("targets.txt", &targets);
    let set = sandbox.write("set.toml", &indicator_set("matrix", &certificates.all()));
    let ports = place::ports(places);
    let range = [place::RANGE, "--ports", &ports, "--targets", &targets];
    let looked_for = [&range[..], &["--indicators", &set]].concat();
    let mut seen = HANDSHAKES.map(|handshake| {
        sweep(sandbox, places, handshake, if handshake == "auto" { &looked_for } else { &range })
    });
    let theirs = place::ask_s_client(sandbox, places);
    let rows = places.iter().zip(theirs).map(|(place, s_client)| {
        let seen = seen.each_mut().map(|seen| seen.remove(&place.address()).expect("a record"));
        Row { server: place.server, seen, s_client }
    });
    rows.collect()
}

#[test]
fn every_leaf_that_s_client_gets_is_read_and_is_the_right_one() {
    let sandbox = Sandbox::new();
    let certificates = Certificates::make(&sandbox);
    let servers = || FAMILIES.iter().flat_map(|family| family.servers);
    let places = start_all(&sandbox, servers());
    let mut rows = visit(&sandbox, &places, &certificates).into_iter();
    let families: Vec<(&str, Vec<Row<'_>>)> = FAMILIES
        .iter()
        .map(|family| (family.name, rows.by_ref().take(family.servers.len()).collect()))
        .collect();

    let table = table::write(&families);
    table::print(&table);
    let complaints: Vec<String> = families
        .iter()
        .flat_map(|(name, rows)| rows.iter().map(move |row| (name, row)))
        .flat_map(|(name, row)| row.complaints(name, &certificates))
        .collect();
    assert!(complaints.is_empty(), "\n{}", complaints.join("\n"));
    table::keep(&table);
}
