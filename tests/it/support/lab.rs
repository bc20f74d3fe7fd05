//! The lab, started inside the test's process.

use std::fmt::Display;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};

use certsweep::domain::address::Target;
use certsweep::domain::cert::Leaf;
use certsweep::engine::limits;
use certsweep::lab::{Behaviour, CertificateKind, Expected, Range};
use tokio::runtime::Runtime;

use super::{Row, Table, Workspace};

/// A runtime for servers.
pub(crate) fn runtime() -> Runtime {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap()
}

/// Lets this process open as many files as the system allows: every server is one.
pub(crate) fn raise_descriptors() {
    limits::descriptors();
}

/// A running [`Range`]; its servers end when this is dropped.
pub(crate) struct Lab {
    pub(crate) range: Range,
    _runtime: Runtime,
}

impl Lab {
    pub(crate) fn start() -> Self {
        raise_descriptors();
        let runtime = runtime();
        let entered = runtime.enter();
        let range = Range::start(None).unwrap();
        drop(entered);
        Self { range, _runtime: runtime }
    }

    /// The lab with its indicator set in the file `demo.toml` of a new workspace.
    pub(crate) fn with_workspace() -> (Self, Workspace) {
        let (lab, workspace) = (Self::start(), Workspace::new());
        workspace.write("demo.toml", lab.range.indicator_set_toml());
        (lab, workspace)
    }

    /// The ports, as `--ports` takes them.
    pub(crate) fn ports(&self) -> String {
        self.range.ports().map(|port| port.to_string()).join(",")
    }

    /// The arguments of a sweep of the whole lab that prints JSON Lines.
    pub(crate) fn scan(&self) -> String {
        self.scan_of(self.range.network())
    }

    /// The arguments of such a sweep of `range`, on all ports of the lab.
    pub(crate) fn scan_of(&self, range: impl Display) -> String {
        scan_with(&format!("{range} --ports {}", self.ports()))
    }

    /// The text of a scope file for the whole lab.
    pub(crate) fn scope(&self) -> String {
        let (network, ports) = (self.range.network(), self.range.ports());
        format!("name = \"lab\"\ninclude = [\"{network}\"]\nports = {ports:?}\n")
    }

    /// The address with that last octet.
    pub(crate) fn host(&self, octet: u8) -> Ipv4Addr {
        Ipv4Addr::from_bits(self.range.network().network().to_bits() | u32::from(octet))
    }

    /// Every target with what a sweep must make of it.
    pub(crate) fn table(&self) -> Table {
        self.range.expected().map(|(target, what)| (target, self.row(what))).collect()
    }

    /// Every target with what `expected` says that a sweep must make of it.
    pub(crate) fn table_of(&self, expected: impl Fn(&Behaviour) -> Expected) -> Table {
        let row = |what: Behaviour| self.row_of(&expected(&what));
        self.range.expected().map(|(target, what)| (target, row(what))).collect()
    }

    /// What a sweep must make of `behaviour` when it completes handshakes.
    pub(crate) fn row(&self, behaviour: Behaviour) -> Row {
        self.row_of(&behaviour.expected())
    }

    fn row_of(&self, expected: &Expected) -> Row {
        row_of(expected, |kind| self.range.leaf(kind))
    }

    /// The targets at which a sweep must find a match, in order of address and port.
    pub(crate) fn matching(&self) -> Vec<Target> {
        let mut targets: Vec<Target> = self
            .range
            .expected()
            .filter(|(_, behaviour)| behaviour.expected().matches)
            .map(|(target, _)| target)
            .collect();
        targets.sort();
        targets
    }
}

/// What a sweep must make of what is `expected`, where `leaf` gives the leaf of each kind.
pub(crate) fn row_of<'a>(expected: &Expected, leaf: impl Fn(CertificateKind) -> &'a Leaf) -> Row {
    let sha1 = expected.leaf.map(|kind| leaf(kind).sha1.to_string());
    Row {
        outcome: expected.outcome.word().to_owned(),
        detail: expected.outcome.detail(),
        ended: expected.ended.map(|ended| ended.word().to_owned()),
        matches: sha1.iter().filter(|_| expected.matches).map(|s| format!("sha1:{s}")).collect(),
        sha1,
        key_proven: expected.key_proven,
        handshake_finished: expected.handshake_finished,
        tls_version: expected.tls_version.map(str::to_owned),
    }
}

/// The arguments of a sweep of what `selection` says that prints JSON Lines.
pub(crate) fn scan_with(selection: &str) -> String {
    format!("scan {selection} --indicators demo.toml --handshake full --format jsonl --timeout 3")
}

/// A loopback port that notices a connection.
pub(crate) struct TrappedPort {
    listener: TcpListener,
    pub(crate) address: SocketAddr,
}

impl TrappedPort {
    pub(crate) fn set() -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        listener.set_nonblocking(true).unwrap();
        let address = listener.local_addr().unwrap();
        Self { listener, address }
    }

    pub(crate) fn port(&self) -> u16 {
        self.address.port()
    }

    /// Makes sure that nobody has connected. The kernel queues connections, so that none is missed.
    #[track_caller]
    pub(crate) fn assert_untouched(&self) {
        let error = self.listener.accept().expect_err("a connection was made");
        assert_eq!(error.kind(), std::io::ErrorKind::WouldBlock);
    }
}
