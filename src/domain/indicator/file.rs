//! Reading indicator set files.

use std::collections::HashMap;
use std::net::IpAddr;

use super::spread::{HOSTS_MAX, SharedLimits};
use super::{Address, Certificate, IndicatorSet, Source, Tlp, entry_file};
use crate::domain::diagnostic::{Diagnostic, hint, position};
use crate::domain::document::{Document, Placed, Table};
use crate::domain::fingerprint::{Fingerprint, Sha256Fingerprint};
use crate::domain::time::Day;

const SET_KEYS: [&str; 11] = [
    "name",
    "tlp",
    "shared_hosts",
    "shared_prefixes",
    "source",
    "certificate",
    "public_key",
    "host_name",
    "profile",
    "template",
    "address",
];
const SOURCE_KEYS: [&str; 5] = ["id", "title", "publisher", "published", "url"];
const CERTIFICATE_KEYS: [&str; 6] = ["sha1", "sha256", "spki_sha256", "label", "source", "note"];
const ADDRESS_KEYS: [&str; 6] =
    ["address", "first_seen", "last_seen", "certificate", "source", "note"];

/// Reads an indicator set; `file` names it in complaints.
///
/// # Errors
/// A complaint with line and column about the first thing that is wrong: an unknown key, a fingerprint
/// of the wrong length, one that stands twice, a source that is not declared.
pub fn read(file: &str, text: &str) -> Result<IndicatorSet, Diagnostic> {
    let mut table = Document { file, text }.table(&SET_KEYS)?;
    let name = table.required_text("name")?.value;
    let tlp = read_tlp(&mut table)?;
    let sources: Vec<Source> = table
        .tables("source", &SOURCE_KEYS)?
        .into_iter()
        .map(read_source)
        .collect::<Result<_, _>>()?;
    let shared = read_shared(&mut table)?;
    let certificates = table.tables("certificate", &CERTIFICATE_KEYS)?;
    let others = entry_file::Tables::of(&mut table)?;
    let addresses = table.tables("address", &ADDRESS_KEYS)?;
    if certificates.is_empty() && addresses.is_empty() && others.is_empty() {
        return Err(table.complain(
            "the set holds neither a [[certificate]] nor an [[address]], nor a [[public_key]], \
             [[host_name]], [[profile]] or [[template]]",
        ));
    }
    table.finish()?;
    let certificates = read_certificates(certificates, &sources)?;
    let (entries, profiles) = others.read(&sources)?;
    Ok(IndicatorSet {
        name,
        file: file.to_owned(),
        tlp,
        hash: Sha256Fingerprint::of(text.as_bytes()),
        shared,
        certificates,
        entries,
        profiles,
        addresses: read_addresses(addresses, &sources)?,
        sources,
    })
}

fn read_shared(table: &mut Table<'_>) -> Result<SharedLimits, Diagnostic> {
    let default = SharedLimits::default();
    Ok(SharedLimits {
        hosts: read_limit(table, "shared_hosts")?.unwrap_or(default.hosts),
        prefixes: read_limit(table, "shared_prefixes")?.unwrap_or(default.prefixes),
    })
}

fn read_limit(table: &mut Table<'_>, key: &str) -> Result<Option<usize>, Diagnostic> {
    let Some(number) = table.whole_number(key)? else { return Ok(None) };
    match usize::try_from(number.value) {
        Ok(limit @ 1..=HOSTS_MAX) => Ok(Some(limit)),
        _ => {
            let message = format!("'{key}' goes from 1 to {HOSTS_MAX}");
            Err(table.document().complain(number.span.start, message))
        }
    }
}

fn read_tlp(table: &mut Table<'_>) -> Result<Tlp, Diagnostic> {
    let word = table.required_text("tlp")?;
    match Tlp::WORDS.iter().find(|(known, _)| *known == word.value) {
        Some((_, tlp)) => Ok(*tlp),
        None => {
            let words = Tlp::WORDS.map(|(word, _)| word);
            let message =
                format!("unknown TLP level '{}'{}", word.value, hint(&word.value, &words));
            Err(table.document().complain(word.span.start, message))
        }
    }
}

fn read_source(mut table: Table<'_>) -> Result<Source, Diagnostic> {
    let source = Source {
        id: table.required_text("id")?.value,
        title: table.required_text("title")?.value,
        publisher: table.text("publisher")?.map(|text| text.value),
        published: table.day("published")?.map(|day| day.value),
        url: table.text("url")?.map(|text| text.value),
    };
    table.finish()?;
    Ok(source)
}

