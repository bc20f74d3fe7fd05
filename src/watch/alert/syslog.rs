//! Syslog over a socket of this machine, UDP or TCP.
//!
//! Syslog has no acknowledgement. Over the first two, delivered means handed to the kernel; over TCP, that the receiver
//! closed its end in good order after ours.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{UdpSocket, UnixDatagram};
use tokio::time::timeout;

use super::{Channel, Delivering, Patience, connect, reason};
use crate::domain::alert::{Alert, Delivery, Sender, SyslogAddress, framed, message};
use crate::domain::time::Timestamp;

/// Sends syslog messages to one receiver.
pub struct Syslog {
    address: SyslogAddress,
    sender: Sender,
    patience: Patience,
}

impl Syslog {
    /// Sends to `address` in the name of this machine and process.
    pub fn new(address: SyslogAddress, patience: Patience) -> Self {
        let host = rustix::system::uname().nodename().to_string_lossy().into_owned();
        Self { address, sender: Sender { host, process: std::process::id() }, patience }
    }

    async fn send(&self, message: &str) -> Result<(), String> {
        let told = |error: std::io::Error| error.to_string();
        match &self.address {
            SyslogAddress::Unix(path) => {
                let socket = UnixDatagram::unbound().map_err(told)?;
                socket.send_to(message.as_bytes(), path).await.map_err(told)?;
            }
            SyslogAddress::Udp(host, port) => {
                let to = connect::addresses(host, *port).await?;
                let Some(to) = to.first() else { return Ok(()) };
                let any = match to.ip() {
                    IpAddr::V4(_) => IpAddr::V4(Ipv4Addr::UNSPECIFIED),
                    IpAddr::V6(_) => IpAddr::V6(Ipv6Addr::UNSPECIFIED),
                };
                let socket = UdpSocket::bind((any, 0)).await.map_err(told)?;
                socket.send_to(message.as_bytes(), to).await.map_err(told)?;
            }
            SyslogAddress::Tcp(host, port) => {
                let to = connect::addresses(host, *port).await?;
                let late = |_| format!("no connection within {:?}", self.patience.connect);
                let connecting = timeout(self.patience.connect, connect::any(&to));
                let mut stream = connecting.await.map_err(late)??;
                stream.write_all(framed(message).as_bytes()).await.map_err(told)?;
                stream.shutdown().await.map_err(told)?;
                // Its end, or a byte that nobody asked for: either says that it is alive and took ours.
                stream.read(&mut [0; 1]).await.map_err(told)?;
            }
        }
        Ok(())
    }

    fn name(&self) -> String {
        match &self.address {
            SyslogAddress::Unix(path) => format!("unix:{path}"),
            SyslogAddress::Udp(host, port) => format!("udp:{host}:{port}"),
            SyslogAddress::Tcp(host, port) => format!("tcp:{host}:{port}"),
        }
    }
}

impl Channel for Syslog {
    fn deliver<'a>(&'a self, alert: &'a Alert, _: Timestamp) -> Delivering<'a> {
        Box::pin(async move {
            let message = message(alert, &self.sender);
            let whole = self.patience.whole;
            match timeout(whole, self.send(&message)).await {
                Ok(Ok(())) => Delivery::Delivered,
                Ok(Err(why)) => Delivery::retry(reason(&format!("{}: {why}", self.name()))),
                Err(_) => Delivery::retry(format!("{}: not taken within {whole:?}", self.name())),
            }
        })
    }
}
