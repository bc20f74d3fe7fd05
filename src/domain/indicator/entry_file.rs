//! Reading the indicators of a set that are no whole certificate: keys, names, profiles, templates.

use std::collections::HashMap;

use super::file::{declared, read_key_hash};
use super::{Entry, Indicator, Profile, Source, Template, rule_file};
use crate::domain::diagnostic::{Diagnostic, hint, position};
use crate::domain::document::{Document, Table};

const PUBLIC_KEY_KEYS: [&str; 4] = ["spki_sha256", "label", "source", "note"];
const HOST_NAME_KEYS: [&str; 4] = ["name", "label", "source", "note"];
const PROFILE_KEYS: [&str; 5] = ["id", "rule", "label", "source", "note"];
const TEMPLATE_KEYS: [&str; 4] = ["template", "label", "source", "note"];

/// What reads an indicator, and the byte that it stands at.
type ReadIndicator = fn(&mut Table<'_>) -> Result<(Indicator, usize), Diagnostic>;

/// The tables of one set, not yet read.
pub(super) struct Tables<'a> {
    public_keys: Vec<Table<'a>>,
    host_names: Vec<Table<'a>>,
    profiles: Vec<Table<'a>>,
    templates: Vec<Table<'a>>,
}

impl<'a> Tables<'a> {
    /// Takes them out of `set`.
    pub(super) fn of(set: &mut Table<'a>) -> Result<Self, Diagnostic> {
        Ok(Self {
            public_keys: set.tables("public_key", &PUBLIC_KEY_KEYS)?,
            host_names: set.tables("host_name", &HOST_NAME_KEYS)?,
            profiles: set.tables("profile", &PROFILE_KEYS)?,
            templates: set.tables("template", &TEMPLATE_KEYS)?,
        })
    }

    pub(super) const fn is_empty(&self) -> bool {
        self.public_keys.is_empty()
            && self.host_names.is_empty()
            && self.profiles.is_empty()
            && self.templates.is_empty()
    }

    /// Reads them all; each indicator may stand there once.
    pub(super) fn read(self, sources: &[Source]) -> Result<(Vec<Entry>, Vec<Profile>), Diagnostic> {
        let mut once = Once::default();
        let mut entries = Vec::new();
        let kinds: [(_, ReadIndicator); 3] = [
            (self.public_keys, read_public_key),
            (self.host_names, read_host_name),
            (self.templates, read_template),
        ];
        for (tables, read_indicator) in kinds {
            for mut table in tables {
                let indicator = read_indicator(&mut table)?;
                entries.push(read_entry(table, indicator, sources, &mut once)?);
            }
        }
        let mut profiles = Vec::with_capacity(self.profiles.len());
        for mut table in self.profiles {
            let id = read_id(&mut table)?;
            let rule = rule_file::read(&mut table)?;
            profiles.push(Profile { entry: read_entry(table, id, sources, &mut once)?, rule });
        }
        Ok((entries, profiles))
    }
}

/// Where each indicator stands first.
#[derive(Default)]
struct Once(HashMap<Indicator, usize>);

impl Once {
    fn note(
        &mut self,
        document: Document<'_>,
        indicator: &Indicator,
        offset: usize,
    ) -> Result<(), Diagnostic> {
        match self.0.insert(indicator.clone(), offset) {
            None => Ok(()),
            Some(first) => {
                let (line, _) = position(document.text, first);
                let message = format!(
                    "{indicator} stands here a second time (first in line {line}); keep one"
                );
                Err(document.complain(offset, message))
            }
        }
    }
}

/// What all kinds have besides the indicator.
fn read_entry(
    mut table: Table<'_>,
    (indicator, offset): (Indicator, usize),
    sources: &[Source],
    once: &mut Once,
) -> Result<Entry, Diagnostic> {
    once.note(table.document(), &indicator, offset)?;
    let entry = Entry {
        indicator,
        label: table.text("label")?.map(|text| text.value),
        source: declared(&mut table, sources)?,
        note: table.text("note")?.map(|text| text.value),
    };
    table.finish()?;
    Ok(entry)
}

fn read_public_key(table: &mut Table<'_>) -> Result<(Indicator, usize), Diagnostic> {
    match read_key_hash(table)? {
        Some(hash) => Ok((Indicator::Key(hash.value), hash.span.start)),
        None => Err(table.missing("spki_sha256")),
    }
}

fn read_host_name(table: &mut Table<'_>) -> Result<(Indicator, usize), Diagnostic> {
    let text = table.required_text("name")?;
    if text.value.contains(|found: char| found.is_whitespace() || found.is_control()) {
        let message = "'name' holds white space, which no host name does; \
                       a [[profile]] can ask for any common_name";
        return Err(table.document().complain(text.span.start, message));
    }
    let name = text.value.to_ascii_lowercase();
    Ok((Indicator::Name(name.into()), text.span.start))
}

