//! Connecting to where the settings say.

use std::net::SocketAddr;

use tokio::net::{TcpStream, lookup_host};

/// The addresses of `host`, which is a name or an address.
///
/// # Errors
/// There is none.
pub(super) async fn addresses(host: &str, port: u16) -> Result<Vec<SocketAddr>, String> {
    let found = lookup_host((host, port)).await;
    let found: Vec<_> = found.map_err(|error| format!("no address: {error}"))?.collect();
    if found.is_empty() { Err("no address".to_owned()) } else { Ok(found) }
}

/// A connection to the first of `addresses` that takes one.
///
/// # Errors
/// What the last one said.
pub(super) async fn any(addresses: &[SocketAddr]) -> Result<TcpStream, String> {
    let mut why = "no address".to_owned();
    for address in addresses {
        match TcpStream::connect(address).await {
            Ok(stream) => return Ok(stream),
            Err(error) => why = error.to_string(),
        }
    }
    Err(why)
}
