//! What servers do with one connection.

use std::io;
use std::net::SocketAddrV4;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt, copy_bidirectional};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;

use super::behaviour::Behaviour;
use super::wire;

/// How long a connection may last, whatever the client does.
pub(super) const PATIENCE: Duration = Duration::from_secs(30);

/// How long a server that is done waits for the client to close.
const FAREWELL: Duration = Duration::from_secs(5);

/// Behaves as `behaviour`, which is none of those that speak TLS to the end.
///
/// # Errors
/// Whatever ended the connection early; nobody needs to be told.
pub(super) async fn converse(behaviour: Behaviour, mut stream: TcpStream) -> io::Result<()> {
    match behaviour {
        Behaviour::Ssh => part(stream, wire::SSH).await,
        Behaviour::Smtp => part(stream, wire::SMTP).await,
        Behaviour::Silent => drain(stream).await,
        _ => {
            read_record(&mut stream).await?;
            answer_hello(behaviour, stream).await
        }
    }
}

async fn answer_hello(behaviour: Behaviour, mut stream: TcpStream) -> io::Result<()> {
    let server_hello = wire::server_hello();
    let half = &server_hello[..server_hello.len() / 2];
    match behaviour {
        Behaviour::Http => part(stream, wire::HTTP).await,
        Behaviour::AlertHandshakeFailure => part(stream, &wire::fatal_alert(40)).await,
        Behaviour::AlertProtocolVersion => part(stream, &wire::fatal_alert(70)).await,
        Behaviour::Truncate => part(stream, half).await,
        Behaviour::Garbage => part(stream, &wire::garbage()).await,
        // Closing a socket whose lingering time is zero sends a reset.
        Behaviour::ResetAfterHello => stream.set_zero_linger(),
        Behaviour::Stall => {
            stream.write_all(half).await?;
            drain(stream).await
        }
        Behaviour::Endless => {
            stream.write_all(&server_hello).await?;
            for record in wire::endless_certificate() {
                stream.write_all(&record).await?;
            }
            part(stream, b"").await
        }
        _ => part(stream, b"").await,
    }
}

/// Completes a handshake, then waits for the client to close.
///
/// # Errors
/// Whatever ended the connection early; nobody needs to be told.
pub(super) async fn shake_hands(acceptor: &TlsAcceptor, stream: TcpStream) -> io::Result<()> {
    let mut secured = acceptor.accept(stream).await?;
    let _ = timeout(FAREWELL, drain(&mut secured)).await;
    secured.shutdown().await
}

/// Passes bytes both ways between `stream` and the server at `address`, until both have ended.
///
/// # Errors
/// Whatever ended the connection early; nobody needs to be told.
pub(super) async fn relay(mut stream: TcpStream, address: SocketAddrV4) -> io::Result<()> {
    if !address.ip().is_loopback() {
        return Err(io::Error::from(io::ErrorKind::InvalidInput));
    }
    let mut owner = TcpStream::connect(address).await?;
    copy_bidirectional(&mut stream, &mut owner).await.map(|_| ())
}

/// Says `last`, ends our half of the stream, and waits for the client to end its own.
///
/// What the client still sends is read, because closing a socket with unread bytes would send a
/// reset, and that could overtake the last words.
pub(super) async fn part(mut stream: TcpStream, last: &[u8]) -> io::Result<()> {
    stream.write_all(last).await?;
    stream.shutdown().await?;
    timeout(FAREWELL, drain(stream)).await.unwrap_or(Ok(()))
}

/// Reads and forgets until the client closes.
pub(super) async fn drain(mut stream: impl AsyncRead + Unpin) -> io::Result<()> {
    let mut forgotten = [0; 1024];
    while stream.read(&mut forgotten).await? > 0 {}
    Ok(())
}

/// Reads one record, and so the whole ClientHello of every client that we know of.
pub(super) async fn read_record(stream: &mut TcpStream) -> io::Result<Vec<u8>> {
    let mut record = vec![0; 5];
    stream.read_exact(&mut record).await?;
    let length = u16::from_be_bytes([record[3], record[4]]);
    record.resize(5 + usize::from(length), 0);
    stream.read_exact(&mut record[5..]).await?;
    Ok(record)
}

#[cfg(test)]
mod tests {
    use std::io::ErrorKind;

    use tokio::net::TcpListener;

    use super::*;

    /// A record that stands in for a ClientHello; no server of this module looks inside.
    const HELLO: [u8; 9] = [22, 3, 1, 0, 4, 1, 0, 0, 0];

    /// A client whose server behaves as `behaviour` on one connection.
    async fn connected(behaviour: Behaviour) -> TcpStream {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move {
            let (stream, _) = listener.accept().await.unwrap();
            converse(behaviour, stream).await
        });
        TcpStream::connect(address).await.unwrap()
    }

    /// All that the server sends after a ClientHello, until its end of the stream.
    async fn answer(behaviour: Behaviour) -> io::Result<Vec<u8>> {
        let mut stream = connected(behaviour).await;
        stream.write_all(&HELLO).await?;
        let mut received = Vec::new();
        timeout(FAREWELL, stream.read_to_end(&mut received)).await??;
        Ok(received)
    }

    #[tokio::test]
    async fn answers_to_a_hello_are_those_of_the_wire() {
        let hello = wire::server_hello();
        for (behaviour, expected) in [
            (Behaviour::Http, wire::HTTP),
            (Behaviour::AlertHandshakeFailure, &[21, 3, 3, 0, 2, 2, 40]),
            (Behaviour::AlertProtocolVersion, &[21, 3, 3, 0, 2, 2, 70]),
            (Behaviour::CloseAtOnce, &[]),
            (Behaviour::Truncate, &hello[..hello.len() / 2]),
            (Behaviour::Garbage, &wire::garbage()),
        ] {
            assert_eq!(answer(behaviour).await.unwrap(), expected, "{behaviour:?}");
        }
    }

    #[tokio::test]
    async fn banners_come_without_a_hello() {
        for (behaviour, banner) in [(Behaviour::Ssh, wire::SSH), (Behaviour::Smtp, wire::SMTP)] {
            let mut received = Vec::new();
            connected(behaviour).await.read_to_end(&mut received).await.unwrap();
            assert_eq!(received, banner);
        }
    }

    #[tokio::test]
    async fn a_reset_is_a_reset() {
        let error = answer(Behaviour::ResetAfterHello).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::ConnectionReset);
    }

    #[tokio::test]
    async fn an_endless_answer_goes_beyond_what_a_probe_takes() {
        let received = answer(Behaviour::Endless).await.unwrap();
        assert!(received.len() > 16 << 20);
        assert!(received.starts_with(&wire::server_hello()));
    }

    #[tokio::test]
    async fn the_silent_say_nothing_and_the_stalled_no_more_than_a_start() {
        let hello = wire::server_hello();
        for (behaviour, start) in
            [(Behaviour::Silent, &[][..]), (Behaviour::Stall, &hello[..hello.len() / 2])]
        {
            let mut stream = connected(behaviour).await;
            stream.write_all(&HELLO).await.unwrap();
            let mut received = vec![0; start.len()];
            stream.read_exact(&mut received).await.unwrap();
            assert_eq!(received, start);
            let more = timeout(Duration::from_millis(200), stream.read_u8()).await;
            assert!(more.is_err(), "{behaviour:?}");
        }
    }
}
