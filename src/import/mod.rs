//! Foreign formats in: text goes in, values of `domain` come out.
//!
//! One file per format, and one registry that tells them apart. Nothing here opens a file. Target lists are here,
//! certificates that others collected in [`collected`].

pub mod collected;
mod masscan;
mod nmap;
mod plain;
mod zmap;

use crate::domain::diagnostic::Diagnostic;
use crate::domain::targets::Entry;

/// What a line of a target list holds, read under one format.
#[derive(Debug, PartialEq, Eq)]
enum Line {
    /// Targets, as ranges and ports; none for a line that says something else.
    Entries(Vec<Item>),
    /// Not of this format.
    Foreign,
    /// Of this format, and wrong at this character (from 0).
    Wrong(usize, String),
}

/// A target before its place in the file is known: `at` is the character (from 0) in its line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Item {
    range: crate::domain::ranges::Range,
    port: Option<u16>,
    at: usize,
}

/// A format that target lists come in.
struct Format {
    name: &'static str,
    read: fn(&str) -> Line,
}

/// Every format, the particular ones before the general.
const FORMATS: [Format; 5] = [
    Format { name: "masscan -oJ / ndjson", read: masscan::json },
    Format { name: "masscan -oL", read: masscan::list },
    Format { name: "nmap -oG", read: nmap::grepable },
    Format { name: "zmap csv", read: zmap::csv },
    Format { name: "plain", read: plain::line },
];

/// Reads a target list in any known format; `file` names it in complaints. Formats may be mixed.
///
/// Empty lines and comments (`#`) are passed over, and so is what scanners report as closed.
///
/// # Errors
/// A complaint with line and column about the first line that no format can read.
pub fn target_list(file: &str, text: &str) -> Result<Vec<Entry>, Diagnostic> {
    let mut entries = Vec::new();
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    for (number, line) in text.lines().enumerate() {
        let content = line.trim();
        if content.is_empty() || content.starts_with('#') {
            continue;
        }
        let wrong = |at: usize, message: String| Diagnostic {
            file: file.to_owned(),
            at: Some((number + 1, at + 1)),
            message,
        };
        match read(line) {
            Line::Entries(items) => entries.extend(items.into_iter().map(|item| Entry {
                range: item.range,
                port: item.port,
                at: (number + 1, item.at + 1),
            })),
            Line::Wrong(at, message) => return Err(wrong(at, message)),
            Line::Foreign => {
                let known = FORMATS.map(|format| format.name).join(", ");
                let message = format!("no target list in a known form ({known})");
                return Err(wrong(0, message));
            }
        }
    }
    Ok(entries)
}

fn read(line: &str) -> Line {
    let mut answers = FORMATS.iter().map(|format| (format.read)(line));
    answers.find(|answer| *answer != Line::Foreign).unwrap_or(Line::Foreign)
}

/// The character at which `part`, a slice of `line`, begins.
fn column(line: &str, part: &str) -> usize {
    let bytes = (part.as_ptr() as usize).saturating_sub(line.as_ptr() as usize);
    line.get(..bytes).map_or(0, |before| before.chars().count())
}

/// An address, as a range of one.
fn address(line: &str, text: &str) -> Result<Item, Line> {
    match text.parse() {
        Ok(address) => Ok(Item {
            range: crate::domain::ranges::Range::single(address),
            port: None,
            at: column(line, text),
        }),
        Err(_) => Err(Line::Wrong(
            column(line, text),
            format!("'{}' is no IP address", text.escape_debug()),
        )),
    }
}

