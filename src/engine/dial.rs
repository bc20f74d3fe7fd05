//! Opening a connection: the scope is asked, then the kernel.
//!
//! Sockets are used again and again: connecting one to no address (`AF_UNSPEC`, connect(2)) resets its
//! connection, frees its port, drops what was queued and leaves it ready for the next target, in half the time
//! that closing and opening takes. Such a reset leaves neither this machine nor the server with a
//! connection to wait for.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::time::Duration;

use rustix::io::Errno;
use rustix::net::{
    AddressFamily, RecvFlags, SendFlags, Shutdown, SocketFlags, SocketType, connect,
    connect_unspec, getpeername, recv, send, shutdown, socket_with, sockopt,
};

use crate::domain::address::{Family, Target};
use crate::domain::outcome::Outcome;
use crate::domain::scope::{Refusal, Scope};
use crate::domain::time::Timestamp;

/// What came of dialling.
#[derive(Debug)]
pub(super) enum Dialled {
    /// The connection stands.
    Connected,
    /// It is on its way.
    Connecting,
    /// The target or the network said no.
    Ended(Outcome),
    /// This machine lacks something; nothing is known of the target.
    Local(io::Error),
    /// The scope does not permit it; nothing was sent.
    Refused(Refusal),
}

/// What a connection carries bytes over.
pub(super) trait Wire {
    /// Sends what goes at once of `bytes`.
    fn send(&mut self, bytes: &[u8]) -> io::Result<usize>;

    /// Takes what has come; 0 is the end of the stream.
    fn recv(&mut self, into: &mut [u8]) -> io::Result<usize>;
}

/// A TCP socket that never waits, for one connection after another.
#[derive(Debug)]
pub(super) struct Socket {
    fd: OwnedFd,
    family: Family,
}

impl Socket {
    /// A new socket for connections to `address` and its like.
    ///
    /// # Errors
    /// What it says of this machine, or of the way to the address.
    pub(super) fn open(address: IpAddr) -> Result<Self, Dialled> {
        Self::new(address).map_err(failure)
    }

    fn new(address: IpAddr) -> io::Result<Self> {
        let family = Family::of(address);
        let domain = match family {
            Family::V4 => AddressFamily::INET,
            Family::V6 => AddressFamily::INET6,
        };
        let flags = SocketFlags::NONBLOCK | SocketFlags::CLOEXEC;
        let fd = socket_with(domain, SocketType::STREAM, flags, None)?;
        sockopt::set_tcp_nodelay(&fd, true)?;
        Ok(Self { fd, family })
    }

    /// The addresses that it can connect to.
    pub(super) const fn family(&self) -> Family {
        self.family
    }

    /// Whether it can connect to `address`.
    pub(super) fn fits(&self, address: IpAddr) -> bool {
        self.family == Family::of(address)
    }

    /// Connects to `target` if `scope` permits it at `now`.
    ///
    /// This is the only function that connects a probing socket.
    pub(super) fn dial(&mut self, scope: &Scope, target: Target, now: Timestamp) -> Dialled {
        if let Err(refusal) = scope.permits(target, now) {
            return Dialled::Refused(refusal);
        }
        // The bare acknowledgement of the handshake waits for the ClientHello and goes with it: one packet
        // fewer. Disconnecting forgets it, so it is said each time; where it cannot be said nothing is lost.
        let _ = sockopt::set_tcp_quickack(&self.fd, false);
        match connect(&self.fd, &SocketAddr::from(target)) {
            Ok(()) => Dialled::Connected,
            Err(Errno::INPROGRESS) => Dialled::Connecting,
            Err(error) => failure(error.into()),
        }
    }

    /// What came of a connection that was on its way and has news.
    pub(super) fn news(&self) -> Dialled {
        match sockopt::socket_error(&self.fd) {
            Ok(Ok(())) => Dialled::Connected,
            Ok(Err(error)) => failure(error.into()),
            Err(error) => failure(error.into()),
        }
    }

    /// Looks at what has come and leaves it where it is; 0 is the end of the stream.
    pub(super) fn peek(&self, into: &mut [u8]) -> io::Result<usize> {
        Ok(recv(&self.fd, into, RecvFlags::PEEK)?.0)
    }

    /// Whether the connection stands.
    pub(super) fn is_connected(&self) -> bool {
        getpeername(&self.fd).is_ok()
    }

    /// Resets the connection, or gives up the attempt at one; `false` if the socket is of no more use.
    pub(super) fn disconnect(&mut self) -> bool {
        connect_unspec(&self.fd).is_ok()
    }

    /// Ends the connection with a reset as it is closed.
    pub(super) fn reset(self) {
        let _ = sockopt::set_socket_linger(&self.fd, Some(Duration::ZERO));
    }

    /// Ends the connection properly: what was sent still arrives.
    pub(super) fn close(self) {
        let _ = shutdown(&self.fd, Shutdown::Write);
    }
}

impl AsFd for Socket {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

impl Wire for Socket {
    fn send(&mut self, bytes: &[u8]) -> io::Result<usize> {
        Ok(send(&self.fd, bytes, SendFlags::NOSIGNAL)?)
    }

