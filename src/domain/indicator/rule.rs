//! Profile rules: what a certificate says of itself, combined with `all`, `any` and `not`.
//!
//! A rule knows three answers. What could not be read is neither true nor false, and `not` leaves it so:
//! a profile never matches because something is missing (Kleene's strong logic).

use std::fmt;

use crate::domain::cert::Description;
use crate::domain::time::{Day, Timestamp};

/// A rule over one certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Rule {
    /// Every one holds.
    All(Vec<Self>),
    /// At least one holds.
    Any(Vec<Self>),
    /// It does not hold.
    Not(Box<Self>),
    /// What one field says.
    Field(Predicate),
}

impl Rule {
    /// Whether the rule holds of `leaf`; `None` where that depends on what could not be read.
    pub fn holds(&self, leaf: &Description) -> Option<bool> {
        match self {
            Self::All(rules) => decided(rules, leaf, false),
            Self::Any(rules) => decided(rules, leaf, true),
            Self::Not(rule) => rule.holds(leaf).map(|holds| !holds),
            Self::Field(predicate) => predicate.holds(leaf),
        }
    }
}

/// The answer `deciding` if one rule gives it, its opposite if all give that, else none.
fn decided(rules: &[Rule], leaf: &Description, deciding: bool) -> Option<bool> {
    let mut unknown = false;
    for rule in rules {
        match rule.holds(leaf) {
            Some(answer) if answer == deciding => return Some(deciding),
            Some(_) => {}
            None => unknown = true,
        }
    }
    (!unknown).then_some(!deciding)
}

/// What a rule asks of one field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Predicate {
    /// A text, compared without regard to the case of ASCII letters. The text is in lower case.
    Text(TextField, TextTest, String),
    /// Whether subject and issuer are the same name.
    SelfSigned(bool),
    /// Whether the structure is that of SoftEther's default certificate.
    SoftetherDefault(bool),
    /// The UTC day of a date.
    Day(DateField, DayTest, Day),
    /// Whole days from start to end of validity: at least so many.
    ValidityDaysMin(u64),
    /// Whole days from start to end of validity: at most so many.
    ValidityDaysMax(u64),
}

/// A field that holds text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TextField {
    /// The subject as text.
    Subject,
    /// The issuer as text.
    Issuer,
    /// The subject's first common name.
    CommonName,
    /// Any of the subject alternative names.
    Name,
    /// The serial number's octets in hex.
    Serial,
    /// The kind of key, `RSA-2048`.
    Key,
    /// The signature algorithm's usual name.
    SignatureAlgorithm,
}

/// How a text is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TextTest {
    /// The whole text.
    Equals,
    /// Somewhere in it.
    Contains,
    /// At its start.
    Prefix,
    /// At its end.
    Suffix,
}

/// A date of the validity.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DateField {
    /// Its start.
    NotBefore,
    /// Its end.
    NotAfter,
}

/// How a day is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DayTest {
    /// On this day.
    On,
    /// On this day or later.
    From,
    /// On this day or earlier.
    Until,
}

impl Predicate {
    fn holds(&self, leaf: &Description) -> Option<bool> {
        match self {
            Self::Text(field, test, wanted) => field.holds(leaf, |text| test.holds(text, wanted)),
            Self::SelfSigned(wanted) => leaf.self_signed.map(|found| found == *wanted),
            Self::SoftetherDefault(wanted) => softether_default(leaf).map(|found| found == *wanted),
            Self::Day(field, test, wanted) => {
                field.of(leaf).map(|moment| test.holds(moment.day(), *wanted))
            }
            Self::ValidityDaysMin(days) => {
                validity_days(leaf).map(|found| found >= i128::from(*days))
            }
            Self::ValidityDaysMax(days) => {
                validity_days(leaf).map(|found| found <= i128::from(*days))
            }
        }
    }
}

/// The structure is there or not; of a certificate that was read in part, only that it is there is sure.
fn softether_default(leaf: &Description) -> Option<bool> {
    match (leaf.softether_default, &leaf.parse_error) {
        (true, _) => Some(true),
        (false, None) => Some(false),
        (false, Some(_)) => None,
    }
}

fn validity_days(leaf: &Description) -> Option<i128> {
    const DAY: i128 = 86_400_000_000;
    let (start, end) = (leaf.not_before?.micros(), leaf.not_after?.micros());
    Some((i128::from(end) - i128::from(start)).div_euclid(DAY))
}

