//! masscan: `-oL` lists, `-oJ` JSON arrays and `-oD` newline-delimited JSON.

use serde::Deserialize;

use super::{Item, Line, address, port};

/// `open tcp 443 192.0.2.1 1700000000`: status, protocol, port, address, seconds since the epoch.
pub(super) fn list(line: &str) -> Line {
    let words: Vec<&str> = line.split_whitespace().collect();
    let [status, protocol, port_word, address_word, ..] = words[..] else { return Line::Foreign };
    if !matches!(status, "open" | "closed" | "banner")
        || !matches!(protocol, "tcp" | "udp" | "sctp")
    {
        return Line::Foreign;
    }
    if (status, protocol) != ("open", "tcp") {
        return Line::Entries(Vec::new());
    }
    match (port(line, port_word), address(line, address_word)) {
        (Ok(port), Ok(item)) => Line::Entries(vec![Item { port: Some(port), ..item }]),
        (Err(wrong), _) | (_, Err(wrong)) => wrong,
    }
}

/// One object of `-oJ` (with its comma) or `-oD`; the brackets of the array and the closing
/// `{"finished": 1}` hold no target.
pub(super) fn json(line: &str) -> Line {
    let text = line.trim().trim_end_matches(',');
    if matches!(text, "[" | "]" | "") {
        return Line::Entries(Vec::new());
    }
    if !text.starts_with('{') {
        return Line::Foreign;
    }
    match serde_json::from_str::<Object>(text) {
        Ok(object) => object.entries(line),
        Err(error) => {
            // serde_json counts lines within this line, which says nothing.
            let message = error.to_string();
            let what = message.split(" at line ").next().unwrap_or_default();
            Line::Wrong(error.column().saturating_sub(1), format!("no masscan JSON: {what}"))
        }
    }
}

#[derive(Deserialize)]
struct Object {
    ip: Option<String>,
    #[serde(default)]
    ports: Vec<Port>,
    port: Option<u16>,
    proto: Option<String>,
    data: Option<Data>,
    finished: Option<serde_json::Value>,
}

#[derive(Deserialize)]
struct Port {
    port: u16,
    proto: Option<String>,
    status: Option<String>,
}

#[derive(Deserialize)]
struct Data {
    status: Option<String>,
}

impl Object {
    fn entries(self, line: &str) -> Line {
        let Some(ip) = self.ip else {
            return match self.finished {
                Some(_) => Line::Entries(Vec::new()),
                None => Line::Wrong(0, "no masscan JSON: no 'ip'".to_owned()),
            };
        };
        let at = line.find(&ip).unwrap_or_default();
        let item = match address(line, &ip) {
            Ok(item) => item,
            Err(Line::Wrong(_, message)) => return Line::Wrong(at, message),
            Err(other) => return other,
        };
        if self.ports.is_empty() && self.port.is_none() {
            return Line::Entries(vec![Item { at, ..item }]);
        }
        let single = self.port.map(|port| Port {
            port,
            proto: self.proto,
            status: self.data.and_then(|data| data.status),
        });
        let open = self.ports.into_iter().chain(single).filter(|port| {
            port.port > 0
                && port.proto.as_deref().is_none_or(|protocol| protocol == "tcp")
                && port.status.as_deref() == Some("open")
        });
        Line::Entries(open.map(|port| Item { port: Some(port.port), at, ..item }).collect())
    }
}
