//! Reading profile rules: nested TOML tables with one key each, no language of our own.

use super::rule::{DateField, DayTest, Predicate, Rule, TextField, TextTest};
use crate::domain::diagnostic::Diagnostic;
use crate::domain::document::{Placed, Table};

use DateField::{NotAfter, NotBefore};
use TextField::{CommonName, Issuer, Key, Name, Serial, SignatureAlgorithm, Subject};
use TextTest::{Contains, Equals, Prefix, Suffix};

/// How deep `all`, `any` and `not` go into each other, a lone predicate being 1.
pub const DEPTH_MAX: usize = 8;

/// How many tables one rule has.
pub const TABLES_MAX: usize = 64;

/// Every key of a rule table.
pub(super) const KEYS: [&str; 32] = [
    "all",
    "any",
    "not",
    "subject",
    "subject_contains",
    "subject_prefix",
    "subject_suffix",
    "issuer",
    "issuer_contains",
    "issuer_prefix",
    "issuer_suffix",
    "common_name",
    "common_name_contains",
    "common_name_prefix",
    "common_name_suffix",
    "name",
    "name_contains",
    "name_prefix",
    "name_suffix",
    "serial",
    "key",
    "signature_algorithm",
    "self_signed",
    "softether_default",
    "not_before_date",
    "not_before_from",
    "not_before_until",
    "not_after_date",
    "not_after_from",
    "not_after_until",
    "validity_days_min",
    "validity_days_max",
];

const TEXTS: [(&str, TextField, TextTest); 18] = [
    ("subject", Subject, Equals),
    ("subject_contains", Subject, Contains),
    ("subject_prefix", Subject, Prefix),
    ("subject_suffix", Subject, Suffix),
    ("issuer", Issuer, Equals),
    ("issuer_contains", Issuer, Contains),
    ("issuer_prefix", Issuer, Prefix),
    ("issuer_suffix", Issuer, Suffix),
    ("common_name", CommonName, Equals),
    ("common_name_contains", CommonName, Contains),
    ("common_name_prefix", CommonName, Prefix),
    ("common_name_suffix", CommonName, Suffix),
    ("name", Name, Equals),
    ("name_contains", Name, Contains),
    ("name_prefix", Name, Prefix),
    ("name_suffix", Name, Suffix),
    ("key", Key, Equals),
    ("signature_algorithm", SignatureAlgorithm, Equals),
];

const DAYS: [(&str, DateField, DayTest); 6] = [
    ("not_before_date", NotBefore, DayTest::On),
    ("not_before_from", NotBefore, DayTest::From),
    ("not_before_until", NotBefore, DayTest::Until),
    ("not_after_date", NotAfter, DayTest::On),
    ("not_after_from", NotAfter, DayTest::From),
    ("not_after_until", NotAfter, DayTest::Until),
];

/// The rule at `rule` of a profile.
///
/// # Errors
/// A complaint about the first table that has no key, an unknown one or several, about a value of the wrong
/// kind, or about a rule that is too deep or too long.
pub(super) fn read(profile: &mut Table<'_>) -> Result<Rule, Diagnostic> {
    match profile.table("rule", &KEYS)? {
        Some(table) => read_table(table, DEPTH_MAX, &mut 0),
        None => Err(profile.missing("rule")),
    }
}

fn read_table(
    mut table: Table<'_>,
    depth_left: usize,
    tables: &mut usize,
) -> Result<Rule, Diagnostic> {
    let key = only_key(&table)?;
    *tables += 1;
    let document = table.document();
    if *tables > TABLES_MAX {
        let message = format!("the rule has more than {TABLES_MAX} tables; make it two profiles");
        return Err(document.complain(key.span.start, message));
    }
    let Some(depth_left) = depth_left.checked_sub(1) else {
        let message = format!("the rule is more than {DEPTH_MAX} tables deep");
        return Err(document.complain(key.span.start, message));
    };
    match key.value.as_str() {
        "all" => read_list(&mut table, "all", depth_left, tables).map(Rule::All),
        "any" => read_list(&mut table, "any", depth_left, tables).map(Rule::Any),
        "not" => match table.table("not", &KEYS)? {
            Some(inner) => read_table(inner, depth_left, tables).map(|rule| Rule::Not(rule.into())),
            None => Err(table.missing("not")),
        },
        key => read_predicate(&mut table, key).map(Rule::Field),
    }
}