/// The id at `source`, which must be declared.
pub(super) fn declared(table: &mut Table<'_>, sources: &[Source]) -> Result<String, Diagnostic> {
    let id = table.required_text("source")?;
    if sources.iter().any(|source| source.id == id.value) {
        return Ok(id.value);
    }
    let known: Vec<&str> = sources.iter().map(|source| source.id.as_str()).collect();
    let message = format!("no [[source]] has the id '{}'{}", id.value, hint(&id.value, &known));
    Err(table.document().complain(id.span.start, message))
}

fn read_certificates(
    tables: Vec<Table<'_>>,
    sources: &[Source],
) -> Result<Vec<Certificate>, Diagnostic> {
    let mut first_at: HashMap<Fingerprint, usize> = HashMap::new();
    let mut certificates = Vec::with_capacity(tables.len());
    for mut table in tables {
        let document = table.document();
        let (fingerprint, offset) = read_hash_key(&mut table)?;
        if let Some(first) = first_at.insert(fingerprint, offset) {
            let (line, _) = position(document.text, first);
            let message =
                format!("{fingerprint} stands here a second time (first in line {line}); keep one");
            return Err(document.complain(offset, message));
        }
        certificates.push(Certificate {
            fingerprint,
            spki_sha256: read_key_hash(&mut table)?.map(|hash| hash.value),
            label: table.text("label")?.map(|text| text.value),
            source: declared(&mut table, sources)?,
            note: table.text("note")?.map(|text| text.value),
        });
        table.finish()?;
    }
    Ok(certificates)
}

/// The fingerprint at `sha1` or `sha256`, and where it stands.
fn read_hash_key(table: &mut Table<'_>) -> Result<(Fingerprint, usize), Diagnostic> {
    let (sha1, sha256) = (table.text("sha1")?, table.text("sha256")?);
    let document = table.document();
    let (text, key) = match (sha1, sha256) {
        (Some(text), None) => (text, "sha1"),
        (None, Some(text)) => (text, "sha256"),
        (Some(_), Some(text)) => {
            let message = "give either sha1 or sha256; two hashes are two [[certificate]] entries";
            return Err(document.complain(text.span.start, message));
        }
        (None, None) => return Err(table.complain("'sha1' or 'sha256' is missing")),
    };
    let fingerprint = read_fingerprint(document, &text)?;
    match (key, fingerprint) {
        ("sha1", Fingerprint::Sha256(_)) => Err(document.complain(
            text.span.start,
            "64 hex digits, where a SHA-1 fingerprint has 40; is this a sha256?",
        )),
        ("sha256", Fingerprint::Sha1(_)) => Err(document.complain(
            text.span.start,
            "40 hex digits, where a SHA-256 fingerprint has 64; is this a sha1?",
        )),
        _ => Ok((fingerprint, text.span.start)),
    }
}

/// The hash of a public key at `spki_sha256`, if it is there.
pub(super) fn read_key_hash(
    table: &mut Table<'_>,
) -> Result<Option<Placed<Sha256Fingerprint>>, Diagnostic> {
    let Some(text) = table.text("spki_sha256")? else { return Ok(None) };
    match read_fingerprint(table.document(), &text)? {
        Fingerprint::Sha256(value) => Ok(Some(Placed { value, span: text.span })),
        Fingerprint::Sha1(_) => Err(table
            .document()
            .complain(text.span.start, "40 hex digits, where the SHA-256 of a public key has 64")),
    }
}

fn read_fingerprint(
    document: Document<'_>,
    text: &Placed<String>,
) -> Result<Fingerprint, Diagnostic> {
    text.value.parse().map_err(|error: crate::domain::fingerprint::FingerprintError| {
        // One for the opening quote; a text without escapes stands in the file as it reads.
        let written = document.text.get(text.span.start + 1..text.span.end).unwrap_or_default();
        let skip: usize = written.chars().take(error.at()).map(char::len_utf8).sum();
        let inside = if error.at() == 0 { 0 } else { skip + 1 };
        document.complain(text.span.start + inside, format!("no fingerprint: {error}"))
    })
}

fn read_addresses(tables: Vec<Table<'_>>, sources: &[Source]) -> Result<Vec<Address>, Diagnostic> {
    let mut first_at: HashMap<(IpAddr, String), usize> = HashMap::new();
    let mut addresses = Vec::with_capacity(tables.len());
    for mut table in tables {
        let document = table.document();
        let written = table.required_text("address")?;
        let address = written.value.parse::<IpAddr>().map_err(|_| {
            let message = format!("'{}' is no IP address", written.value.escape_debug());
            document.complain(written.span.start, message)
        })?;
        let source = declared(&mut table, sources)?;
        if let Some(first) = first_at.insert((address, source.clone()), written.span.start) {
            let (line, _) = position(document.text, first);
            let message = format!(
                "{address} of '{source}' stands here a second time (first in line {line}); keep one"
            );
            return Err(document.complain(written.span.start, message));
        }
        let (first_seen, last_seen) = read_interval(&mut table)?;
        let certificate =
            table.text("certificate")?.map(|text| read_fingerprint(document, &text)).transpose()?;
        let note = table.text("note")?.map(|text| text.value);
        table.finish()?;
        addresses.push(Address { address, first_seen, last_seen, certificate, source, note });
    }
    Ok(addresses)
}

