//! What targets are asked: from arguments to a policy.

use std::path::Path;

use super::args::{AskingArgs, Handshake};
use super::exit::Failure;
use super::source;
use crate::domain::indicator::IndicatorSet;
use crate::domain::ladder::Policy;
use crate::domain::text::escape;
use crate::domain::tls::ServerName;

/// Names that every endpoint is asked for at most.
const NAMES_MAX: usize = 100;

/// The word for the names that the indicator sets hold.
const INDICATORS: &str = "indicators";

/// The policy that the arguments give.
pub(super) fn policy(
    args: &AskingArgs,
    handshake: Handshake,
    sets: &[IndicatorSet],
) -> Result<Policy, Failure> {
    let mut server_names: Vec<ServerName> = Vec::new();
    for given in &args.server_names {
        let names = match given.as_str() {
            INDICATORS => names_of(sets)?,
            path if Path::new(path).is_file() => listed(Path::new(path))?,
            name => vec![ServerName::new(name).map_err(|wrong| {
                let name = escape(name);
                Failure::usage(format!("--server-names: '{name}' {wrong}, and is no file"))
            })?],
        };
        for name in names {
            if !server_names.contains(&name) {
                server_names.push(name);
            }
        }
    }
    if server_names.len() > NAMES_MAX {
        return Err(Failure::usage(format!(
            "--server-names: {} names; every endpoint is asked for each, and {NAMES_MAX} are the most",
            server_names.len()
        )));
    }
    let AskingArgs { all_leaves, confirm_softether, .. } = *args;
    let depth = handshake.depth();
    Ok(Policy { depth, server_names, all_leaves, confirm_softether })
}

/// The names that the sets hold.
fn names_of(sets: &[IndicatorSet]) -> Result<Vec<ServerName>, Failure> {
    let names: Vec<ServerName> = sets.iter().flat_map(IndicatorSet::server_names).collect();
    if names.is_empty() {
        return Err(Failure::usage("--server-names indicators: the indicator sets hold no names"));
    }
    Ok(names)
}

/// The names in the file at `path`: one a line; what follows a `#` is a comment.
fn listed(path: &Path) -> Result<Vec<ServerName>, Failure> {
    let text = source::text(path, "list of server names")?;
    let mut names = Vec::new();
    for (at, line) in text.lines().enumerate() {
        let name = line.split('#').next().unwrap_or_default().trim();
        if !name.is_empty() {
            let name = ServerName::new(name).map_err(|wrong| {
                let column = line.len() - line.trim_start().len() + 1;
                let (file, line, name) = (path.display(), at + 1, escape(name));
                Failure::usage(format!("{file}:{line}:{column}: '{name}' {wrong}"))
            })?;
            names.push(name);
        }
    }
    if names.is_empty() {
        return Err(Failure::usage(format!("{}: no server names in it", path.display())));
    }
    Ok(names)
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    fn names(given: &[&str]) -> Result<Vec<String>, String> {
        let sets = source::indicator_sets(&[]).unwrap();
        let server_names = given.iter().map(|name| (*name).to_owned()).collect();
        let args = AskingArgs { server_names, ..AskingArgs::default() };
        policy(&args, Handshake::Auto, &sets)
            .map(|policy| policy.server_names.iter().map(ToString::to_string).collect())
            .map_err(|failure| failure.message)
    }

    #[test]
    fn names_come_from_arguments_sets_and_files() {
        assert_eq!(names(&[]), Ok(vec![]));
        assert_eq!(
            names(&["B.example.org", "a.example.org", "b.example.org."]),
            Ok(vec!["b.example.org".to_owned(), "a.example.org".to_owned()])
        );
        let from_sets = names(&["indicators"]).unwrap();
        assert!(from_sets.contains(&"vpn472462384.softether.net".to_owned()), "{from_sets:?}");

        let mut file = tempfile::NamedTempFile::new().unwrap();
        let path = file.path().display().to_string();
        assert_eq!(names(&[&path]), Err(format!("{path}: no server names in it")));
        writeln!(file, "# names\n\none.example  # the first\n two.example").unwrap();
        assert_eq!(names(&[&path]), Ok(vec!["one.example".to_owned(), "two.example".to_owned()]));
        writeln!(file, "  no name").unwrap();
        let wrong = format!(
            "{path}:5:3: 'no name' has other characters than letters, digits, hyphens and dots"
        );
        assert_eq!(names(&[&path]), Err(wrong));
    }

    #[test]
    fn what_is_no_name_is_said() {
        let wrong = names(&["192.0.2.1"]).unwrap_err();
        assert_eq!(
            wrong,
            "--server-names: '192.0.2.1' is an address; server names are DNS names, and is no file"
        );
        let many: Vec<String> = (0..101).map(|number| format!("n{number}.example")).collect();
        let many: Vec<&str> = many.iter().map(String::as_str).collect();
        assert!(names(&many).unwrap_err().starts_with("--server-names: 101 names;"));
    }
}
