//! nmap `-oG`: `Host: 192.0.2.5 (name)<TAB>Ports: 443/open/tcp//https///, …<TAB>…`.

use super::{Item, Line, address, port};

/// The open TCP ports of one host; a `Status:` line holds no target.
pub(super) fn grepable(line: &str) -> Line {
    let Some(rest) = line.strip_prefix("Host: ") else { return Line::Foreign };
    let Some(word) = rest.split_whitespace().next() else {
        return Line::Wrong(6, "no address after 'Host:'".to_owned());
    };
    let host = match address(line, word) {
        Ok(item) => item,
        Err(wrong) => return wrong,
    };
    let Some(ports) = line.split('\t').find_map(|field| field.strip_prefix("Ports: ")) else {
        return Line::Entries(Vec::new());
    };
    let mut items = Vec::new();
    for entry in ports.split(',').map(str::trim) {
        let mut fields = entry.split('/');
        let (number, state, protocol) = (fields.next(), fields.next(), fields.next());
        if (state, protocol) != (Some("open"), Some("tcp")) {
            continue;
        }
        match port(line, number.unwrap_or_default()) {
            Ok(port) => items.push(Item { port: Some(port), ..host }),
            Err(wrong) => return wrong,
        }
    }
    Line::Entries(items)
}