fn read_interval(table: &mut Table<'_>) -> Result<(Option<Day>, Option<Day>), Diagnostic> {
    let (first, last) = (table.day("first_seen")?, table.day("last_seen")?);
    if let (Some(first), Some(last)) = (&first, &last)
        && last.value < first.value
    {
        let message = format!("last_seen {} comes before first_seen {}", last.value, first.value);
        return Err(table.document().complain(last.span.start, message));
    }
    Ok((first.map(|day| day.value), last.map(|day| day.value)))
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: &str = "name = \"s\"\ntlp = \"clear\"\n[[source]]\nid = \"r\"\ntitle = \"t\"\n";
    const SHA1: &str = "7992c0a816246b287d991c4ecf68f2d32e4bca18";

    fn complaint(tail: &str) -> String {
        read("s.toml", &format!("{HEAD}{tail}")).unwrap_err().to_string()
    }

    #[test]
    fn every_spelling_reads_and_keeps_its_provenance() {
        let colons = "79:92:C0:A8:16:24:6B:28:7D:99:1C:4E:CF:68:F2:D3:2E:4B:CA:18";
        let text = format!(
            "{HEAD}[[certificate]]\nsha1 = \"{colons}\"\nlabel = \"l\"\nsource = \"r\"\n\
             [[address]]\naddress = \"45.204.1.248\"\nfirst_seen = 2023-02-23\n\
             last_seen = 2023-05-09\ncertificate = \"sha1:{SHA1}\"\nsource = \"r\"\n"
        );
        let set = read("s.toml", &text).unwrap();
        assert_eq!(set.certificates[0].fingerprint.to_string(), format!("sha1:{SHA1}"));
        assert_eq!(set.certificates[0].label.as_deref(), Some("l"));
        assert_eq!(set.addresses[0].certificate, Some(set.certificates[0].fingerprint));
        assert_eq!(set.addresses[0].first_seen, Day::new(2023, 2, 23));
        assert_eq!(set.tlp, Tlp::Clear);
    }

    #[test]
    fn duplicates_in_any_spelling_are_refused_at_the_second() {
        let upper = SHA1.to_uppercase();
        let tail = format!(
            "[[certificate]]\nsha1 = \"{SHA1}\"\nsource = \"r\"\n\
             [[certificate]]\nsha1 = \"{upper}\"\nsource = \"r\"\n"
        );
        assert_eq!(
            complaint(&tail),
            format!(
                "s.toml:10:8: sha1:{SHA1} stands here a second time (first in line 7); keep one"
            )
        );
    }

    #[test]
    fn bad_fingerprints_are_placed_to_the_character() {
        let entry = |hash: &str| format!("[[certificate]]\nsha1 = \"{hash}\"\nsource = \"r\"\n");
        assert_eq!(
            complaint(&entry(&SHA1[2..])),
            "s.toml:7:8: no fingerprint: 38 hex digits, where a SHA-1 fingerprint has 40 and a \
             SHA-256 fingerprint 64"
        );
        assert_eq!(
            complaint(&entry(&SHA1.replace("c0", "cO"))),
            "s.toml:7:14: no fingerprint: 'O' is no hex digit"
        );
        assert_eq!(
            complaint(&entry(&SHA1.repeat(2)[..64])),
            "s.toml:7:8: 64 hex digits, where a SHA-1 fingerprint has 40; is this a sha256?"
        );
    }

    #[test]
    fn sources_must_be_declared_and_keys_known() {
        let undeclared = format!("[[certificate]]\nsha1 = \"{SHA1}\"\nsource = \"q\"\n");
        assert_eq!(
            complaint(&undeclared),
            "s.toml:8:10: no [[source]] has the id 'q'; did you mean 'r'?"
        );
        let unknown = format!("[[certificate]]\nsha1 = \"{SHA1}\"\nsource = \"r\"\nlabl = \"x\"\n");
        assert_eq!(complaint(&unknown), "s.toml:9:1: unknown key 'labl'; did you mean 'label'?");
        assert!(complaint("").contains("neither a [[certificate]] nor an [[address]]"));
    }

    #[test]
    fn intervals_do_not_run_backwards() {
        let tail = "[[address]]\naddress = \"192.0.2.1\"\nfirst_seen = 2023-05-09\n\
                    last_seen = 2023-02-23\nsource = \"r\"\n";
        assert_eq!(
            complaint(tail),
            "s.toml:9:13: last_seen 2023-02-23 comes before first_seen 2023-05-09"
        );
    }
}
