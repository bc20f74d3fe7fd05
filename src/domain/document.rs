//! Reading the TOML files that people write, with the place of every complaint.

use std::borrow::Cow;
use std::ops::Range as Span;

use toml::Spanned;
use toml::de::{DeArray, DeTable, DeValue};

use super::diagnostic::{Diagnostic, hint, nearest};
use super::pace::RATE_MIN;
use super::time::Day;

/// A file's name and text, against which complaints are placed.
#[derive(Clone, Copy, Debug)]
pub struct Document<'a> {
    /// The name that complaints show.
    pub file: &'a str,
    /// The whole text.
    pub text: &'a str,
}

/// A value with the bytes that it was written in.
#[derive(Clone, Debug)]
pub struct Placed<T> {
    /// The value.
    pub value: T,
    /// Where it stands in the document's text.
    pub span: Span<usize>,
}

impl<'a> Document<'a> {
    /// The top-level table, which may have the keys `known`.
    ///
    /// # Errors
    /// A complaint about the first thing that is not TOML.
    pub fn table(self, known: &'static [&'static str]) -> Result<Table<'a>, Diagnostic> {
        let table = DeTable::parse(self.text).map_err(|error| {
            let offset = error.span().map_or(0, |span| span.start);
            self.complain(offset, super::text::one_line(error.message()))
        })?;
        Ok(Table { document: self, known, span: table.span(), entries: table.into_inner() })
    }

    /// A complaint about byte `offset`.
    pub fn complain(self, offset: usize, message: impl Into<String>) -> Diagnostic {
        Diagnostic::at(self.file, self.text, offset, message)
    }
}

/// A table whose keys are taken out one by one; what is left over at the end is unknown.
pub struct Table<'a> {
    document: Document<'a>,
    known: &'static [&'static str],
    span: Span<usize>,
    entries: DeTable<'a>,
}