impl TextField {
    /// Whether `test` holds of the field; `None` where the field, or a part of it, was not read.
    fn holds(self, leaf: &Description, test: impl Fn(&str) -> bool) -> Option<bool> {
        let text = match self {
            Self::Subject | Self::CommonName if leaf.is_subject_partial => None,
            Self::Issuer if leaf.is_issuer_partial => None,
            Self::Subject => leaf.subject.as_deref(),
            Self::Issuer => leaf.issuer.as_deref(),
            // A subject that was read has one, or has none for sure.
            Self::CommonName => match &leaf.common_name {
                Some(name) => Some(name.as_str()),
                None => return leaf.subject.as_ref().map(|_| false),
            },
            Self::Name => return any_name(leaf, test),
            Self::Serial => leaf.serial.as_deref(),
            Self::Key => leaf.key.as_deref(),
            Self::SignatureAlgorithm => leaf.signature_algorithm.as_deref(),
        };
        text.map(test)
    }
}

fn any_name(leaf: &Description, test: impl Fn(&str) -> bool) -> Option<bool> {
    match leaf.names.iter().any(|name| test(name)) {
        true => Some(true),
        // Of a certificate that was read in part, names may be missing.
        false => leaf.parse_error.is_none().then_some(false),
    }
}

impl TextTest {
    fn holds(self, text: &str, wanted: &str) -> bool {
        let text = text.to_ascii_lowercase();
        match self {
            Self::Equals => text == wanted,
            Self::Contains => text.contains(wanted),
            Self::Prefix => text.starts_with(wanted),
            Self::Suffix => text.ends_with(wanted),
        }
    }
}

impl DateField {
    const fn of(self, leaf: &Description) -> Option<Timestamp> {
        match self {
            Self::NotBefore => leaf.not_before,
            Self::NotAfter => leaf.not_after,
        }
    }
}

impl DayTest {
    fn holds(self, found: Day, wanted: Day) -> bool {
        match self {
            Self::On => found == wanted,
            Self::From => found >= wanted,
            Self::Until => found <= wanted,
        }
    }
}

/// As set files write it: `{ not = { subject_contains = "softether" } }`.
impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::All(rules) => list(f, "all", rules),
            Self::Any(rules) => list(f, "any", rules),
            Self::Not(rule) => write!(f, "{{ not = {rule} }}"),
            Self::Field(predicate) => write!(f, "{{ {predicate} }}"),
        }
    }
}

fn list(f: &mut fmt::Formatter<'_>, key: &str, rules: &[Rule]) -> fmt::Result {
    write!(f, "{{ {key} = [")?;
    for (at, rule) in rules.iter().enumerate() {
        write!(f, "{}{rule}", if at == 0 { "" } else { ", " })?;
    }
    f.write_str("] }")
}

impl fmt::Display for Predicate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(field, test, text) => {
                write!(f, "{}{} = {text:?}", field.key(), test.ending())
            }
            Self::SelfSigned(wanted) => write!(f, "self_signed = {wanted}"),
            Self::SoftetherDefault(wanted) => write!(f, "softether_default = {wanted}"),
            Self::Day(field, test, day) => write!(f, "{}{} = {day}", field.key(), test.ending()),
            Self::ValidityDaysMin(days) => write!(f, "validity_days_min = {days}"),
            Self::ValidityDaysMax(days) => write!(f, "validity_days_max = {days}"),
        }
    }
}

impl TextField {
    const fn key(self) -> &'static str {
        match self {
            Self::Subject => "subject",
            Self::Issuer => "issuer",
            Self::CommonName => "common_name",
            Self::Name => "name",
            Self::Serial => "serial",
            Self::Key => "key",
            Self::SignatureAlgorithm => "signature_algorithm",
        }
    }
}

impl TextTest {
    const fn ending(self) -> &'static str {
        match self {
            Self::Equals => "",
            Self::Contains => "_contains",
            Self::Prefix => "_prefix",
            Self::Suffix => "_suffix",
        }
    }
}

impl DateField {
    const fn key(self) -> &'static str {
        match self {
            Self::NotBefore => "not_before",
            Self::NotAfter => "not_after",
        }
    }
}

