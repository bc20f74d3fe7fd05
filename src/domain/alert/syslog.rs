//! Alerts as syslog messages (RFC 5424).
//!
//! The formatter is our own: it is one line of fixed fields, and the crate that is mostly taken for it blocks,
//! opens its own sockets and brings a second library of dates.

use std::fmt::Write as _;

use super::{Alert, line};
use crate::domain::text::shortened;

/// Bytes of a message at most: what every receiver over UDP should take (RFC 5426, section 3.2).
pub const MESSAGE_BYTES_MAX: usize = 2_048;

/// Facility 3: system daemons (RFC 5424, section 6.2.1).
const DAEMON: u8 = 3;

/// The structured data's name. No number is registered for this program; 32473 is the one for examples (RFC 5612).
const STRUCTURED: &str = "certsweep@32473";

/// Characters of a value at most.
const VALUE_MAX: usize = 128;

/// Who sends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sender {
    /// The machine's name.
    pub host: String,
    /// The number of the process.
    pub process: u32,
}

/// The alert as one message, without what a transport puts around it. Its text is cut where it would be too long; its
/// structured data never is.
pub fn message(alert: &Alert, sender: &Sender) -> String {
    // Warning for what is tied to a report, notice for everything else.
    let severity = if alert.closest_tier().is_some_and(|tier| tier.is_certain()) { 4 } else { 5 };
    let mut message = format!(
        "<{}>1 {} {} certsweep {} {} [{STRUCTURED}",
        DAEMON * 8 + severity,
        alert.time,
        header(&sender.host),
        sender.process,
        alert.kind.word()
    );
    for (name, value) in values(alert) {
        let _ = write!(message, " {name}=\"{}\"", escaped(&value));
    }
    message.push_str("] ");
    // All that is not ASCII is UTF-8, and is announced (section 6.4).
    let text = line(alert);
    if !text.is_ascii() {
        message.push('\u{feff}');
    }
    message.push_str(&text);
    let mut end = message.len().min(MESSAGE_BYTES_MAX);
    while !message.is_char_boundary(end) {
        end -= 1;
    }
    message.truncate(end);
    message
}

/// The message as a stream carries it: its length in bytes before it (RFC 6587, section 3.4.1), so that no text can
/// end it early.
pub fn framed(message: &str) -> String {
    format!("{} {message}", message.len())
}

fn values(alert: &Alert) -> Vec<(&'static str, String)> {
    let mut values = vec![
        ("key", alert.key.to_string()),
        ("address", alert.target.address.to_string()),
        ("port", alert.target.port.to_string()),
        ("vantage", alert.vantage.clone()),
    ];
    let optional = [
        ("server_name", alert.server_name.clone()),
        ("job", alert.job.clone()),
        ("sha1", alert.leaf.sha1.map(|hash| hash.to_string())),
        ("sha256", alert.leaf.sha256.map(|hash| hash.to_string())),
        ("tier", alert.closest_tier().map(|tier| tier.letter().to_owned())),
        (
            "set",
            alert.matches.iter().min_by_key(|found| found.tier).map(|found| found.set.to_string()),
        ),
        ("tlp", alert.tlp().map(|tlp| tlp.word().to_owned())),
    ];
    values.extend(optional.into_iter().filter_map(|(name, value)| Some((name, value?))));
    values
}

/// A field of the header: printable ASCII without spaces, or `-` (section 6).
fn header(text: &str) -> String {
    let kept: String = text.chars().filter(char::is_ascii_graphic).take(255).collect();
    if kept.is_empty() { "-".to_owned() } else { kept }
}

/// A value of structured data: quote, backslash and bracket behind a backslash (section 6.3.3). Control characters are
/// written as their numbers, since some receivers split lines at them.
fn escaped(value: &str) -> String {
    let mut safe = String::new();
    for character in shortened(value, VALUE_MAX).chars() {
        match character {
            '"' | '\\' | ']' => safe.extend(['\\', character]),
            _ if character.is_control() => {
                let _ = write!(safe, "#{:03}", u32::from(character));
            }
            _ => safe.push(character),
        }
    }
    safe
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::alert::tests::moved;

    fn sender() -> Sender {
        Sender { host: "scanner".to_owned(), process: 42 }
    }

    #[test]
    fn a_message_has_every_field() {
        let expected = format!(
            "<28>1 2026-11-24T02:18:24.512Z scanner certsweep 42 moved [certsweep@32473 key=\"{}\" \
             address=\"192.0.2.7\" port=\"5555\" vantage=\"default\" job=\"nightly\" sha1=\"{}\" \
             sha256=\"{}\" tier=\"A\" set=\"flax-typhoon\" tlp=\"clear\"] {}",
            "ab".repeat(32),
            "79".repeat(20),
            "11".repeat(32),
            line(&moved())
        );
        assert_eq!(message(&moved(), &sender()), expected);
        assert_eq!(framed("<28>1 a"), "7 <28>1 a");
        let guess = Alert { matches: Vec::new(), ..moved() };
        assert!(message(&guess, &sender()).starts_with("<29>1 "));
    }

    #[test]
    fn hostile_texts_neither_end_the_data_nor_the_message() {
        let mut alert = moved();
        alert.server_name = Some("a\"]\\ x=\"\n<0>1 -".to_owned());
        alert.leaf.common_name = Some("\u{e9}\n".repeat(30_000));
        let hosts = [("", "-"), ("a b\n\u{e9}]", "ab]"), ("\u{e9}", "-")];
        for (host, expected) in hosts {
            let sender = Sender { host: host.to_owned(), process: 1 };
            let message = message(&alert, &sender);
            assert!(message.contains(&format!(" {expected} certsweep 1 moved ")), "{message}");
            assert!(message.contains(r##" server_name="a\"\]\\ x=\"#010<0>1 -" "##), "{message}");
            assert!(message.contains("] \u{feff}[TLP:CLEAR] moved: "), "{message}");
            assert!(!message.contains('\n') && message.len() <= MESSAGE_BYTES_MAX);
        }
    }

    #[test]
    fn what_is_too_long_is_cut_in_its_text_only() {
        let mut alert = moved();
        let long = "\\\u{1f980}".repeat(1_000);
        alert.server_name = Some("\u{1f980}".repeat(65_536));
        alert.leaf.common_name = Some(long.clone());
        alert.vantage = long.clone();
        alert.job = Some("j".repeat(65_536));
        let told = message(&alert, &sender());
        assert!(told.len() <= MESSAGE_BYTES_MAX && told.contains(" tlp=\"clear\"] "), "{told}");
    }
}