impl<'a> Table<'a> {
    /// The document that the table stands in.
    pub const fn document(&self) -> Document<'a> {
        self.document
    }

    /// A complaint about the table as a whole.
    pub fn complain(&self, message: impl Into<String>) -> Diagnostic {
        self.document.complain(self.span.start, message)
    }

    fn take(&mut self, key: &str) -> Option<Spanned<DeValue<'a>>> {
        self.entries.remove(key)
    }

    fn wrong(&self, value: &Spanned<DeValue<'_>>, key: &str, expected: &str) -> Diagnostic {
        let found = value.get_ref().type_str();
        let message = format!("'{key}' is {}, expected {expected}", with_article(found));
        self.document.complain(value.span().start, message)
    }

    /// The text at `key`, if the key is there.
    ///
    /// # Errors
    /// The value is no text, or an empty one.
    pub fn text(&mut self, key: &str) -> Result<Option<Placed<String>>, Diagnostic> {
        let Some(value) = self.take(key) else { return Ok(None) };
        let span = value.span();
        match value.get_ref() {
            DeValue::String(text) if text.trim().is_empty() => {
                Err(self.document.complain(span.start, format!("'{key}' is empty")))
            }
            DeValue::String(text) => Ok(Some(Placed { value: text.clone().into_owned(), span })),
            _ => Err(self.wrong(&value, key, "a text in quotes")),
        }
    }

    /// The text at `key`.
    ///
    /// # Errors
    /// The key is missing, or its value is no text.
    pub fn required_text(&mut self, key: &str) -> Result<Placed<String>, Diagnostic> {
        match self.text(key)? {
            Some(text) => Ok(text),
            None => Err(self.missing(key)),
        }
    }

    /// A complaint that `key` is missing; if an unknown key is near it, about that one.
    pub fn missing(&self, key: &str) -> Diagnostic {
        match self.unknown().find(|unknown| nearest(unknown.get_ref(), &[key]).is_some()) {
            Some(unknown) => self.complain_of_unknown(unknown, &[key]),
            None => self.complain(format!("'{key}' is missing")),
        }
    }

    fn unknown(&self) -> impl Iterator<Item = &Spanned<Cow<'a, str>>> {
        self.entries.keys().filter(|key| !self.known.contains(&key.get_ref().as_ref()))
    }

    fn complain_of_unknown(&self, key: &Spanned<Cow<'_, str>>, known: &[&str]) -> Diagnostic {
        let name = key.get_ref();
        let message = format!("unknown key '{}'{}", name.escape_debug(), hint(name, known));
        self.document.complain(key.span().start, message)
    }

    /// The day at `key`, if the key is there.
    ///
    /// # Errors
    /// The value is no date, or one with a time of day.
    pub fn day(&mut self, key: &str) -> Result<Option<Placed<Day>>, Diagnostic> {
        let Some(value) = self.take(key) else { return Ok(None) };
        let day = match value.get_ref() {
            DeValue::Datetime(moment) if moment.time.is_none() && moment.offset.is_none() => moment
                .date
                .and_then(|date| Day::new(date.year as i16, date.month as i8, date.day as i8)),
            _ => None,
        };
        match day {
            Some(day) => Ok(Some(Placed { value: day, span: value.span() })),
            None => Err(self.wrong(&value, key, "a day such as 2026-11-24, without quotes")),
        }
    }

    /// The truth value at `key`, if the key is there.
    ///
    /// # Errors
    /// The value is something else.
    pub fn truth(&mut self, key: &str) -> Result<Option<Placed<bool>>, Diagnostic> {
        let Some(value) = self.take(key) else { return Ok(None) };
        match value.get_ref() {
            DeValue::Boolean(truth) => Ok(Some(Placed { value: *truth, span: value.span() })),
            _ => Err(self.wrong(&value, key, "true or false, without quotes")),
        }
    }

    /// The whole number at `key`, zero or more, if the key is there.
    ///
    /// # Errors
    /// The value is something else, or does not fit into 64 bits.
    pub fn whole_number(&mut self, key: &str) -> Result<Option<Placed<u64>>, Diagnostic> {
        let Some(value) = self.take(key) else { return Ok(None) };
        let number = match value.get_ref() {
            DeValue::Integer(integer) if integer.radix() == 10 => integer.as_str().parse().ok(),
            _ => return Err(self.wrong(&value, key, "a whole number")),
        };
        match number {
            Some(number) => Ok(Some(Placed { value: number, span: value.span() })),
            None => {
                let message = format!("'{key}' must be a whole number from 0 on");
                Err(self.document.complain(value.span().start, message))
            }
        }
    }

    /// The number at `key`, greater than zero, if the key is there.
    ///
    /// # Errors
    /// The value is no number, or not a positive one.
    pub fn positive_number(&mut self, key: &str) -> Result<Option<Placed<f64>>, Diagnostic> {
        let Some(value) = self.take(key) else { return Ok(None) };
        let number: Option<f64> = match value.get_ref() {
            DeValue::Integer(integer) if integer.radix() == 10 => integer.as_str().parse().ok(),
            DeValue::Float(float) => float.as_str().parse().ok(),
            _ => return Err(self.wrong(&value, key, "a number")),
        };
        match number.filter(|number| number.is_finite() && *number > 0.0) {
            Some(number) => Ok(Some(Placed { value: number, span: value.span() })),
            None => {
                let message = format!("'{key}' must be a number greater than 0");
                Err(self.document.complain(value.span().start, message))
            }
        }
    }

    /// The rate at `key`, in connections per second, if the key is there.
    ///
    /// # Errors
    /// The value is no number, or below [`RATE_MIN`].
    pub fn rate(&mut self, key: &str) -> Result<Option<f64>, Diagnostic> {
        match self.positive_number(key)? {
            Some(rate) if rate.value < RATE_MIN => {
                let message = format!("'{key}' must be at least {RATE_MIN} connections per second");
                Err(self.document.complain(rate.span.start, message))
            }
            rate => Ok(rate.map(|rate| rate.value)),
        }
    }

    /// The items at `key`, each a text or a whole number; none if the key is missing.
    ///
    /// # Errors
    /// The value is no list, or an item is neither text nor number.
    pub fn items(&mut self, key: &str) -> Result<Option<Vec<Placed<String>>>, Diagnostic> {
        let Some(value) = self.take(key) else { return Ok(None) };
        let DeValue::Array(array) = value.get_ref() else {
            return Err(self.wrong(&value, key, "a list such as [\"…\", \"…\"]"));
        };
        array.iter().map(|item| self.item(item, key)).collect::<Result<_, _>>().map(Some)
    }

    fn item(&self, item: &Spanned<DeValue<'_>>, key: &str) -> Result<Placed<String>, Diagnostic> {
        let text = match item.get_ref() {
            DeValue::String(text) => text.clone().into_owned(),
            DeValue::Integer(integer) if integer.radix() == 10 => integer.as_str().to_owned(),
            _ => return Err(self.wrong(item, key, "a list of texts or decimal numbers")),
        };
        Ok(Placed { value: text, span: item.span() })
    }

    /// The tables written as `[[key]]`, in order, which may have the keys `known`; none if there are
    /// none.
    ///
    /// # Errors
    /// The value is something else.
    pub fn tables(
        &mut self,
        key: &str,
        known: &'static [&'static str],
    ) -> Result<Vec<Table<'a>>, Diagnostic> {
        self.tables_as(key, known, &format!("tables headed [[{key}]]"))
    }

    /// The tables of the list at `key`, in order, which may have the keys `known`; none if the key is missing.
    ///
    /// # Errors
    /// The value is something else.
    pub fn list_of_tables(
        &mut self,
        key: &str,
        known: &'static [&'static str],
    ) -> Result<Vec<Table<'a>>, Diagnostic> {
        self.tables_as(key, known, "a list of tables such as [{ ... }, { ... }]")
    }

    fn tables_as(
        &mut self,
        key: &str,
        known: &'static [&'static str],
        expected: &str,
    ) -> Result<Vec<Table<'a>>, Diagnostic> {
        let Some(value) = self.take(key) else { return Ok(Vec::new()) };
        let document = self.document;
        let wrong = self.wrong(&value, key, expected);
        let DeValue::Array(array) = value.into_inner() else { return Err(wrong) };
        tables_of(array)
            .into_iter()
            .map(|(span, entries)| match entries {
                Some(entries) => Ok(Table { document, known, span, entries }),
                None => Err(wrong.clone()),
            })
            .collect()
    }

    /// The table at `key`, which may have the keys `known`, if the key is there.
    ///
    /// # Errors
    /// The value is something else.
    pub fn table(
        &mut self,
        key: &str,
        known: &'static [&'static str],
    ) -> Result<Option<Table<'a>>, Diagnostic> {
        let Some(value) = self.take(key) else { return Ok(None) };
        let (document, span) = (self.document, value.span());
        let wrong = self.wrong(&value, key, "a table such as { ... }");
        match value.into_inner() {
            DeValue::Table(entries) => Ok(Some(Table { document, known, span, entries })),
            _ => Err(wrong),
        }
    }

    /// The keys that were not taken yet, in the order written.
    pub fn keys(&self) -> Vec<Placed<String>> {
        let placed = |key: &Spanned<Cow<'a, str>>| Placed {
            value: key.get_ref().clone().into_owned(),
            span: key.span(),
        };
        let mut keys: Vec<_> = self.entries.keys().map(placed).collect();
        keys.sort_by_key(|key| key.span.start);
        keys
    }

    /// Ends the reading.
    ///
    /// # Errors
    /// There is an unknown key: the first one, with the nearest known one as a hint.
    pub fn finish(self) -> Result<(), Diagnostic> {
        self.all_known()
    }

    /// Whether every key that was not taken yet may be there.
    ///
    /// # Errors
    /// See [`Table::finish`].
    pub fn all_known(&self) -> Result<(), Diagnostic> {
        match self.unknown().min_by_key(|key| key.span().start) {
            None => Ok(()),
            Some(key) => Err(self.complain_of_unknown(key, self.known)),
        }
    }
}