    fn recv(&mut self, into: &mut [u8]) -> io::Result<usize> {
        Ok(recv(&self.fd, into, RecvFlags::empty())?.0)
    }
}

/// What a failed connect says: of the target, of this machine, or else of the way there.
///
/// The way is the default. Strangers choose among many errors with the ICMP message that they send
/// (ENOPROTOOPT, EPROTO, EHOSTDOWN, ...), and a route, a firewall rule or a missing address family of our own
/// stays true when asked again (EACCES, EINVAL, EADDRNOTAVAIL, EAFNOSUPPORT). Taking any of them for a
/// shortage would let one address stop a whole sweep.
fn failure(error: io::Error) -> Dialled {
    match error.raw_os_error().map(Errno::from_raw_os_error) {
        Some(Errno::CONNREFUSED) => Dialled::Ended(Outcome::Refused),
        // It was accepted before it was reset.
        Some(Errno::CONNRESET | Errno::PIPE) => Dialled::Ended(Outcome::Reset),
        Some(Errno::TIMEDOUT) => Dialled::Ended(Outcome::ConnectTimeout),
        Some(Errno::MFILE | Errno::NFILE | Errno::NOBUFS | Errno::NOMEM | Errno::AGAIN) => {
            Dialled::Local(error)
        }
        _ => Dialled::Ended(Outcome::Unreachable),
    }
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use super::*;
    use crate::domain::scope;

    fn dial_from(scope: &str, target: &str, now: Timestamp) -> Dialled {
        let scope = scope::read("test.toml", scope).unwrap();
        let target: SocketAddr = target.parse().unwrap();
        let target = Target::new(target.ip(), target.port());
        Socket::open(target.address).unwrap().dial(&scope, target, now)
    }

    /// The listener would accept; the scope is what stands in between.
    #[test]
    fn nothing_outside_the_scope_is_ever_dialled() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let scope = format!(
            "name = \"t\"\nvalid_until = 2026-11-24\ninclude = [\"127.0.0.1\"]\nports = [{port}]\n"
        );
        let day = |day: i64| Timestamp::from_seconds((20_781 + day) * 86_400); // 2026-11-24 and on
        let inside = format!("127.0.0.1:{port}");
        let dialled = dial_from(&scope, &inside, day(0));
        assert!(matches!(dialled, Dialled::Connected | Dialled::Connecting), "{dialled:?}");
        listener.accept().unwrap();
        let refused = [
            (format!("127.0.0.2:{port}"), day(0)),
            (format!("127.0.0.1:{}", port ^ 1), day(0)),
            (format!("[::ffff:127.0.0.1]:{port}"), day(0)),
            (inside, day(1)),
        ];
        for (target, now) in refused {
            let dialled = dial_from(&scope, &target, now);
            assert!(matches!(dialled, Dialled::Refused(_)), "{target}");
        }
        listener.set_nonblocking(true).unwrap();
        let accepted = listener.accept().map_err(|error| error.kind());
        assert_eq!(accepted.unwrap_err(), io::ErrorKind::WouldBlock, "connected to");
    }

    #[test]
    fn a_socket_serves_one_connection_after_another() {
        let scope = scope::read("t", "name = \"t\"\ninclude = [\"127.0.0.0/8\"]\nports = [1, 2]\n");
        let mut scope = scope.unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        scope.ports = crate::domain::ports::PortSet::from_iter([port]);
        let target = Target::new("127.0.0.1".parse().unwrap(), port);
        let mut socket = Socket::open(target.address).unwrap();
        for round in 0..100_u8 {
            let dialled = socket.dial(&scope, target, Timestamp::default());
            assert!(matches!(dialled, Dialled::Connected | Dialled::Connecting), "{dialled:?}");
            assert!(socket.is_connected() && matches!(socket.news(), Dialled::Connected));
            assert_eq!(socket.send(&[round]).unwrap(), 1);
            let (mut accepted, _) = listener.accept().unwrap();
            io::Write::write_all(&mut accepted, &[round; 3]).unwrap();
            let mut byte = [0];
            io::Read::read_exact(&mut accepted, &mut byte).unwrap();
            assert_eq!(byte, [round]);
            let mut into = [0; 8];
            assert_eq!(socket.peek(&mut into).unwrap(), 3);
            assert_eq!(socket.recv(&mut into).unwrap(), 3);
            assert_eq!(into[..3], [round; 3]);
            assert!(socket.disconnect());
            assert!(!socket.is_connected());
            let error = io::Read::read(&mut accepted, &mut byte).unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::ConnectionReset);
        }
    }

    /// What nobody has asked for yet is still there to be asked for.
    #[test]
    fn a_refusal_is_told_however_late() {
        let scope = scope::read("t", "name = \"t\"\ninclude = [\"127.0.0.0/8\"]\nports = [1]\n");
        let target = Target::new("127.0.0.1".parse().unwrap(), 1);
        let mut socket = Socket::open(target.address).unwrap();
        socket.dial(&scope.unwrap(), target, Timestamp::default());
        let news = socket.news();
        assert!(matches!(news, Dialled::Ended(Outcome::Refused)), "{news:?}");
        assert!(!socket.is_connected());
    }

    #[test]
    fn failures_are_of_the_target_the_way_or_this_machine() {
        let outcome = |code: Errno| match failure(code.into()) {
            Dialled::Ended(outcome) => Some(outcome),
            _ => None,
        };
        assert_eq!(outcome(Errno::CONNREFUSED), Some(Outcome::Refused));
        assert_eq!(outcome(Errno::CONNRESET), Some(Outcome::Reset));
        assert_eq!(outcome(Errno::TIMEDOUT), Some(Outcome::ConnectTimeout));
        let way = [
            Errno::HOSTUNREACH,
            Errno::NETUNREACH,
            Errno::ACCESS,
            Errno::NOPROTOOPT,
            Errno::PROTO,
            Errno::ADDRNOTAVAIL,
            Errno::AFNOSUPPORT,
        ];
        for code in way {
            assert_eq!(outcome(code), Some(Outcome::Unreachable), "{code}");
        }
        for local in [Errno::MFILE, Errno::NFILE, Errno::NOBUFS, Errno::NOMEM, Errno::AGAIN] {
            assert_eq!(outcome(local), None, "{local}");
        }
    }
}