/// The one key of `table`.
fn only_key(table: &Table<'_>) -> Result<Placed<String>, Diagnostic> {
    table.all_known()?;
    let mut keys = table.keys().into_iter();
    let Some(first) = keys.next() else {
        return Err(table.complain("an empty rule; give it a key such as all, any, not or subject"));
    };
    match keys.next() {
        None => Ok(first),
        Some(second) => {
            let message = format!(
                "'{}' beside '{}': a rule table has one key; combine tables with all = [...]",
                second.value, first.value
            );
            Err(table.document().complain(second.span.start, message))
        }
    }
}

fn read_list(
    table: &mut Table<'_>,
    key: &str,
    depth_left: usize,
    tables: &mut usize,
) -> Result<Vec<Rule>, Diagnostic> {
    let list = table.list_of_tables(key, &KEYS)?;
    if list.is_empty() {
        return Err(table.complain(format!("'{key}' is an empty list; it says nothing")));
    }
    list.into_iter().map(|inner| read_table(inner, depth_left, tables)).collect()
}

fn read_predicate(table: &mut Table<'_>, key: &str) -> Result<Predicate, Diagnostic> {
    if let Some((_, field, test)) = TEXTS.iter().find(|(known, ..)| *known == key) {
        let text = table.required_text(key)?.value.to_ascii_lowercase();
        return Ok(Predicate::Text(*field, *test, text));
    }
    if let Some((_, field, test)) = DAYS.iter().find(|(known, ..)| *known == key) {
        let day = table.day(key)?.ok_or_else(|| table.missing(key))?;
        return Ok(Predicate::Day(*field, *test, day.value));
    }
    if key == "serial" {
        return read_serial(table);
    }
    if key.starts_with("validity_days") {
        let days = table.whole_number(key)?.ok_or_else(|| table.missing(key))?.value;
        let minimum = key == "validity_days_min";
        return Ok(if minimum {
            Predicate::ValidityDaysMin(days)
        } else {
            Predicate::ValidityDaysMax(days)
        });
    }
    let wanted = table.truth(key)?.ok_or_else(|| table.missing(key))?.value;
    Ok(if key == "self_signed" {
        Predicate::SelfSigned(wanted)
    } else {
        Predicate::SoftetherDefault(wanted)
    })
}

