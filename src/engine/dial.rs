//! Opening a connection: the scope is asked, then the kernel.

use std::io;
use std::time::Duration;

use nix::libc;
use tokio::net::{TcpSocket, TcpStream};

use crate::domain::address::Target;
use crate::domain::outcome::Outcome;
use crate::domain::scope::{Refusal, Scope};
use crate::domain::time::Timestamp;

/// What came of dialling.
pub(super) enum Dialled {
    /// The connection stands.
    Connected(TcpStream),
    /// The target or the network said no.
    Ended(Outcome),
    /// This machine lacks something; nothing is known of the target.
    Local(io::Error),
    /// The scope does not permit it; nothing was sent.
    Refused(Refusal),
}

/// Connects to `target` if `scope` permits it at `now`.
///
/// This is the only function that opens a probing socket.
pub(super) async fn dial(
    scope: &Scope,
    target: Target,
    now: Timestamp,
    timeout: Duration,
) -> Dialled {
    if let Err(refusal) = scope.permits(target, now) {
        return Dialled::Refused(refusal);
    }
    let socket = match socket(target) {
        Ok(socket) => socket,
        Err(error) => return failure(error),
    };
    match tokio::time::timeout(timeout, socket.connect(target.into())).await {
        Ok(Ok(stream)) => Dialled::Connected(stream),
        Ok(Err(error)) => failure(error),
        Err(_) => Dialled::Ended(Outcome::ConnectTimeout),
    }
}

fn socket(target: Target) -> io::Result<TcpSocket> {
    let socket = if target.address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
    socket.set_nodelay(true)?;
    Ok(socket)
}

/// What a failed connect says: of the target, of this machine, or else of the way there.
///
/// The way is the default. Strangers choose among many errors with the ICMP message that they send
/// (ENOPROTOOPT, EPROTO, EHOSTDOWN, ...), and a route, a firewall rule or a missing address family of our own
/// stays true when asked again (EACCES, EINVAL, EADDRNOTAVAIL, EAFNOSUPPORT). Taking any of them for a
/// shortage would let one address stop a whole sweep.
fn failure(error: io::Error) -> Dialled {
    match error.raw_os_error() {
        Some(libc::ECONNREFUSED | libc::ECONNRESET) => Dialled::Ended(Outcome::Refused),
        Some(libc::ETIMEDOUT) => Dialled::Ended(Outcome::ConnectTimeout),
        Some(libc::EMFILE | libc::ENFILE | libc::ENOBUFS | libc::ENOMEM | libc::EAGAIN) => {
            Dialled::Local(error)
        }
        _ => Dialled::Ended(Outcome::Unreachable),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::scope;

    async fn dial_from(scope: &str, target: &str, now: Timestamp) -> Dialled {
        let scope = scope::read("test.toml", scope).unwrap();
        let target: std::net::SocketAddr = target.parse().unwrap();
        let target = Target::new(target.ip(), target.port());
        dial(&scope, target, now, Duration::from_secs(5)).await
    }

    /// The listener would accept; the scope is what stands in between.
    #[tokio::test]
    async fn nothing_outside_the_scope_is_ever_dialled() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let scope = format!(
            "name = \"t\"\nvalid_until = 2026-11-24\ninclude = [\"127.0.0.1\"]\nports = [{port}]\n"
        );
        let day = |day: i64| Timestamp::from_seconds((20_781 + day) * 86_400); // 2026-11-24 and on
        let inside = format!("127.0.0.1:{port}");
        assert!(matches!(dial_from(&scope, &inside, day(0)).await, Dialled::Connected(_)));
        listener.accept().await.unwrap();
        let refused = [
            (format!("127.0.0.2:{port}"), day(0)),
            (format!("127.0.0.1:{}", port ^ 1), day(0)),
            (format!("[::ffff:127.0.0.1]:{port}"), day(0)),
            (inside, day(1)),
        ];
        for (target, now) in refused {
            let dialled = dial_from(&scope, &target, now).await;
            assert!(matches!(dialled, Dialled::Refused(_)), "{target}");
        }
        let accepted = tokio::time::timeout(Duration::from_millis(50), listener.accept()).await;
        assert!(accepted.is_err(), "a refused target was connected to");
    }

    #[test]
    fn failures_are_of_the_target_the_way_or_this_machine() {
        let outcome = |code| match failure(io::Error::from_raw_os_error(code)) {
            Dialled::Ended(outcome) => Some(outcome),
            _ => None,
        };
        assert_eq!(outcome(libc::ECONNREFUSED), Some(Outcome::Refused));
        assert_eq!(outcome(libc::ETIMEDOUT), Some(Outcome::ConnectTimeout));
        let way = [
            libc::EHOSTUNREACH,
            libc::ENETUNREACH,
            libc::EACCES,
            libc::ENOPROTOOPT,
            libc::EPROTO,
            libc::EADDRNOTAVAIL,
            libc::EAFNOSUPPORT,
        ];
        for code in way {
            assert_eq!(outcome(code), Some(Outcome::Unreachable), "{code}");
        }
        for local in [libc::EMFILE, libc::ENFILE, libc::ENOBUFS, libc::ENOMEM, libc::EAGAIN] {
            assert_eq!(outcome(local), None, "{local}");
        }
    }
}
