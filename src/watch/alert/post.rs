//! One POST over a connection of its own.
//!
//! The answer's body is not read, so that there is nothing in it to bound, to log or to believe.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use http::header::{CONNECTION, CONTENT_TYPE, HOST, RETRY_AFTER, USER_AGENT};
use http::{HeaderValue, Request, StatusCode};
use http_body_util::Full;
use hyper::body::Bytes;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::task::JoinSet;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;

use super::{Patience, connect, reason};
use crate::domain::alert::{Delivery, Endpoint, retry_after};

/// Bytes of an answer's head at most, and its fields.
const HEAD_BYTES_MAX: usize = 16 << 10;
const FIELDS_MAX: usize = 64;

/// Posts to one endpoint.
pub(super) struct Poster {
    pub(super) endpoint: Endpoint,
    /// For an endpoint that speaks TLS.
    pub(super) tls: Option<Arc<ClientConfig>>,
    pub(super) patience: Patience,
}

/// What an answer says.
struct Answer {
    status: StatusCode,
    retry_after: Option<Duration>,
}

impl Poster {
    /// Posts `body` with `fields`.
    pub(super) async fn post(&self, fields: &[(&'static str, String)], body: String) -> Delivery {
        let Some(request) = self.request(fields, body) else {
            return Delivery::give_up(format!("{}: the request cannot be written", self.endpoint));
        };
        match timeout(self.patience.whole, self.exchange(request)).await {
            Ok(Ok(answer)) => self.judge(&answer),
            Ok(Err(why)) => Delivery::retry(reason(&format!("{}: {why}", self.endpoint))),
            Err(_) => {
                let whole = self.patience.whole;
                Delivery::retry(format!("{}: no answer within {whole:?}", self.endpoint))
            }
        }
    }

    fn request(
        &self,
        fields: &[(&'static str, String)],
        body: String,
    ) -> Option<Request<Full<Bytes>>> {
        let mut request = Request::post(self.endpoint.path.expose())
            .header(HOST, self.endpoint.authority())
            .header(USER_AGENT, concat!("certsweep/", env!("CARGO_PKG_VERSION")))
            .header(CONTENT_TYPE, "application/json")
            .header(CONNECTION, "close");
        for (name, value) in fields {
            request = request.header(*name, HeaderValue::from_str(value).ok()?);
        }
        request.body(Full::new(Bytes::from(body))).ok()
    }

    async fn exchange(&self, request: Request<Full<Bytes>>) -> Result<Answer, String> {
        let connect = self.patience.connect;
        let late = |_| format!("no connection within {connect:?}");
        let addresses = timeout(connect, self.addresses()).await.map_err(late)??;
        let stream = timeout(connect, connect::any(&addresses)).await.map_err(late)??;
        let Some(tls) = &self.tls else { return send(stream, request).await };
        let name = self.server_name()?;
        let handshake = timeout(connect, TlsConnector::from(Arc::clone(tls)).connect(name, stream));
        let stream = handshake.await.map_err(late)?.map_err(|error| error.to_string())?;
        send(stream, request).await
    }

    async fn addresses(&self) -> Result<Vec<SocketAddr>, String> {
        let mut addresses = connect::addresses(&self.endpoint.host, self.endpoint.port).await?;
        if self.tls.is_none() {
            addresses.retain(|address| address.ip().is_loopback());
            if addresses.is_empty() {
                return Err("is http:// and not this machine".to_owned());
            }
        }
        Ok(addresses)
    }

    fn server_name(&self) -> Result<ServerName<'static>, String> {
        ServerName::try_from(self.endpoint.host.clone()).map_err(|_| "is no host name".to_owned())
    }

    /// What an answer means: done, never, or later.
    fn judge(&self, answer: &Answer) -> Delivery {
        let status = answer.status;
        let why = format!("{} answered {}", self.endpoint, status.as_u16());
        match status.as_u16() {
            200..=299 => Delivery::Delivered,
            300..=399 => Delivery::retry(format!("{why}, a redirect, and none is followed")),
            408 | 425 | 429 => Delivery::Retry { why, after: answer.retry_after },
            400..=499 => Delivery::GiveUp { why },
            _ => Delivery::Retry { why, after: answer.retry_after },
        }
    }
}

async fn send<S>(stream: S, request: Request<Full<Bytes>>) -> Result<Answer, String>
where
    S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    let told = |error: hyper::Error| match std::error::Error::source(&error) {
        Some(source) => format!("{error}: {source}"),
        None => error.to_string(),
    };
    let (mut sender, connection) = http1::Builder::new()
        .max_buf_size(HEAD_BYTES_MAX)
        .max_headers(FIELDS_MAX)
        .handshake(TokioIo::new(stream))
        .await
        .map_err(told)?;
    // Ends with this function, whatever the server still has to say.
    let mut driver = JoinSet::new();
    driver.spawn(connection);
    let answer = sender.send_request(request).await.map_err(told)?;
    let asked = answer.headers().get(RETRY_AFTER).and_then(|value| value.to_str().ok());
    Ok(Answer { status: answer.status(), retry_after: asked.and_then(retry_after) })
}
