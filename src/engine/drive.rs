//! Carrying bytes between a stream and a client.

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::time::timeout_at;

use super::Clock;
use crate::domain::tls::{Client, End, Verdict};

/// Bytes read at a time.
const CHUNK: usize = 8 * 1024;

/// Drives `client` over `stream` until it has a verdict.
///
/// A failed write does not end the exchange: what the server sent before it closed, an alert mostly, is
/// still there to be read.
pub(super) async fn exchange(
    stream: &mut (impl AsyncRead + AsyncWrite + Unpin),
    client: &mut dyn Client,
    clock: &Clock,
) -> Verdict {
    let (mut out, mut chunk) = (Vec::new(), vec![0; CHUNK]);
    let mut ended = None;
    loop {
        while client.poll_transmit(&mut out) {}
        let deadline = clock.instant(client.deadline());
        if !out.is_empty() {
            if ended.is_none() {
                let _ = timeout_at(deadline, stream.write_all(&out)).await;
            }
            out.clear();
        }
        if let Some(verdict) = client.verdict() {
            return verdict;
        }
        let end = match timeout_at(deadline, stream.read(&mut chunk)).await {
            Ok(Ok(0)) => End::EndOfStream,
            Ok(Ok(length)) => {
                client.handle_bytes(clock.now(), &chunk[..length]);
                continue;
            }
            Ok(Err(_)) => End::Reset,
            Err(_) => End::Deadline,
        };
        ended = Some(end);
        client.handle_end(clock.now(), end);
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::io::duplex;

    use super::*;
    use crate::domain::outcome::{Alert, Outcome, Protocol};
    use crate::domain::time::Timestamp;
    use crate::domain::tls::{Limits, Offer, RustlsOffer};

    fn client(handshake: Duration) -> Box<dyn Client> {
        let limits = Limits { handshake, ..Limits::default() };
        RustlsOffer::new(limits).unwrap().start(Duration::ZERO, [0; 112])
    }

    #[tokio::test(start_paused = true)]
    async fn a_silent_server_is_given_up_at_the_deadline() {
        let clock = Clock::simulated(Timestamp::default());
        let (mut stream, _server) = duplex(4096);
        let mut client = client(Duration::from_secs(5));
        let verdict = exchange(&mut stream, client.as_mut(), &clock).await;
        assert_eq!(verdict.outcome, Outcome::Silent);
        assert_eq!(clock.now().as_secs(), 5);
    }

    #[tokio::test(start_paused = true)]
    async fn one_byte_a_second_does_not_move_the_deadline() {
        let clock = Clock::simulated(Timestamp::default());
        let (mut stream, mut server) = duplex(4096);
        let dripping = tokio::spawn(async move {
            let mut tick = tokio::time::interval(Duration::from_secs(1));
            while server.write_all(&[22]).await.is_ok() {
                tick.tick().await;
            }
        });
        let mut client = client(Duration::from_millis(1_500));
        let verdict = exchange(&mut stream, client.as_mut(), &clock).await;
        // 22, 22 is no TLS version, but two bytes are too few to name what it is instead.
        assert_eq!(verdict.outcome, Outcome::NotTls(Protocol::Unknown));
        assert_eq!(clock.now().as_millis(), 1_500);
        drop(stream);
        dripping.await.unwrap();
    }

    #[tokio::test(start_paused = true)]
    async fn an_alert_is_read_even_if_the_hello_could_not_be_written() {
        let clock = Clock::simulated(Timestamp::default());
        let (stream, mut server) = duplex(64);
        server.write_all(&[21, 3, 3, 0, 2, 2, 70]).await.unwrap();
        drop(server);
        let (mut stream, mut client) = (stream, client(Duration::from_secs(5)));
        let verdict = exchange(&mut stream, client.as_mut(), &clock).await;
        assert_eq!(verdict.outcome, Outcome::Alert(Alert { level: 2, description: 70 }));
    }
}
