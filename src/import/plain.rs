//! Plain lists: one address, prefix or endpoint a line, a comment after `#`.

use std::net::SocketAddr;

use super::{Item, Line, column};
use crate::domain::ranges::Range;
use crate::domain::scope::parse_prefix;

/// `192.0.2.1`, `192.0.2.0/28`, `192.0.2.1:443`, `[2001:db8::1]:443`.
pub(super) fn line(line: &str) -> Line {
    let text = line.split('#').next().unwrap_or_default().trim();
    let at = column(line, text);
    if let Ok(endpoint) = text.parse::<SocketAddr>() {
        if matches!(endpoint, SocketAddr::V6(v6) if v6.scope_id() != 0) {
            return Line::Wrong(at, "an address with a zone (%) cannot be probed".to_owned());
        }
        if endpoint.port() == 0 {
            return Line::Wrong(at, "port 0 cannot be probed; ports go from 1 to 65535".to_owned());
        }
        let range = Range::single(endpoint.ip());
        return Line::Entries(vec![Item { range, port: Some(endpoint.port()), at }]);
    }
    match parse_prefix(text) {
        Ok(net) => Line::Entries(vec![Item { range: net.into(), port: None, at }]),
        Err(message) => Line::Wrong(at, message),
    }
}