/// A port from 1 to 65535.
fn port(line: &str, text: &str) -> Result<u16, Line> {
    match text.parse() {
        Ok(port) if port > 0 => Ok(port),
        _ => Err(Line::Wrong(
            column(line, text),
            format!("'{}' is no port from 1 to 65535", text.escape_debug()),
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `address:port`, or the address alone, of every entry.
    fn entries(text: &str) -> Vec<String> {
        let entries = target_list("list", text).unwrap();
        entries
            .iter()
            .map(|entry| {
                let address = entry.range.family.address(entry.range.first);
                match entry.port {
                    Some(port) => format!("{address}:{port}"),
                    None => format!("{address}+{}", entry.range.len() - 1),
                }
            })
            .collect()
    }

    #[test]
    fn plain_lists_hold_addresses_prefixes_and_endpoints() {
        let text = "# hosts\n192.0.2.1\n\n192.0.2.8/30  # four\n192.0.2.3:5555\n2001:db8::1\n[2001:db8::2]:443\n";
        assert_eq!(
            entries(text),
            ["192.0.2.1+0", "192.0.2.8+3", "192.0.2.3:5555", "2001:db8::1+0", "2001:db8::2:443"]
        );
    }

    #[test]
    fn masscan_lists_and_json_give_open_ports() {
        let list = "#masscan\nopen tcp 443 192.0.2.1 1700000000\nopen udp 53 192.0.2.1 1700000000\n\
                    closed tcp 992 192.0.2.1 1700000000\nbanner tcp 443 192.0.2.1 1700000000 ssl x\n# end\n";
        assert_eq!(entries(list), ["192.0.2.1:443"]);
        let json = "[\n{ \"ip\": \"192.0.2.2\", \"timestamp\": \"1\", \"ports\": [ {\"port\": 992, \
                    \"proto\": \"tcp\", \"status\": \"open\", \"reason\": \"syn-ack\", \"ttl\": 64} ] },\n]\n";
        assert_eq!(entries(json), ["192.0.2.2:992"]);
        let ndjson = "{\"ip\":\"192.0.2.3\",\"timestamp\":\"1\",\"port\":5555,\"proto\":\"tcp\",\
                      \"rec_type\":\"status\",\"data\":{\"status\":\"open\",\"reason\":\"syn-ack\",\"ttl\":64}}\n\
                      {\"ip\":\"192.0.2.3\",\"timestamp\":\"1\",\"port\":5556,\"proto\":\"tcp\",\
                      \"rec_type\":\"status\",\"data\":{\"status\":\"closed\",\"reason\":\"rst\",\"ttl\":64}}\n\
                      {\"finished\": 1}\n";
        assert_eq!(entries(ndjson), ["192.0.2.3:5555"]);
    }

    #[test]
    fn zmap_and_nmap_output_reads() {
        assert_eq!(entries("saddr\n192.0.2.4\n"), ["192.0.2.4+0"]);
        assert_eq!(entries("saddr,sport\n192.0.2.4,443\n"), ["192.0.2.4:443"]);
        let nmap = "# Nmap 7.93 scan initiated\nHost: 192.0.2.5 (vpn.example)\tStatus: Up\n\
                    Host: 192.0.2.5 (vpn.example)\tPorts: 443/open/tcp//https///, \
                    992/closed/tcp//telnets///, 1194/open|filtered/udp//openvpn///, \
                    5555/open/tcp//freeciv?///\tIgnored State: closed (9)\n";
        assert_eq!(entries(nmap), ["192.0.2.5:443", "192.0.2.5:5555"]);
    }

    #[test]
    fn bad_lines_are_placed() {
        let message = |text: &str| target_list("list", text).unwrap_err().to_string();
        assert_eq!(
            message("192.0.2.1\nopen tcp 0 192.0.2.1 1\n"),
            "list:2:10: '0' is no port from 1 to 65535"
        );
        assert_eq!(
            message("open tcp 443 192.0.2.300 1"),
            "list:1:14: '192.0.2.300' is no IP address"
        );
        assert_eq!(
            message("192.0.2.9/24"),
            "list:1:1: 192.0.2.9/24 has host bits set; did you mean 192.0.2.0/24?"
        );
        assert!(message("hello world").starts_with("list:1:1: 'hello world' is no address"));
        assert_eq!(message("{\"saddr\": \"192.0.2.1\"}"), "list:1:1: no masscan JSON: no 'ip'");
        assert_eq!(entries("{\"ip\": \"192.0.2.1\"}"), ["192.0.2.1+0"]);
        assert_eq!(entries("\u{feff}192.0.2.1\r\n192.0.2.2 \r\n"), ["192.0.2.1+0", "192.0.2.2+0"]);
        assert!(message("[fe80::1%2]:443").contains("with a zone"));
        assert!(message("{\"ip\": 5}").starts_with("list:1:8: no masscan JSON: invalid type"));
    }
}
