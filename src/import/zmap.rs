//! zmap CSV: `saddr` or `saddr,sport` with its header. (Without a header its output is a plain list.)

use super::{Item, Line, address, port};

/// The header, or `192.0.2.4,443`.
pub(super) fn csv(line: &str) -> Line {
    let fields: Vec<&str> = line.trim().split(',').collect();
    match fields[..] {
        ["saddr"] | ["saddr", "sport"] => Line::Entries(Vec::new()),
        ["saddr", ..] => Line::Wrong(
            0,
            "of zmap's columns only saddr and sport are read: use -f saddr,sport".to_owned(),
        ),
        [host, number] => match (address(line, host), port(line, number)) {
            (Ok(item), Ok(port)) => Line::Entries(vec![Item { port: Some(port), ..item }]),
            (Err(wrong), _) | (_, Err(wrong)) => wrong,
        },
        _ => Line::Foreign,
    }
}