fn tables_of(array: DeArray<'_>) -> Vec<(Span<usize>, Option<DeTable<'_>>)> {
    array
        .into_iter()
        .map(|value| {
            let span = value.span();
            match value.into_inner() {
                DeValue::Table(table) => (span, Some(table)),
                _ => (span, None),
            }
        })
        .collect()
}

fn with_article(noun: &str) -> String {
    let vowel = noun.starts_with(['a', 'e', 'i', 'o', 'u']);
    format!("{} {noun}", if vowel { "an" } else { "a" })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(text: &str) -> Table<'_> {
        Document { file: "t.toml", text }.table(&["include", "exclude"]).unwrap()
    }

    #[test]
    fn syntax_errors_have_a_place() {
        let text = "name = \"a\"\nports = [443\n";
        let error = Document { file: "t.toml", text }.table(&[]).err().unwrap();
        assert!(error.to_string().starts_with("t.toml:"), "{error}");
        assert!(error.at.unwrap().0 >= 2, "{error}");
    }

    #[test]
    fn wrong_kinds_of_values_are_named() {
        let message = |key: &str, text: &str| {
            let mut table = table(text);
            match key {
                "name" => table.text(key).unwrap_err().to_string(),
                "day" => table.day(key).unwrap_err().to_string(),
                "rate" => table.positive_number(key).unwrap_err().to_string(),
                _ => table.items(key).unwrap_err().to_string(),
            }
        };
        assert_eq!(
            message("name", "name = 5"),
            "t.toml:1:8: 'name' is an integer, expected a text in quotes"
        );
        assert_eq!(message("name", "name = ' '"), "t.toml:1:8: 'name' is empty");
        assert_eq!(
            message("day", "day = \"2026-11-01\""),
            "t.toml:1:7: 'day' is a string, expected a day such as 2026-11-24, without quotes"
        );
        assert_eq!(
            message("rate", "rate = 0"),
            "t.toml:1:8: 'rate' must be a number greater than 0"
        );
        assert_eq!(
            message("list", "list = [\"a\", true]"),
            "t.toml:1:14: 'list' is a boolean, expected a list of texts or decimal numbers"
        );
    }

    #[test]
    fn left_over_keys_are_unknown_and_the_nearest_is_suggested() {
        let error = table("a = 1\ninlcude = []\n").finish().unwrap_err();
        assert_eq!(error.to_string(), "t.toml:1:1: unknown key 'a'; known: include, exclude");
        let error = table("inlcude = []\n").finish().unwrap_err();
        assert_eq!(error.to_string(), "t.toml:1:1: unknown key 'inlcude'; did you mean 'include'?");
    }
}