/// Hex octets, colons between them or not.
fn read_serial(table: &mut Table<'_>) -> Result<Predicate, Diagnostic> {
    let text = table.required_text("serial")?;
    let digits = text.value.replace(':', "").to_ascii_lowercase();
    if digits.len() % 2 != 0 || !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        let message = "'serial' is no hex octets such as \"00\" or \"0a:1b\"";
        return Err(table.document().complain(text.span.start, message));
    }
    Ok(Predicate::Text(Serial, Equals, digits))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::indicator::read as read_set;

    const HEAD: &str = "name = \"s\"\ntlp = \"clear\"\n[[source]]\nid = \"r\"\ntitle = \"t\"\n\
                        [[profile]]\nid = \"p\"\nsource = \"r\"\n";

    fn rule(line: &str) -> Result<Rule, String> {
        match read_set("s.toml", &format!("{HEAD}{line}\n")) {
            Ok(set) => Ok(set.profiles[0].rule.clone()),
            Err(error) => Err(error.to_string()),
        }
    }

    #[test]
    fn every_known_key_is_read() {
        for key in KEYS {
            let value = match key {
                "all" | "any" => "[{ self_signed = true }]",
                "not" => "{ self_signed = true }",
                "self_signed" | "softether_default" => "true",
                key if key.starts_with("validity") => "9",
                key if key.starts_with("not_") => "2037-12-31",
                _ => "\"00\"",
            };
            let written = format!("{{ {key} = {value} }}");
            assert_eq!(rule(&format!("rule = {written}")).unwrap().to_string(), written);
        }
    }

    #[test]
    fn dotted_keys_and_tables_say_the_same() {
        let inline = rule("rule = { not = { serial = \"0A:1b\" } }").unwrap();
        assert_eq!(inline.to_string(), "{ not = { serial = \"0a1b\" } }");
        assert_eq!(rule("rule.not.serial = \"0a1b\"").unwrap(), inline);
        assert_eq!(rule("[profile.rule.not]\nserial = \"0a1b\"").unwrap(), inline);
    }

    #[test]
    fn mistakes_are_placed_and_the_nearest_key_is_named() {
        for (line, complaint) in [
            (
                "rule = { subject_contain = \"x\" }",
                "9:10: unknown key 'subject_contain'; did you mean 'subject_contains'?",
            ),
            (
                "rule.all = [ { serial = \"00\" }, { sofether_default = true } ]",
                "9:35: unknown key 'sofether_default'; did you mean 'softether_default'?",
            ),
            ("rule = {}", "9:8: an empty rule; give it a key such as all, any, not or subject"),
            (
                "rule = { serial = \"00\", self_signed = true }",
                "9:25: 'self_signed' beside 'serial': a rule table has one key; combine tables with all = [...]",
            ),
            ("rule = { all = [] }", "9:8: 'all' is an empty list; it says nothing"),
            (
                "rule = { all = { serial = \"00\" } }",
                "9:16: 'all' is a table, expected a list of tables such as [{ ... }, { ... }]",
            ),
            (
                "rule = { any = [3] }",
                "9:16: 'any' is an array, expected a list of tables such as [{ ... }, { ... }]",
            ),
            ("rule = { not = true }", "9:16: 'not' is a boolean, expected a table such as { ... }"),
            ("rule = \"all\"", "9:8: 'rule' is a string, expected a table such as { ... }"),
            (
                "rule = { self_signed = 1 }",
                "9:24: 'self_signed' is an integer, expected true or false, without quotes",
            ),
            ("rule = { subject = \"\" }", "9:20: 'subject' is empty"),
            (
                "rule = { serial = \"0\" }",
                "9:19: 'serial' is no hex octets such as \"00\" or \"0a:1b\"",
            ),
            (
                "rule = { not_after_date = \"2037-12-31\" }",
                "9:27: 'not_after_date' is a string, expected a day such as 2026-11-24, without quotes",
            ),
            (
                "rule = { validity_days_min = -1 }",
                "9:30: 'validity_days_min' must be a whole number from 0 on",
            ),
            (
                "rule = { validity_days_max = 1.5 }",
                "9:30: 'validity_days_max' is a float, expected a whole number",
            ),
            ("note = \"x\"", "6:1: 'rule' is missing"),
        ] {
            assert_eq!(rule(line), Err(format!("s.toml:{complaint}")), "{line}");
        }
    }

    #[test]
    fn depth_and_length_are_bounded() {
        let nested = |depth: usize| {
            format!(
                "rule = {}{{ serial = \"00\" }}{}",
                "{ not = ".repeat(depth),
                " }".repeat(depth)
            )
        };
        assert!(rule(&nested(DEPTH_MAX - 1)).is_ok());
        let deep = rule(&nested(DEPTH_MAX)).unwrap_err();
        assert!(deep.ends_with(": the rule is more than 8 tables deep"), "{deep}");
        assert!(rule(&nested(100_000)).is_err());
        let long =
            |tables: usize| format!("rule.any = [{}]", "{ serial = \"00\" },".repeat(tables));
        assert!(rule(&long(TABLES_MAX - 1)).is_ok());
        let error = rule(&long(TABLES_MAX)).unwrap_err();
        assert_eq!(error, "s.toml:9:1149: the rule has more than 64 tables; make it two profiles");
    }
}
