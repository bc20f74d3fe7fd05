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
