//! Text for people: strangers' text made safe to show, addresses and names made unclickable.

use std::fmt::Write as _;
use std::net::IpAddr;

use super::address::Target;

/// `text` with every character escaped that could move, hide or reorder what a terminal shows.
///
/// Control characters, bidirectional and zero-width formatting, line separators and the backslash itself
/// become `\u{…}` or `\\`, so that nothing is lost and nothing takes effect.
pub fn escape(text: &str) -> String {
    harmless(&text.replace('\\', "\\\\"))
}

/// `text` with the same characters escaped as [`escape`] does, but for the backslash: for lines whose parts
/// may have been escaped before, as a last guard.
pub fn harmless(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for character in text.chars() {
        if is_dangerous(character) {
            let _ = write!(safe, "\\u{{{:x}}}", u32::from(character));
        } else {
            safe.push(character);
        }
    }
    safe
}

fn is_dangerous(character: char) -> bool {
    character.is_control()
        || matches!(
            character,
            '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
                | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}'
                | '\u{e0000}'..='\u{e007f}'
        )
}

/// `text` on one line: runs of white space become one space.
pub fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// `text` cut to at most `width` characters, the last of them `…` where something was cut.
pub fn shortened(text: &str, width: usize) -> String {
    if text.chars().count() <= width {
        return text.to_owned();
    }
    let kept: String = text.chars().take(width.saturating_sub(1)).collect();
    format!("{kept}…")
}

/// An address that no program takes for a link: `192.0.2[.]1`, `2001:db8:[:]1`.
pub fn defang_address(address: IpAddr) -> String {
    let text = address.to_string();
    let mark = if address.is_ipv4() { '.' } else { ':' };
    match text.rsplit_once(mark) {
        Some((head, tail)) => format!("{head}[{mark}]{tail}"),
        None => text,
    }
}

/// A target likewise: `192.0.2[.]1:443`, `[2001:db8:[:]1]:443`.
pub fn defang_target(target: Target) -> String {
    let address = defang_address(target.address);
    match target.address {
        IpAddr::V4(_) => format!("{address}:{}", target.port),
        IpAddr::V6(_) => format!("[{address}]:{}", target.port),
    }
}

/// Names that no program takes for links: every dot within a word becomes `[.]`.
pub fn defang_name(name: &str) -> String {
    let mut safe = String::with_capacity(name.len() + 8);
    let mut characters = name.chars().peekable();
    while let Some(character) = characters.next() {
        let within = characters.peek().is_some_and(|next| next.is_alphanumeric());
        if character == '.' && within { safe.push_str("[.]") } else { safe.push(character) }
    }
    safe
}

/// `number` with a comma between every three digits.
pub fn grouped(number: u128) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// `count` and `noun`, with an `s` unless there is exactly one: `1 address`, `2 ports`.
pub fn counted(count: u128, one: &str, many: &str) -> String {
    format!("{} {}", grouped(count), if count == 1 { one } else { many })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_moves_the_terminal_is_escaped_and_kept() {
        assert_eq!(escape("a\u{1b}[31mred\r\n"), "a\\u{1b}[31mred\\u{d}\\u{a}");
        assert_eq!(escape("exe\u{202e}gpj"), "exe\\u{202e}gpj");
        assert_eq!(escape("back\\slash"), "back\\\\slash");
        assert_eq!(escape("Straße 東京"), "Straße 東京");
    }

    #[test]
    fn addresses_and_names_are_defanged() {
        let defanged = |text: &str| defang_address(text.parse().unwrap());
        assert_eq!(defanged("45.204.1.248"), "45.204.1[.]248");
        assert_eq!(defanged("2001:db8::1"), "2001:db8:[:]1");
        assert_eq!(defang_name("vpn.softether.net"), "vpn[.]softether[.]net");
        assert_eq!(defang_name("CN=a.b, O=Acme Inc., C=US"), "CN=a[.]b, O=Acme Inc., C=US");
        let target = Target::new("2001:db8::1".parse().unwrap(), 443);
        assert_eq!(defang_target(target), "[2001:db8:[:]1]:443");
    }

    #[test]
    fn numbers_are_grouped_by_three() {
        let texts = [0, 999, 1_000, 65_536, 2_147_483_648].map(grouped);
        assert_eq!(texts, ["0", "999", "1,000", "65,536", "2,147,483,648"]);
        assert_eq!(counted(1, "address", "addresses"), "1 address");
        assert_eq!(counted(1024, "address", "addresses"), "1,024 addresses");
    }

    #[test]
    fn long_texts_are_cut_by_characters() {
        assert_eq!(shortened("abcdef", 6), "abcdef");
        assert_eq!(shortened("äbcdef", 3), "äb…");
    }
}
