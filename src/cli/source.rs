//! Reading what people name: scopes, target lists, indicator sets.

use std::io::Read;
use std::path::{Path, PathBuf};

use super::args::ScopeArgs;
use super::exit::{Exit, Failure};
use crate::domain::indicator::{self, IndicatorSet};
use crate::domain::ports::PortSet;
use crate::domain::scope::{self, AdHoc, Scope};
use crate::domain::targets::TargetList;
use crate::domain::time::Timestamp;
use crate::import;

/// The sets that are part of the program.
const BUILT_IN: [(&str, &str); 1] =
    [("the program", include_str!("../../targets/indicators/flax-typhoon.toml"))];

/// The text of `path`; `what` says what it should be.
pub(super) fn text(path: &Path, what: &str) -> Result<String, Failure> {
    let bytes = std::fs::read(path).map_err(|error| {
        Failure::usage(format!("cannot read {what} {}: {error}", path.display()))
    })?;
    utf8(bytes, &path.display().to_string())
}

fn utf8(bytes: Vec<u8>, name: &str) -> Result<String, Failure> {
    String::from_utf8(bytes).map_err(|error| {
        let valid = error.utf8_error().valid_up_to();
        let line = error.as_bytes()[..valid].iter().filter(|byte| **byte == b'\n').count() + 1;
        Failure::usage(format!("{name}:{line}: not UTF-8 text"))
    })
}

/// The scope that the arguments give, valid at `now`.
pub(super) fn scope(
    args: &ScopeArgs,
    (include, exclude): (&[String], &[String]),
    ports: Option<&PortSet>,
    now: Timestamp,
) -> Result<Scope, Failure> {
    let scope = match &args.scope {
        Some(path) => {
            let ranges = include.iter().chain(exclude).next();
            if let Some(range) = ranges {
                return Err(Failure::usage(format!(
                    "{range} beside a scope file (--scope or CERTSWEEP_SCOPE), which says all; narrow it \
                     with --targets"
                )));
            }
            if args.authorised_by.is_some() {
                return Err(Failure::usage(
                    "--authorised-by beside a scope file, which says who permits it",
                ));
            }
            scope::read(&path.display().to_string(), &text(path, "scope")?)?
        }
        None if include.is_empty() => {
            return Err(Failure {
                exit: Exit::Refused,
                message:
                    "no scope: give --scope FILE, or ranges with --authorised-by and --contact; \
                          nothing was sent"
                        .to_owned(),
            });
        }
        None => ad_hoc(args, (include, exclude), ports, now)?,
    };
    scope.is_valid_at(now)?;
    Ok(scope)
}

fn ad_hoc(
    args: &ScopeArgs,
    (include, exclude): (&[String], &[String]),
    ports: Option<&PortSet>,
    now: Timestamp,
) -> Result<Scope, Failure> {
    let softether =
        PortSet::read(["softether"]).map_err(|error| Failure::usage(error.to_string()))?;
    let today = now.day();
    let ad_hoc = AdHoc {
        include,
        exclude,
        ports: ports.unwrap_or(&softether),
        authorised_by: args.authorised_by.as_deref(),
        contact: args.contact.as_deref(),
        // A sweep that begins before midnight may end after it.
        valid: (today, today.next()),
    };
    Ok(ad_hoc.scope()?)
}

/// The target list at `path`, or on standard input for `-`.
pub(super) fn target_list(path: &Path, scope: &Scope) -> Result<TargetList, Failure> {
    let (name, text) = if path == Path::new("-") {
        let mut bytes = Vec::new();
        std::io::stdin()
            .read_to_end(&mut bytes)
            .map_err(|error| Failure::usage(format!("cannot read standard input: {error}")))?;
        ("<stdin>".to_owned(), utf8(bytes, "<stdin>")?)
    } else {
        (path.display().to_string(), text(path, "target list")?)
    };
    let entries = import::target_list(&name, &text)?;
    TargetList::within(scope, &name, &entries).map_err(|diagnostic| {
        let exit = if entries.is_empty() { Exit::Usage } else { Exit::Refused };
        Failure { exit, message: format!("{diagnostic}; nothing was sent") }
    })
}

/// The built-in sets and those of `files`, each name once.
pub(super) fn indicator_sets(files: &[PathBuf]) -> Result<Vec<IndicatorSet>, Failure> {
    let mut sets: Vec<IndicatorSet> = Vec::new();
    for (file, text) in BUILT_IN {
        sets.push(indicator::read(file, text)?);
    }
    for path in files {
        let set = indicator_set(path)?;
        if let Some(same) = sets.iter().find(|known| known.name == set.name) {
            return Err(Failure::usage(format!(
                "{}: there is a set named '{}' already; give this one another name",
                path.display(),
                same.name
            )));
        }
        sets.push(set);
    }
    Ok(sets)
}

/// The set written in the file at `path`.
pub(super) fn indicator_set(path: &Path) -> Result<IndicatorSet, Failure> {
    let text = text(path, "indicator set")?;
    Ok(indicator::read(&path.display().to_string(), &text)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::cert::Leaf;
    use crate::domain::indicator::{Index, Tier, Tlp};

    #[test]
    fn the_built_in_set_holds_both_reports() {
        let sets = indicator_sets(&[]).unwrap();
        let set = &sets[0];
        assert_eq!((set.name.as_str(), set.tlp), ("flax-typhoon", Tlp::Clear));
        let hashes: Vec<String> = set
            .certificates
            .iter()
            .map(|certificate| certificate.fingerprint.to_string())
            .collect();
        assert_eq!(
            hashes,
            [
                "sha1:7992c0a816246b287d991c4ecf68f2d32e4bca18",
                "sha1:5437d0195c31bf7cedc9d90b8cb0074272bc55df",
                "sha1:cc1f0cdc131dfafd43f60ff0e6a6089cd03e92f1",
                "sha1:2c95b971aa47dc4d94a3c52db74a3de11d9ba658",
            ]
        );
        let of =
            |source: &str| set.addresses.iter().filter(|address| address.source == source).count();
        assert_eq!(of("microsoft-2023-08-24"), 13);
        assert_eq!(of("securityscorecard-2023-09"), 6);
        let named =
            |source: &str| set.entries.iter().filter(|entry| entry.source == source).count();
        assert_eq!((named("microsoft-2023-08-24"), named("aa26-281a")), (4, 8));
        assert!(set.entries.iter().all(|entry| entry.indicator.tier() == Tier::C));
        let dated = set.addresses.iter().filter(|address| address.first_seen.is_some()).count();
        assert_eq!(dated, 13);
    }

    #[test]
    fn the_worked_example_matches_a_softether_server_unless_its_name_says_so() {
        let text = include_str!("../../targets/indicators/storm-0558.toml");
        let set = indicator::read("storm-0558.toml", text).unwrap();
        let pem = include_str!("../domain/cert/softether-default.pem");
        let der = x509_parser::pem::parse_x509_pem(pem.as_bytes()).unwrap().1.contents;
        let (index, mut leaf) = (Index::new([&set]), Leaf::new(der));
        let found = index.matches(&leaf);
        let spelt: Vec<_> = found.iter().map(|found| found.indicator.to_string()).collect();
        assert_eq!(spelt, ["profile:storm-0558-softether-proxy"]);
        leaf.description.subject = Some("CN=SoftEther, O=x, OU=x, C=US".to_owned());
        assert_eq!(index.matches(&leaf), []);
        leaf.description.subject = None;
        assert_eq!(index.matches(&leaf), []);
        assert!(indicator_sets(&[]).unwrap().iter().all(|set| set.name != "storm-0558"));
    }
}