impl DayTest {
    const fn ending(self) -> &'static str {
        match self {
            Self::On => "_date",
            Self::From => "_from",
            Self::Until => "_until",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const YES: Option<bool> = Some(true);
    const NO: Option<bool> = Some(false);

    /// A certificate of SoftEther's form, all of it read.
    fn softether() -> Description {
        let days = |days: i64| Timestamp::from_seconds(days * 86_400 + 8_304);
        Description {
            subject: Some("CN=VPN7.example, O=vpn7.example, OU=vpn7.example, C=US".to_owned()),
            issuer: Some("CN=VPN7.example, O=vpn7.example, OU=vpn7.example, C=US".to_owned()),
            common_name: Some("VPN7.example".to_owned()),
            names: vec!["one.example".to_owned(), "Two.example".to_owned()],
            serial: Some("00".to_owned()),
            not_before: Some(days(19_000)), // 2022-01-08
            not_after: Some(days(24_836)),  // 2037-12-31
            key: Some("RSA-2048".to_owned()),
            signature_algorithm: Some("sha256WithRSAEncryption".to_owned()),
            self_signed: Some(true),
            softether_default: true,
            ..Description::default()
        }
    }

    /// A certificate of which nothing could be read.
    fn unread() -> Description {
        Description { parse_error: Some("no DER".to_owned()), ..Description::default() }
    }

    fn rule(text: &str) -> Rule {
        let head = "name = \"s\"\ntlp = \"clear\"\n[[source]]\nid = \"r\"\ntitle = \"t\"\n";
        let tail = format!("[[profile]]\nid = \"p\"\nsource = \"r\"\nrule = {text}\n");
        let set = crate::domain::indicator::read("s.toml", &format!("{head}{tail}")).unwrap();
        set.profiles[0].rule.clone()
    }

    #[test]
    fn every_predicate_is_true_false_or_unknown() {
        for (holds, fails) in [
            (
                "subject = \"cn=vpn7.example, o=VPN7.example, ou=vpn7.example, c=us\"",
                "subject = \"x\"",
            ),
            ("subject_contains = \"O=VPN7\"", "subject_contains = \"softether\""),
            ("subject_prefix = \"cn=vpn\"", "subject_prefix = \"vpn\""),
            ("subject_suffix = \"C=US\"", "subject_suffix = \"C=U\""),
            (
                "issuer = \"CN=vpn7.example, O=vpn7.example, OU=vpn7.example, C=US\"",
                "issuer = \"x\"",
            ),
            ("issuer_contains = \"vpn7\"", "issuer_contains = \"vpn8\""),
            ("issuer_prefix = \"CN=\"", "issuer_prefix = \"O=\""),
            ("issuer_suffix = \"us\"", "issuer_suffix = \"jp\""),
            ("common_name = \"vpn7.EXAMPLE\"", "common_name = \"vpn7\""),
            ("common_name_contains = \"7.e\"", "common_name_contains = \"8\""),
            ("common_name_prefix = \"vpn\"", "common_name_prefix = \"example\""),
            ("common_name_suffix = \".example\"", "common_name_suffix = \".softether.net\""),
            ("name = \"two.example\"", "name = \"three.example\""),
            ("name_contains = \"wo.ex\"", "name_contains = \"vpn7\""),
            ("name_prefix = \"two\"", "name_prefix = \"example\""),
            ("name_suffix = \"e.example\"", "name_suffix = \".net\""),
            ("serial = \"00\"", "serial = \"01\""),
            ("key = \"rsa-2048\"", "key = \"RSA-4096\""),
            (
                "signature_algorithm = \"sha256WithRSAEncryption\"",
                "signature_algorithm = \"Ed25519\"",
            ),
            ("self_signed = true", "self_signed = false"),
            ("softether_default = true", "softether_default = false"),
            ("not_before_date = 2022-01-08", "not_before_date = 2022-01-09"),
            ("not_before_from = 2022-01-08", "not_before_from = 2022-01-09"),
            ("not_before_until = 2022-01-08", "not_before_until = 2022-01-07"),
            ("not_after_date = 2037-12-31", "not_after_date = 2037-12-30"),
            ("not_after_from = 2037-12-31", "not_after_from = 2038-01-01"),
            ("not_after_until = 2037-12-31", "not_after_until = 2037-12-30"),
            ("validity_days_min = 5836", "validity_days_min = 5837"),
            ("validity_days_max = 5836", "validity_days_max = 5835"),
        ] {
            for (text, expected) in [(holds, YES), (fails, NO)] {
                let rule = rule(&format!("{{ {text} }}"));
                assert_eq!(rule.holds(&softether()), expected, "{text}");
                assert_eq!(rule.holds(&unread()), None, "{text}");
                let not = Rule::Not(Box::new(rule));
                assert_eq!(not.holds(&softether()), expected.map(|holds| !holds), "not {text}");
                assert_eq!(not.holds(&unread()), None, "not {text}");
            }
        }
    }

    #[test]
    fn all_any_and_not_follow_the_three_valued_tables() {
        // Of this certificate the issuer is true or false as asked, and the subject is unknown.
        let leaf = Description { subject: None, ..softether() };
        let of = |answer: Option<bool>| {
            let (field, text) = match answer {
                None => (TextField::Subject, "vpn"),
                Some(true) => (TextField::Issuer, "vpn"),
                Some(false) => (TextField::Issuer, "proxy"),
            };
            Rule::Field(Predicate::Text(field, TextTest::Contains, text.to_owned()))
        };
        for (one, other, all, any) in [
            (YES, YES, YES, YES),
            (YES, NO, NO, YES),
            (NO, NO, NO, NO),
            (YES, None, None, YES),
            (NO, None, NO, None),
            (None, None, None, None),
        ] {
            for (a, b) in [(one, other), (other, one)] {
                assert_eq!(Rule::All(vec![of(a), of(b)]).holds(&leaf), all, "{a:?} and {b:?}");
                assert_eq!(Rule::Any(vec![of(a), of(b)]).holds(&leaf), any, "{a:?} or {b:?}");
            }
        }
        for (answer, not) in [(YES, NO), (NO, YES), (None, None)] {
            assert_eq!(Rule::Not(Box::new(of(answer))).holds(&leaf), not);
        }
    }

    #[test]
    fn what_may_not_have_been_read_is_unknown_and_what_is_absent_is_false() {
        let (name, common) =
            (rule("{ name_contains = \"vpn\" }"), rule("{ common_name_contains = \"vpn\" }"));
        let template = rule("{ softether_default = true }");
        let plain = Description {
            subject: Some("O=acme".to_owned()),
            common_name: None,
            names: Vec::new(),
            softether_default: false,
            ..softether()
        };
        let partly = Description {
            parse_error: Some("subject and names".to_owned()),
            is_subject_partial: true,
            ..plain.clone()
        };
        for rule in [&name, &common, &template] {
            assert_eq!(rule.holds(&plain), NO, "{rule}");
            assert_eq!(rule.holds(&partly), None, "{rule}");
        }
        let found = Description { names: vec!["vpn.example".to_owned()], ..partly };
        assert_eq!(name.holds(&found), YES);
        // A common name that is no text, and a subject that cannot be written as text.
        let odd = Description {
            subject: Some("O=acme, CN=#1e0400".to_owned()),
            common_name: Some("#1e0400".to_owned()),
            is_subject_partial: true,
            ..plain.clone()
        };
        for text in
            ["common_name_contains = \"00\"", "subject_contains = \"acme\"", "subject = \"x\""]
        {
            assert_eq!(rule(&format!("{{ {text} }}")).holds(&odd), None, "{text}");
        }
        let hex =
            Description { subject: Some("#3000".to_owned()), is_subject_partial: true, ..plain };
        assert_eq!(common.holds(&hex), None);
        assert_eq!(rule("{ subject_contains = \"3\" }").holds(&hex), None);
    }

    #[test]
    fn dates_at_the_ends_of_time_overflow_nothing() {
        let ends = |start: i64, end: i64| Description {
            not_before: Some(Timestamp::from_micros(start)),
            not_after: Some(Timestamp::from_micros(end)),
            ..softether()
        };
        let long = rule("{ validity_days_min = 1 }");
        assert_eq!(long.holds(&ends(i64::MIN, i64::MAX)), YES);
        assert_eq!(long.holds(&ends(i64::MAX, i64::MIN)), NO);
        assert_eq!(rule("{ not_after_from = 9999-12-31 }").holds(&ends(0, i64::MAX)), YES);
    }

    #[test]
    fn a_rule_prints_as_it_is_written() {
        let text = "{ all = [{ not_after_date = 2037-12-31 }, { any = [{ self_signed = true }, \
                    { serial = \"00\" }] }, { not = { subject_contains = \"soft\\\"ether\" } }, \
                    { validity_days_max = 9 }, { softether_default = false }] }";
        assert_eq!(rule(text).to_string(), text);
    }
}
