//! Reading scope files, and every check that needs no clock.

use ipnet::IpNet;

use super::{Refusal, Scope, ScopeError, V4_ADDRESSES_MAX, space};
use crate::domain::address::Family;
use crate::domain::diagnostic::{Diagnostic, position};
use crate::domain::document::{Document, Placed, Table};
use crate::domain::fingerprint::Sha256Fingerprint;
use crate::domain::ports::PortSet;
use crate::domain::ranges::{AddressSet, Range};
use crate::domain::text::grouped;
use crate::domain::time::Day;

const KEYS: [&str; 12] = [
    "name",
    "operator",
    "contact",
    "authorised_by",
    "reference",
    "valid_from",
    "valid_until",
    "include",
    "exclude",
    "ports",
    "rate",
    "rate_per_prefix",
];

/// Reads a scope; `file` names it in complaints.
///
/// # Errors
/// [`ScopeError::Invalid`] with line and column for what cannot be understood or contradicts itself;
/// [`ScopeError::Refused`] for a scope that is too wide.
pub fn read(file: &str, text: &str) -> Result<Scope, ScopeError> {
    let document = Document { file, text };
    let mut table = document.table(&KEYS)?;
    let name = table.required_text("name")?.value;
    let operator = table.text("operator")?.map(|text| text.value);
    let contact = table.text("contact")?.map(|text| text.value);
    let authorised_by = table.text("authorised_by")?.map(|text| text.value);
    let (valid_from, valid_until) = read_validity(&mut table)?;
    let includes = read_prefixes(&mut table, "include")?;
    let excludes = read_prefixes(&mut table, "exclude")?.unwrap_or_default();
    let ports = read_ports(&mut table)?;
    let reference = table.text("reference")?.map(|text| text.value);
    let rate = table.rate("rate")?;
    let rate_per_prefix = table.rate("rate_per_prefix")?;
    let includes =
        includes.filter(|list| !list.is_empty()).ok_or_else(|| table.missing("include"))?;
    let ports = ports.ok_or_else(|| table.missing("ports"))?;

    no_overlaps(document, &includes)?;
    let (includes, excludes) = (nets(&includes), nets(&excludes));
    let (allowed, exclusions) = space::allowed(&includes, &excludes);
    let scope = Scope {
        included: includes.iter().copied().map(Range::from).collect(),
        allowed,
        exclusions,
        name,
        operator,
        contact,
        authorised_by,
        reference,
        valid_from,
        valid_until,
        ports,
        rate,
        rate_per_prefix,
        hash: Sha256Fingerprint::of(text.as_bytes()),
        text: text.to_owned(),
    };
    if scope.allowed.is_empty() {
        return Err(empty(&table, &scope).into());
    }
    says_who(&table, &scope)?;
    table.finish()?;
    is_narrow_enough(&scope)?;
    Ok(scope)
}

/// Whether everything is said that a scope beyond loopback must say.
fn says_who(table: &Table<'_>, scope: &Scope) -> Result<(), Diagnostic> {
    let said = [
        ("operator", scope.operator.is_some()),
        ("contact", scope.contact.is_some()),
        ("authorised_by", scope.authorised_by.is_some()),
        ("valid_until", scope.valid_until.is_some()),
    ];
    match said.iter().find(|(_, said)| !said) {
        Some((key, _)) if !scope.is_loopback() => Err(table.missing(key)),
        _ => Ok(()),
    }
}

fn read_validity(table: &mut Table<'_>) -> Result<(Option<Day>, Option<Day>), Diagnostic> {
    let (from, until) = (table.day("valid_from")?, table.day("valid_until")?);
    if let (Some(from), Some(until)) = (&from, &until)
        && until.value < from.value
    {
        let message = format!(
            "valid_until {} comes before valid_from {}: the scope is never valid",
            until.value, from.value
        );
        return Err(table.document().complain(until.span.start, message));
    }
    Ok((from.map(|day| day.value), until.map(|day| day.value)))
}

fn read_prefixes(
    table: &mut Table<'_>,
    key: &str,
) -> Result<Option<Vec<Placed<IpNet>>>, Diagnostic> {
    let Some(items) = table.items(key)? else { return Ok(None) };
    let document = table.document();
    items.into_iter().map(|item| read_prefix(document, item)).collect::<Result<_, _>>().map(Some)
}

fn read_prefix(document: Document<'_>, item: Placed<String>) -> Result<Placed<IpNet>, Diagnostic> {
    match parse_prefix(&item.value) {
        Ok(value) => Ok(Placed { value, span: item.span }),
        Err(message) => Err(document.complain(item.span.start, message)),
    }
}

/// The prefix or single address that `text` is.
///
/// # Errors
/// What is wrong: no prefix, or one with host bits set, with the right one as a hint.
pub fn parse_prefix(text: &str) -> Result<IpNet, String> {
    if let Ok(address) = text.parse::<std::net::IpAddr>() {
        return Ok(IpNet::from(address));
    }
    let net: IpNet = text.parse().map_err(|_| {
        format!("'{}' is no address or prefix such as 192.0.2.0/24", text.escape_debug())
    })?;
    if net != net.trunc() {
        return Err(format!("{net} has host bits set; did you mean {}?", net.trunc()));
    }
    Ok(net)
}

fn read_ports(table: &mut Table<'_>) -> Result<Option<PortSet>, Diagnostic> {
    let Some(items) = table.items("ports")? else { return Ok(None) };
    for item in &items {
        if let Err(error) = PortSet::read([item.value.as_str()]) {
            return Err(table.document().complain(item.span.start, error.to_string()));
        }
    }
    match PortSet::read(items.iter().map(|item| item.value.as_str())) {
        Ok(ports) => Ok(Some(ports)),
        Err(error) => Err(table.complain(format!("'ports': {error}"))),
    }
}

fn no_overlaps(document: Document<'_>, includes: &[Placed<IpNet>]) -> Result<(), Diagnostic> {
    let mut sorted: Vec<&Placed<IpNet>> = includes.iter().collect();
    sorted.sort_by_key(|item| Range::from(item.value));
    for pair in sorted.windows(2) {
        let [a, b] = pair else { continue };
        if Range::from(a.value).intersection(&Range::from(b.value)).is_some() {
            let (first, second) = if a.span.start < b.span.start { (a, b) } else { (b, a) };
            let (line, _) = position(document.text, first.span.start);
            let (own_line, _) = position(document.text, second.span.start);
            let of = if line == own_line { String::new() } else { format!(" of line {line}") };
            let message =
                format!("{} overlaps {}{of}; keep the wider one", second.value, first.value);
            return Err(document.complain(second.span.start, message));
        }
    }
    Ok(())
}

fn nets(items: &[Placed<IpNet>]) -> Vec<IpNet> {
    items.iter().map(|item| item.value).collect()
}

fn empty(table: &Table<'_>, scope: &Scope) -> Diagnostic {
    let because = scope.exclusions.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ");
    table.complain(format!("nothing is left of the includes: {because}"))
}

fn is_narrow_enough(scope: &Scope) -> Result<(), Refusal> {
    let v4 = scope.included.len_of(Family::V4);
    if v4 <= V4_ADDRESSES_MAX {
        return Ok(());
    }
    Err(Refusal::Beyond(format!(
        "scope '{}' includes {} IPv4 addresses, more than half of all; no one can permit that",
        scope.name,
        grouped(v4)
    )))
}

/// The set of `nets`.
pub(super) fn merged(nets: &[IpNet]) -> AddressSet {
    nets.iter().copied().map(Range::from).collect()
}
