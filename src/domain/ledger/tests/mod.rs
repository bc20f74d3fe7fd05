//! Histories written as text: a visit is the letters of the leaves that it saw, `-` if it was answered without one, and
//! `.` if it was not answered.

mod examples;
mod random;

use super::*;

/// The visits of `text`, one a second, each of its own scan and round.
fn history(text: &str) -> Vec<Sight<char>> {
    let visits = text.split_whitespace().zip(1_i64..);
    visits
        .map(|(visit, number)| Sight {
            time: Timestamp::from_seconds(number),
            scan: number,
            round: Timestamp::from_seconds(number),
            seen: match visit {
                "-" => Seen::of("refused", vec![]),
                "." => Seen::of("connect_timeout", vec![]),
                leaves => Seen::of("certificate", leaves.chars().collect()),
            },
        })
        .collect()
}

/// A change as text: `3 rotated a>b` is what the third visit showed.
fn told(change: &Change<char>) -> String {
    let to = change.to.map_or(String::new(), |to| format!(">{to}"));
    format!("{} {} {}{to}", change.scan, change.kind, change.leaf)
}

fn changes(text: &str, absent_after: u32) -> (PlaceState<char>, Vec<String>) {
    let rules = Rules::new(absent_after).unwrap();
    let (state, changes) = fold(history(text), rules, |_| None);
    (state, changes.iter().map(told).collect())
}
