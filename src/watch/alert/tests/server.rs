//! A web server on loopback that does what it is told, and remembers what it was sent.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;

/// What it does with one connection, once it has read the request.
#[derive(Clone, Debug)]
pub(super) enum Act {
    /// Sends these bytes and closes.
    Send(Vec<u8>),
    /// Sends them and then nothing, for ever.
    SendAndHang(&'static str),
    /// Says nothing, for ever.
    Hang,
}

impl Act {
    pub(super) fn answer(status: &str) -> Self {
        Self::Send(format!("HTTP/1.1 {status}\r\nContent-Length: 0\r\n\r\n").into_bytes())
    }

    pub(super) fn text(text: &str) -> Self {
        Self::Send(text.into())
    }
}

#[derive(Clone, Debug)]
pub(super) struct Received {
    pub(super) head: String,
    pub(super) body: String,
}

impl Received {
    /// The value of the header `name`.
    pub(super) fn field(&self, name: &str) -> Option<&str> {
        let fields = self.head.lines().skip(1).filter_map(|line| line.split_once(": "));
        fields.filter(|(given, _)| given.eq_ignore_ascii_case(name)).map(|(_, value)| value).next()
    }
}

pub(super) struct Server {
    pub(super) address: SocketAddr,
    received: Arc<Mutex<Vec<Received>>>,
    _task: JoinSet<()>,
}

impl Server {
    /// Serves one connection for each act, and refuses to go on after the last.
    pub(super) async fn start(acts: Vec<Act>, tls: Option<TlsAcceptor>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let received = Arc::new(Mutex::new(Vec::new()));
        let (mut task, log) = (JoinSet::new(), Arc::clone(&received));
        task.spawn(async move {
            let mut connections = JoinSet::new();
            for act in acts {
                let (stream, _) = listener.accept().await.unwrap();
                let (log, tls) = (Arc::clone(&log), tls.clone());
                connections.spawn(async move {
                    match tls {
                        None => serve(stream, act, &log).await,
                        // A client that does not trust us ends the handshake.
                        Some(tls) => {
                            if let Ok(stream) = tls.accept(stream).await {
                                serve(stream, act, &log).await;
                            }
                        }
                    }
                });
            }
            drop(listener);
            while connections.join_next().await.is_some() {}
        });
        Self { address, received, _task: task }
    }

    pub(super) fn received(&self) -> Vec<Received> {
        self.received.lock().unwrap().clone()
    }
}

async fn serve<S: AsyncRead + AsyncWrite + Unpin>(
    mut stream: S,
    act: Act,
    log: &Mutex<Vec<Received>>,
) {
    let mut bytes = Vec::new();
    let received = loop {
        if let Some(received) = request(&bytes) {
            break received;
        }
        if stream.read_buf(&mut bytes).await.unwrap() == 0 {
            return;
        }
    };
    log.lock().unwrap().push(received);
    match act {
        Act::Send(bytes) => {
            // The client may have heard enough before the end.
            let _ = stream.write_all(&bytes).await;
            let _ = stream.shutdown().await;
        }
        Act::SendAndHang(text) => {
            stream.write_all(text.as_bytes()).await.unwrap();
            stream.flush().await.unwrap();
            std::future::pending::<()>().await;
        }
        Act::Hang => std::future::pending().await,
    }
}

/// The request that `bytes` hold, once they hold it whole.
fn request(bytes: &[u8]) -> Option<Received> {
    let text = std::str::from_utf8(bytes).ok()?;
    let (head, body) = text.split_once("\r\n\r\n")?;
    let received = Received { head: head.to_owned(), body: body.to_owned() };
    let length: usize = received.field("content-length").unwrap().parse().unwrap();
    (body.len() == length).then_some(received)
}