fn read_template(table: &mut Table<'_>) -> Result<(Indicator, usize), Diagnostic> {
    let text = table.required_text("template")?;
    match Template::WORDS.iter().find(|(word, _)| *word == text.value) {
        Some((_, template)) => Ok((Indicator::Template(*template), text.span.start)),
        None => {
            let words = Template::WORDS.map(|(word, _)| word);
            let message = format!(
                "unknown template '{}'{}",
                text.value.escape_debug(),
                hint(&text.value, &words)
            );
            Err(table.document().complain(text.span.start, message))
        }
    }
}

fn read_id(table: &mut Table<'_>) -> Result<(Indicator, usize), Diagnostic> {
    let text = table.required_text("id")?;
    let fits = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    if !text.value.bytes().all(fits) {
        let message = "an id is made of lower-case letters, digits and hyphens";
        return Err(table.document().complain(text.span.start, message));
    }
    Ok((Indicator::Profile(text.value.into()), text.span.start))
}

#[cfg(test)]
mod tests {
    use crate::domain::indicator::read;

    const HEAD: &str = "name = \"s\"\ntlp = \"clear\"\n[[source]]\nid = \"r\"\ntitle = \"t\"\n";

    #[test]
    fn every_kind_keeps_its_provenance() {
        let hash = "e2".repeat(32);
        let text = format!(
            "{HEAD}[[public_key]]\nspki_sha256 = \"{hash}\"\nlabel = \"l\"\nsource = \"r\"\n\
             [[host_name]]\nname = \"VPN7.sedns.cn\"\nsource = \"r\"\nnote = \"n\"\n\
             [[template]]\ntemplate = \"softether\"\nsource = \"r\"\n\
             [[profile]]\nid = \"p-1\"\nlabel = \"q\"\nsource = \"r\"\nrule.self_signed = true\n"
        );
        let set = read("s.toml", &text).unwrap();
        let listed: Vec<_> = set
            .indicators()
            .map(|of| (of.indicator.to_string(), of.label, of.source, of.note, of.rule.is_some()))
            .collect();
        assert_eq!(
            listed,
            [
                (format!("spki_sha256:{hash}"), Some("l"), "r", None, false),
                ("name:vpn7.sedns.cn".to_owned(), None, "r", Some("n"), false),
                ("template:softether".to_owned(), None, "r", None, false),
                ("profile:p-1".to_owned(), Some("q"), "r", None, true),
            ]
        );
        assert_eq!(
            set.contents(),
            "0 certificates, 1 public key, 1 name, 1 profile, 1 template, 0 reported addresses"
        );
    }

    #[test]
    fn mistakes_are_placed() {
        let name = "[[host_name]]\nname = \"a.example\"\nsource = \"r\"\n";
        for (tail, complaint) in [
            (format!("{name}{}", name.replace("a.ex", "A.ex")), "10:8: name:a.example stands here a second time (first in line 7); keep one"),
            (name.replace("a.e", "a e"), "7:8: 'name' holds white space, which no host name does; a [[profile]] can ask for any common_name"),
            (name.replace("\"r\"", "\"q\""), "8:10: no [[source]] has the id 'q'; did you mean 'r'?"),
            (format!("{name}lable = \"x\"\n"), "9:1: unknown key 'lable'; did you mean 'label'?"),
            ("[[public_key]]\nsource = \"r\"\n".to_owned(), "6:1: 'spki_sha256' is missing"),
            (format!("[[public_key]]\nspki_sha256 = \"{}\"\n", "a".repeat(40)), "7:15: 40 hex digits, where the SHA-256 of a public key has 64"),
            (format!("[[public_key]]\nspki_sha256 = \"g{}\"\n", "a".repeat(63)), "7:15: no fingerprint: 'g' is no hex digit"),
            ("[[template]]\ntemplate = \"soft-ether\"\nsource = \"r\"\n".to_owned(), "7:12: unknown template 'soft-ether'; did you mean 'softether'?"),
            ("[[profile]]\nid = \"a b\"\nsource = \"r\"\n".to_owned(), "7:6: an id is made of lower-case letters, digits and hyphens"),
            ("[[hostname]]\nname = \"a\"\n[[template]]\ntemplate = \"softether\"\nsource = \"r\"\n".to_owned(), "6:3: unknown key 'hostname'; did you mean 'host_name'?"),
        ] {
            let error = read("s.toml", &format!("{HEAD}{tail}")).unwrap_err();
            assert_eq!(error.to_string(), format!("s.toml:{complaint}"), "{tail}");
        }
        for limit in ["0", "65537"] {
            let text = format!(
                "{}{name}",
                HEAD.replace("[[source]]", &format!("shared_hosts = {limit}\n[[source]]"))
            );
            let error = read("s.toml", &text).unwrap_err();
            assert_eq!(error.to_string(), "s.toml:3:16: 'shared_hosts' goes from 1 to 65536");
        }
    }
}
