//! Fifty thousand targets at full speed, the hostile ones among them: every one is seen as what it is.

use std::net::Ipv4Addr;

use certsweep::domain::address::Target;
use certsweep::lab::{Behaviour, Crowd, Expected};
use ipnet::Ipv4Subnets;
use socket2::{Domain, Socket, Type};

use crate::support::{
    Row, Table, Workspace, assert_same, raise_descriptors, row_of, runtime, single, table,
};

/// Addresses, each with two targets.
const ADDRESSES: u32 = 25_000;

const FIRST: Ipv4Addr = Ipv4Addr::new(127, 160, 0, 0);

fn addresses() -> impl Iterator<Item = Ipv4Addr> {
    (0..ADDRESSES).map(|number| Ipv4Addr::from_bits(FIRST.to_bits() + number))
}

/// A port that nobody listens on for as long as this is kept.
fn nobodys_port() -> (Socket, u16) {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
    let any = std::net::SocketAddr::from((Ipv4Addr::UNSPECIFIED, 0));
    socket.bind(&any.into()).unwrap();
    let port = socket.local_addr().unwrap().as_socket().unwrap().port();
    (socket, port)
}

/// What a sweep must make of each target.
fn expected(crowd: &Crowd, nobodys: u16) -> Table {
    let row = |expected: &Expected| -> Row { row_of(expected, |kind| crowd.leaf(kind)) };
    let refused = row(&Behaviour::Refused.expected());
    let mut table = Table::new();
    for address in addresses() {
        let seen = row(&Crowd::behaviour(address).expected_of_auto());
        table.insert(Target::new(address.into(), crowd.port()), seen);
        table.insert(Target::new(address.into(), nobodys), refused.clone());
    }
    table
}

#[test]
fn fifty_thousand_targets_at_full_speed_meet_their_table() {
    raise_descriptors();
    let (runtime, workspace) = (runtime(), Workspace::new());
    let entered = runtime.enter();
    let crowd = Crowd::start().unwrap();
    drop(entered);
    let (_kept, nobodys) = nobodys_port();
    let last = Ipv4Addr::from_bits(FIRST.to_bits() + ADDRESSES - 1);
    let nets: Vec<String> =
        Ipv4Subnets::new(FIRST, last, 0).map(|net| format!("\"{net}\"")).collect();
    let ports = [crowd.port(), nobodys];
    let scope = format!("name = \"crowd\"\ninclude = [{}]\nports = {ports:?}\n", nets.join(", "));
    workspace.write("scope.toml", scope);
    workspace.write("demo.toml", crowd.indicator_set_toml());
    let sweep = workspace
        .run(
            "scan --scope scope.toml --indicators demo.toml --format jsonl --concurrency 1000 \
             --threads 3 --timeout 5 --seed 50",
        )
        .expect(0);
    assert_same(&table(&sweep.stdout), &expected(&crowd, nobodys));
    assert!(sweep.stderr.contains("\ntime: "), "{}", sweep.stderr);
    let scan = single(&workspace.ledger(), "SELECT complete, positions FROM scans");
    assert_eq!(scan, format!("1 {}", 2 * ADDRESSES));
}
