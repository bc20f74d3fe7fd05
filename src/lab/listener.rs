//! Listening sockets on loopback, and the loop that accepts from them.

use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddrV4};
use std::sync::Arc;
use std::time::Duration;

use socket2::{Domain, Protocol, Socket, Type};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use super::conversation::PATIENCE;

/// How long accepting pauses after an error, for a lack of descriptors to pass.
const PAUSE: Duration = Duration::from_millis(20);

/// Listens on `address` and port, which is one of 127.0.0.0/8.
///
/// # Errors
/// What the system says; `InvalidInput` for an address outside 127.0.0.0/8.
pub(super) fn on_address(address: SocketAddrV4, backlog: i32) -> io::Result<TcpListener> {
    if !address.ip().is_loopback() {
        return Err(io::Error::from(io::ErrorKind::InvalidInput));
    }
    listen(stream_socket()?, address, backlog)
}

/// Listens on every address of 127.0.0.0/8 at once; port 0 is for a free one.
///
/// The socket is bound to the loopback interface before it has an address, so that no packet from
/// elsewhere can reach it (`SO_BINDTODEVICE`, see socket(7)).
///
/// # Errors
/// What the system says.
pub(super) fn on_loopback(port: u16, backlog: i32) -> io::Result<TcpListener> {
    let socket = stream_socket()?;
    socket.bind_device(Some(b"lo"))?;
    listen(socket, SocketAddrV4::new(Ipv4Addr::UNSPECIFIED, port), backlog)
}

fn stream_socket() -> io::Result<Socket> {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, Some(Protocol::TCP))?;
    socket.set_nonblocking(true)?;
    socket.set_reuse_address(true)?;
    Ok(socket)
}

fn listen(socket: Socket, address: SocketAddrV4, backlog: i32) -> io::Result<TcpListener> {
    socket.bind(&address.into())?;
    socket.listen(backlog)?;
    TcpListener::from_std(socket.into())
}

/// Accepts for ever, each connection a task of its own that `serve` fills; all end with this one.
///
/// A connection whose local address is not one of 127.0.0.0/8 is dropped at once. At most as many
/// as `places` has permits are served at a time, and none for longer than [`PATIENCE`].
pub(super) async fn accept<S, F>(listener: TcpListener, places: Arc<Semaphore>, serve: S)
where
    S: Fn(Ipv4Addr, TcpStream) -> F,
    F: Future<Output = io::Result<()>> + Send + 'static,
{
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => {
                let Ok((stream, _)) = accepted else {
                    sleep(PAUSE).await;
                    continue;
                };
                let Some(address) = loopback_address(&stream) else { continue };
                let Ok(place) = Arc::clone(&places).acquire_owned().await else { return };
                let served = serve(address, stream);
                connections.spawn(async move {
                    let _ = timeout(PATIENCE, served).await;
                    drop(place);
                });
            }
            Some(_) = connections.join_next() => {}
        }
    }
}

/// Our end of `stream`, if it is in 127.0.0.0/8.
fn loopback_address(stream: &TcpStream) -> Option<Ipv4Addr> {
    match stream.local_addr().ok()?.ip() {
        IpAddr::V4(address) => address.is_loopback().then_some(address),
        IpAddr::V6(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::AsyncReadExt;

    use super::*;

    #[tokio::test]
    async fn an_address_outside_loopback_is_not_listened_on() {
        for address in [Ipv4Addr::UNSPECIFIED, Ipv4Addr::new(192, 0, 2, 1)] {
            let error = on_address(SocketAddrV4::new(address, 0), 1).unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::InvalidInput);
        }
    }

    #[tokio::test]
    async fn connections_end_with_the_task_that_accepted_them() {
        let listener = on_loopback(0, 16).unwrap();
        let address = (Ipv4Addr::new(127, 1, 2, 3), listener.local_addr().unwrap().port());
        let places = Arc::new(Semaphore::new(1));
        let accepting = tokio::spawn(accept(listener, places, |local, mut stream| async move {
            assert_eq!(local, Ipv4Addr::new(127, 1, 2, 3));
            stream.read_u8().await.map(drop)
        }));
        let mut client = TcpStream::connect(address).await.unwrap();
        assert!(timeout(Duration::from_millis(50), client.read_u8()).await.is_err());
        accepting.abort();
        let ended = timeout(PATIENCE / 2, client.read_u8()).await.unwrap();
        assert_eq!(ended.unwrap_err().kind(), io::ErrorKind::UnexpectedEof);
    }
}
