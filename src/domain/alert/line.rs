//! An alert on one line, for people: nothing in it can be clicked, and strangers' text has no effect.

use std::fmt::Write as _;

use super::{Alert, Certificate, Kind};
use crate::domain::address::Target;
use crate::domain::observation::Evidence;
use crate::domain::text::{defang_name, defang_target, escape, shortened};

/// Characters of a stranger's text that a line shows.
const TEXT_MAX: usize = 80;

/// How many sets and places a line names.
const LISTED_MAX: usize = 4;

/// The alert in one line of ASCII and printable text, at most about two thousand characters.
pub fn line(alert: &Alert) -> String {
    let mut line = match alert.tlp() {
        Some(tlp) => format!("[TLP:{}] ", tlp.word().to_uppercase()),
        None => String::new(),
    };
    let place = place(alert.target, alert.server_name.as_deref());
    let leaf = certificate(&alert.leaf);
    let _ = match alert.kind {
        Kind::New => write!(line, "new: {place} shows {leaf}"),
        Kind::Moved => write!(line, "moved: {place} shows {leaf}"),
        Kind::Returned => write!(line, "returned: {place} shows {leaf} again"),
        Kind::Rotated => write!(line, "rotated: {place} now shows {leaf}"),
        Kind::Gone => write!(line, "gone: {place} no longer shows {leaf}"),
    };
    if let Some(previous) = &alert.previous {
        let _ = write!(line, " instead of {}", certificate(previous));
    }
    if !alert.from.is_empty() {
        let places = alert.from.iter().map(|from| {
            format!("{} (last seen {})", defang_target(from.target), from.last_seen.day())
        });
        let _ = write!(line, ", before at {}", some(places.collect()));
    }
    if !alert.matches.is_empty() {
        let matches = alert.matches.iter();
        let told = matches.map(|found| format!("{} of {}", found.tier.letter(), text(&found.set)));
        let mut told: Vec<String> = told.collect();
        told.dedup();
        let _ = write!(line, "; matches at tier {}", some(told));
    }
    if let Some(evidence) = alert.evidence {
        let _ = write!(line, "; {}", proven(evidence));
    }
    line
}

/// The same for a chat, as a span of code, in which neither links nor mentions nor markup have an effect: not those of
/// Slack (`<!channel>`), and not those of Mattermost (`[text](link)`, `@all`).
pub fn chat(alert: &Alert) -> String {
    let mut span = String::from("`");
    for character in line(alert).chars() {
        if matches!(character, '<' | '>' | '&' | '`') {
            let _ = write!(span, "\\u{{{:x}}}", u32::from(character));
        } else {
            span.push(character);
        }
    }
    span.push('`');
    span
}

fn place(target: Target, server_name: Option<&str>) -> String {
    match server_name {
        Some(name) => format!("{} as {}", defang_target(target), text(name)),
        None => defang_target(target),
    }
}

fn certificate(certificate: &Certificate) -> String {
    let hash = match (certificate.sha1, certificate.sha256) {
        (Some(sha1), _) => format!("sha1:{sha1}"),
        (None, Some(sha256)) => format!("sha256:{sha256}"),
        (None, None) => "a certificate".to_owned(),
    };
    match &certificate.common_name {
        Some(name) => format!("{hash} ({})", text(name)),
        None => hash,
    }
}

/// A stranger's text: cut first, so that no work grows with it.
fn text(text: &str) -> String {
    defang_name(&escape(&shortened(text, TEXT_MAX)))
}

fn some(all: Vec<String>) -> String {
    let more = all.len().saturating_sub(LISTED_MAX);
    let mut told = all.into_iter().take(LISTED_MAX).collect::<Vec<_>>().join(", ");
    if more > 0 {
        let _ = write!(told, " and {more} more");
    }
    told
}

/// What the server proved, in the words of the terminal's tables.
const fn proven(evidence: Evidence) -> &'static str {
    match evidence {
        Evidence { key_proven: Some(true), .. } => "key proven",
        Evidence { key_proven: Some(false), .. } => "NOT proven",
        Evidence { handshake_finished: true, .. } => "finished",
        _ => "presented",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::alert::tests::{matched, moved};
    use crate::domain::indicator::{Tier, Tlp};

    #[test]
    fn a_move_is_told_with_where_it_came_from() {
        let expected = format!(
            "[TLP:CLEAR] moved: 192.0.2[.]7:5555 shows sha1:{} (vpn1[.]example[.]com), before at \
             198.51.100[.]1:443 (last seen 2026-11-01); matches at tier A of flax-typhoon; key proven",
            "79".repeat(20)
        );
        assert_eq!(line(&moved()), expected);
        assert_eq!(chat(&moved()), format!("`{expected}`"));
    }

    #[test]
    fn every_kind_has_its_words() {
        let told = |kind| {
            let leaf = Certificate::default();
            let alert =
                Alert { kind, leaf, from: vec![], matches: vec![], evidence: None, ..moved() };
            line(&alert)
        };
        assert_eq!(told(Kind::New), "new: 192.0.2[.]7:5555 shows a certificate");
        assert_eq!(told(Kind::Returned), "returned: 192.0.2[.]7:5555 shows a certificate again");
        assert_eq!(told(Kind::Gone), "gone: 192.0.2[.]7:5555 no longer shows a certificate");
        let alert = Alert {
            kind: Kind::Rotated,
            previous: Some(Certificate { common_name: Some("old".into()), ..Default::default() }),
            server_name: Some("a.example".into()),
            leaf: Certificate::default(),
            from: vec![],
            matches: vec![],
            ..moved()
        };
        assert_eq!(
            line(&alert),
            "rotated: 192.0.2[.]7:5555 as a[.]example now shows a certificate instead of a \
             certificate (old); key proven"
        );
    }

    #[test]
    fn strangers_can_neither_break_the_line_nor_call_anybody() {
        let name = "<!channel>\n`@all` [x](https://2130706433/) \u{202e}\u{1b}[2J&amp;";
        let mut alert = moved();
        alert.leaf.common_name = Some(name.to_owned());
        alert.server_name = Some("x".repeat(65_536));
        alert.matches = (0..50).map(|n| matched(&format!("s{n}"), Tlp::Clear, Tier::A)).collect();
        let told = line(&alert);
        assert!(told.len() < 1_000 && !told.chars().any(char::is_control), "{told}");
        assert!(told.contains("A of s3 and 46 more"), "{told}");
        let chat = chat(&alert);
        let inside = chat.strip_prefix('`').and_then(|chat| chat.strip_suffix('`')).unwrap();
        assert!(!inside.contains(['<', '>', '&', '`', '\n']), "{inside}");
        assert!(inside.contains("\\u{3c}!channel\\u{3e}\\u{a}\\u{60}@all\\u{60}"), "{inside}");
    }
}
