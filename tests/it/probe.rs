//! One endpoint, in every form and with every refusal.

use certsweep::domain::address::Target;
use certsweep::lab::{Behaviour, CertificateKind};

use crate::support::{Lab, TrappedPort, Workspace, table};

/// The first target of the lab that behaves so.
fn target(lab: &Lab, wanted: Behaviour) -> Target {
    let mut all = lab.range.expected();
    all.find(|(_, behaviour)| *behaviour == wanted).unwrap().0
}

/// What a person reads at `key`.
fn row<'a>(text: &'a str, key: &str) -> &'a str {
    let line = text.lines().find(|line| line.starts_with(&format!("{key:<12} "))).unwrap();
    &line[13..]
}

#[test]
fn every_behaviour_is_seen_as_what_it_is() {
    let (lab, workspace) = Lab::with_workspace();
    for behaviour in Behaviour::PLAIN {
        let target = target(&lab, behaviour);
        let line = format!(
            "probe {target} --indicators demo.toml --handshake full --format jsonl --timeout 2"
        );
        let seen = table(&workspace.run(&line).expect(0).stdout);
        assert_eq!(seen.into_iter().collect::<Vec<_>>(), [(target, lab.row(behaviour))]);
    }
}

/// One visit may take many connections, and they keep the scope's rate.
#[test]
fn the_connections_of_a_probe_keep_the_rate_of_the_scope() {
    let (lab, workspace) = Lab::with_workspace();
    let target = target(&lab, Behaviour::Tls13P256);
    workspace.write("scope.toml", format!("{}rate = 4\n", lab.scope()));
    let names = "--server-names a.example b.example c.example";
    let line = format!("probe {target} --scope scope.toml --format jsonl {names}");
    let probe = workspace.run(&line).expect(0);
    let micros = |record: &serde_json::Value| {
        let time = record["attempts"][0]["time"].as_str().unwrap();
        time.parse::<jiff::Timestamp>().unwrap().as_microsecond()
    };
    let times: Vec<i64> =
        probe.stdout.lines().map(|line| micros(&serde_json::from_str(line).unwrap())).collect();
    assert_eq!(times.len(), 4);
    for pair in times.windows(2) {
        assert!(pair[1] - pair[0] >= 240_000, "{times:?}");
    }
}

#[test]
fn people_read_the_evidence_and_the_match() {
    let (lab, workspace) = Lab::with_workspace();
    let read = |behaviour| {
        let target = target(&lab, behaviour);
        workspace.run(&format!("probe {target} --indicators demo.toml")).expect(0).stdout
    };
    let owner = read(Behaviour::IndicatorOne);
    let leaf = lab.range.leaf(CertificateKind::IndicatorOne);
    assert_eq!(row(&owner, "outcome"), "certificate");
    assert_eq!(row(&owner, "SHA-1"), leaf.sha1.to_string());
    assert_eq!(row(&owner, "SHA-256"), leaf.sha256.to_string());
    assert_eq!(row(&owner, "evidence"), "key proven in this handshake; handshake finished");
    let found = format!(
        "tier A sha1:{} (vpn000000001[.]demo[.]invalid) of demo/demo-2026-11-24",
        leaf.sha1
    );
    assert_eq!(row(&owner, "MATCH"), found);
    let copy = read(Behaviour::Impostor);
    assert_eq!(
        row(&copy, "evidence"),
        "the signature over this handshake does NOT check: key not held; handshake finished"
    );
    assert_eq!(row(&copy, "MATCH"), found);
    assert_eq!(row(&read(Behaviour::Http), "outcome"), "not_tls (http)");
    let template = "the structure of SoftEther's default certificate";
    assert_eq!(row(&read(Behaviour::SoftetherDefault), "template"), template);
}

#[test]
fn pem_is_the_leaf_and_only_the_leaf() {
    let (lab, workspace) = Lab::with_workspace();
    let line = |behaviour| format!("probe {} --format pem --timeout 1", target(&lab, behaviour));
    let pem = workspace.run(&line(Behaviour::Tls12Rsa)).expect(0).stdout;
    let base64: String = pem.lines().filter(|line| !line.starts_with('-')).collect();
    let der = data_encoding::BASE64.decode(base64.as_bytes()).unwrap();
    assert_eq!(der, lab.range.leaf(CertificateKind::Rsa).der);
    assert!(pem.starts_with("-----BEGIN CERTIFICATE-----\n"));
    assert!(pem.ends_with("\n-----END CERTIFICATE-----\n"));
    assert!(pem.lines().all(|line| line.len() <= 64));
    let none = workspace.run(&line(Behaviour::Ssh)).expect(4);
    assert_eq!(none.complaint(), "no certificate: not_tls (ssh)");
}

#[test]
fn outside_its_scope_nothing_is_probed() {
    let (workspace, trap) = (Workspace::new(), TrappedPort::set());
    let (address, port) = (trap.address, trap.port());
    let scope = |rest: &str| format!("name = \"lo\"\ninclude = [\"127.0.0.0/24\"]\n{rest}");
    for (rest, because) in [
        ("ports = [443]\n".to_owned(), format!(": port {port} is not among its ports (443)")),
        (
            format!("exclude = [\"127.0.0.1\"]\nports = [{port}]\n"),
            ": 127.0.0.1/32 is excluded by the scope".to_owned(),
        ),
    ] {
        workspace.write("scope.toml", scope(&rest));
        let refused = workspace.run(&format!("probe {address} --scope scope.toml")).expect(3);
        let complaint = format!("{address} is outside scope 'lo'{because}; nothing was sent");
        assert_eq!(refused.complaint(), complaint);
    }
    trap.assert_untouched();
}

#[test]
fn strangers_are_not_probed_without_authorisation() {
    let refused = Workspace::new().run("probe 192.0.2.1:443").expect(3);
    assert_eq!(
        refused.complaint(),
        "addresses that are not loopback need --authorised-by TEXT: say who permits this, or give a \
         scope file; nothing was sent"
    );
}

#[test]
fn names_and_half_endpoints_are_no_endpoints() {
    let workspace = Workspace::new();
    for text in ["localhost:443", "127.0.0.1", "::1:443", "example.org"] {
        let refused = workspace.run(&format!("probe {text}")).expect(2);
        let complaint = format!(
            "'{text}' is no endpoint such as 192.0.2.1:443 or [2001:db8::1]:443; names are not \
             looked up"
        );
        assert_eq!(refused.complaint(), complaint);
    }
    let zero = workspace.run("probe 127.0.0.1:0").expect(2);
    assert_eq!(zero.complaint(), "port 0 cannot be probed; ports go from 1 to 65535");
}
