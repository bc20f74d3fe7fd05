//! JSON objects of others, looked into by path: what is missing is `None`, what is of another type is refused.

use serde_json::Value;

use super::Wrong;
use super::facts::quoted;
use crate::domain::fingerprint::{Sha1Fingerprint, Sha256Fingerprint};
use crate::domain::time::Timestamp;

/// The value at `path`; `null` counts as none.
pub(super) fn at<'a>(value: &'a Value, path: &[&str]) -> Option<&'a Value> {
    let found = path.iter().try_fold(value, |value, key| value.get(key))?;
    (!found.is_null()).then_some(found)
}

/// The text at `path`; an empty one counts as none.
pub(super) fn text<'a>(value: &'a Value, path: &[&str]) -> Result<Option<&'a str>, Wrong> {
    match at(value, path) {
        None => Ok(None),
        Some(Value::String(text)) => Ok(Some(text.as_str()).filter(|text| !text.is_empty())),
        Some(other) => Err(unexpected(path, "a text", other)),
    }
}

/// What `read` makes of the text at `path`.
pub(super) fn read<T>(
    value: &Value,
    path: &[&str],
    read: impl Fn(&str) -> Result<T, Wrong>,
) -> Result<Option<T>, Wrong> {
    text(value, path)?.map(read).transpose()
}

/// The port at `path`, written as a number or a text.
pub(super) fn port(value: &Value, path: &[&str]) -> Result<Option<u16>, Wrong> {
    match at(value, path) {
        None => Ok(None),
        Some(Value::String(text)) => super::facts::port(text).map(Some),
        Some(Value::Number(number)) => super::facts::port(&number.to_string()).map(Some),
        Some(other) => Err(unexpected(path, "a port", other)),
    }
}

/// The moment at `path`, in seconds since 1970, written as a number or a text.
pub(super) fn epoch(value: &Value, path: &[&str]) -> Result<Option<Timestamp>, Wrong> {
    match at(value, path) {
        None => Ok(None),
        Some(Value::String(text)) => super::facts::epoch(text).map(Some),
        Some(Value::Number(number)) => super::facts::epoch(&number.to_string()).map(Some),
        Some(other) => Err(unexpected(path, "a time", other)),
    }
}

/// The SHA-1 at `path`.
pub(super) fn sha1(value: &Value, path: &[&str]) -> Result<Option<Sha1Fingerprint>, Wrong> {
    read(value, path, super::facts::sha1)
}

/// The SHA-256 at `path`.
pub(super) fn sha256(value: &Value, path: &[&str]) -> Result<Option<Sha256Fingerprint>, Wrong> {
    read(value, path, super::facts::sha256)
}

/// The text at `path`, for what is shown and never matched: anything else is left out.
pub(super) fn said(value: &Value, path: &[&str]) -> Option<String> {
    at(value, path)?.as_str().map(str::to_owned)
}

/// The texts of the array at `path`, for what is shown and never matched.
pub(super) fn all_said(value: &Value, path: &[&str]) -> Vec<String> {
    let items = at(value, path).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    items.iter().filter_map(Value::as_str).map(str::to_owned).collect()
}

/// The items of the array at `path`; none where there is no array.
pub(super) fn items<'a>(value: &'a Value, path: &[&str]) -> Result<&'a [Value], Wrong> {
    match at(value, path) {
        None => Ok(&[]),
        Some(Value::Array(items)) => Ok(items),
        Some(other) => Err(unexpected(path, "an array", other)),
    }
}

fn unexpected(path: &[&str], expected: &str, found: &Value) -> Wrong {
    let near = path.last().copied().unwrap_or_default();
    let found = quoted(&found.to_string());
    Wrong::of(near, format!("{} should be {expected}, not {found}", path.join(".")))
}
