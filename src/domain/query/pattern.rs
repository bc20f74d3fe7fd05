//! Names with wildcards.

/// A text in which `*` stands for any characters and `?` for one, upper and lower case alike.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pattern(String);

impl Pattern {
    /// The pattern that `text` spells.
    pub fn new(text: &str) -> Self {
        Self(text.to_lowercase())
    }

    /// As it was written, in lower case.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether all of `text` is as the pattern says.
    pub fn matches(&self, text: &str) -> bool {
        let text: Vec<char> = text.chars().flat_map(char::to_lowercase).collect();
        let pattern: Vec<char> = self.0.chars().collect();
        let (mut at, mut from) = (0, 0);
        // Where to go on if what follows the last star does not fit: one character later.
        let mut again: Option<(usize, usize)> = None;
        while from < text.len() {
            match pattern.get(at) {
                Some('*') => {
                    again = Some((at + 1, from));
                    at += 1;
                }
                Some(char) if *char == '?' || *char == text[from] => {
                    (at, from) = (at + 1, from + 1)
                }
                _ => match again {
                    Some((after, begin)) => {
                        again = Some((after, begin + 1));
                        (at, from) = (after, begin + 1);
                    }
                    None => return false,
                },
            }
        }
        pattern[at..].iter().all(|char| *char == '*')
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wildcards_stand_for_what_they_say() {
        let cases = [
            ("vpn*.sednc.cn", "VPN437972693.sednc.cn", true),
            ("vpn*.sednc.cn", "vpn.sednc.cn", true),
            ("vpn*.sednc.cn", "vpn1.sednc.cn.example", false),
            ("*softether*", "CN=SoftEther", true),
            ("vpn?", "vpn1", true),
            ("vpn?", "vpn", false),
            ("softether", "softether.net", false),
            ("*", "", true),
            ("", "", true),
            ("", "a", false),
            ("a*b*c", "a-b-b-c", true),
            ("a*b*c", "a-c-b", false),
            ("%_", "ab", false),
            ("m\u{fc}ller*", "M\u{dc}LLER.example", true),
        ];
        for (pattern, text, expected) in cases {
            assert_eq!(Pattern::new(pattern).matches(text), expected, "{pattern} {text}");
        }
    }

    #[test]
    fn many_stars_take_no_more_than_the_product_of_both_lengths() {
        let pattern = Pattern::new(&format!("{}b", "*a".repeat(50)));
        assert!(!pattern.matches(&"a".repeat(10_000)));
    }
}
