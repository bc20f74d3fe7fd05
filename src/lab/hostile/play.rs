//! Playing a script on a connection.

use std::io;

use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::time::sleep;

use super::Step;
use super::messages::HANDSHAKE;
use crate::lab::conversation::{drain, part, read_record};

/// Does `steps` in order, and closes at the end.
///
/// # Errors
/// Whatever ended the connection early; nobody needs to be told.
pub(in crate::lab) async fn play(steps: &[Step], mut stream: TcpStream) -> io::Result<()> {
    let mut hello = Vec::new();
    for step in steps {
        match step {
            Step::Await => hello = read_handshake(&mut stream).await?,
            Step::Send(_) | Step::Echo { .. } | Step::Sealed(_) => {
                stream.write_all(&step.bytes(&hello)).await?;
            }
            Step::Repeat { bytes, count } => repeat(&mut stream, bytes, *count).await?,
            Step::Drip { bytes, every } => {
                for byte in bytes {
                    sleep(*every).await;
                    stream.write_u8(*byte).await?;
                }
            }
            Step::Close => return part(stream, b"").await,
            // Closing a socket whose lingering time is zero sends a reset.
            Step::Reset => return stream.set_zero_linger(),
            Step::Hold => return drain(stream).await,
        }
    }
    part(stream, b"").await
}

/// Reads records up to the first that is of the handshake.
async fn read_handshake(stream: &mut TcpStream) -> io::Result<Vec<u8>> {
    loop {
        let record = read_record(stream).await?;
        if record.first() == Some(&HANDSHAKE) {
            return Ok(record);
        }
    }
}

/// Sends `bytes` so many times, in pieces that are worth a system call.
async fn repeat(stream: &mut TcpStream, bytes: &[u8], count: usize) -> io::Result<()> {
    let at_once = (1 << 14) / bytes.len().max(1) + 1;
    let piece = bytes.repeat(at_once.min(count));
    for _ in 0..count / at_once {
        stream.write_all(&piece).await?;
    }
    stream.write_all(&bytes.repeat(count % at_once)).await
}
