//! The scope of a command line: prefixes, who authorised them, and a contact.

use ipnet::IpNet;

use super::file::{merged, parse_prefix};
use super::{Refusal, Scope, ScopeError, read, space};
use crate::domain::diagnostic::Diagnostic;
use crate::domain::ports::PortSet;
use crate::domain::text::grouped;
use crate::domain::time::Day;

/// The most addresses that a command line may name; more need a scope file.
pub const AD_HOC_ADDRESSES_MAX: u128 = 65_536;

/// Where complaints are placed.
const PLACE: &str = "the command line";

/// What a command line says instead of a scope file.
#[derive(Clone, Debug)]
pub struct AdHoc<'a> {
    /// Prefixes and addresses.
    pub include: &'a [String],
    /// Prefixes and addresses to leave out.
    pub exclude: &'a [String],
    /// The ports to probe.
    pub ports: &'a PortSet,
    /// Who gave the permission; not needed for loopback.
    pub authorised_by: Option<&'a str>,
    /// Where to complain; not needed for loopback.
    pub contact: Option<&'a str>,
    /// The days on which it holds, both included.
    pub valid: (Day, Day),
}

impl AdHoc<'_> {
    /// The same as a scope: written as the file that would say it, and read from there.
    ///
    /// # Errors
    /// [`ScopeError::Invalid`] for prefixes that are none; [`ScopeError::Refused`] without authorisation
    /// or with too many addresses.
    pub fn scope(&self) -> Result<Scope, ScopeError> {
        let include = prefixes(PLACE, self.include)?;
        prefixes("--exclude", self.exclude)?;
        let addresses = merged(&include);
        if !addresses.ranges().iter().all(space::is_loopback) {
            self.authorised()?;
        }
        if addresses.len() > AD_HOC_ADDRESSES_MAX {
            return Err(Refusal::Beyond(format!(
                "{} addresses on the command line, more than {}: write a scope file",
                if addresses.len() > 1 << 64 {
                    "more than 2^64".to_owned()
                } else {
                    grouped(addresses.len())
                },
                grouped(AD_HOC_ADDRESSES_MAX)
            ))
            .into());
        }
        read(PLACE, &self.text()).map_err(|error| match error {
            // The file's lines are nobody's who typed a command.
            ScopeError::Invalid(complaint) => Diagnostic::whole(PLACE, complaint.message).into(),
            refused => refused,
        })
    }

    fn authorised(&self) -> Result<(), Refusal> {
        for (value, flag, what) in [
            (self.authorised_by, "--authorised-by", "who permits this"),
            (self.contact, "--contact", "where its owner can reach you"),
        ] {
            if value.is_none_or(|value| value.trim().is_empty()) {
                return Err(Refusal::Unauthorised(format!(
                    "addresses that are not loopback need {flag} TEXT: say {what}, or give a scope file"
                )));
            }
        }
        Ok(())
    }

    /// The scope file that says the same.
    fn text(&self) -> String {
        let mut lines = vec!["name = \"ad-hoc\"".to_owned()];
        for (key, value) in [
            ("operator", self.contact),
            ("contact", self.contact),
            ("authorised_by", self.authorised_by),
        ] {
            lines.extend(value.map(|value| format!("{key} = {}", quoted(value))));
        }
        lines.push(format!("valid_from = {}", self.valid.0));
        lines.push(format!("valid_until = {}", self.valid.1));
        lines.push(format!("include = [{}]", quoted_list(self.include)));
        lines.push(format!("exclude = [{}]", quoted_list(self.exclude)));
        let ports: Vec<String> = self.ports.as_slice().iter().map(u16::to_string).collect();
        lines.push(format!("ports = [{}]", ports.join(", ")));
        lines.join("\n") + "\n"
    }
}

fn prefixes(place: &str, texts: &[String]) -> Result<Vec<IpNet>, Diagnostic> {
    let parse = |text: &String| parse_prefix(text).map_err(|error| Diagnostic::whole(place, error));
    texts.iter().map(parse).collect()
}

fn quoted(text: &str) -> String {
    toml::Value::from(text).to_string()
}

fn quoted_list(texts: &[String]) -> String {
    texts.iter().map(|text| quoted(text)).collect::<Vec<_>>().join(", ")
}
