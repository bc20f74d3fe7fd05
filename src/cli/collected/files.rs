//! The files that people name, and those in the folders that they name.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::cli::exit::Failure;

/// Folders within folders that are gone into.
const DEPTH_MAX: usize = 32;

/// Files of one folder that are read.
const FILES_MAX: usize = 1_000_000;

/// Something to read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Source {
    Stdin,
    File(PathBuf),
}

impl Source {
    /// What complaints and records call it.
    pub(super) fn name(&self) -> String {
        match self {
            Self::Stdin => "<stdin>".to_owned(),
            Self::File(path) => path.display().to_string(),
        }
    }

    /// Whether its name begins as those of Zeek's logs of this kind do: `x509.log`, `x509.08:00:00-09:00:00.log.gz`.
    fn is_log(&self, kind: &str) -> bool {
        let Self::File(path) = self else { return false };
        let name = path.file_name().map(|name| name.to_string_lossy()).unwrap_or_default();
        name.strip_prefix(kind)
            .is_some_and(|rest| rest.starts_with(['.', '_', '-']) && rest.contains("log"))
    }
}

/// Files that belong together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Group {
    pub(super) sources: Vec<Source>,
    /// Whether they are all of a folder, and may be anything.
    pub(super) is_folder: bool,
    /// Whether certificates of Zeek's `x509.log` wait for the connections in `ssl.log`.
    pub(super) is_joined: bool,
}

impl Group {
    fn new(mut sources: Vec<Source>, is_folder: bool) -> Self {
        let has = |kind| sources.iter().any(|source| source.is_log(kind));
        let is_joined = has("x509") && has("ssl");
        if is_joined {
            // Certificates first, connections after them, and the others as they were.
            sources.sort_by_key(|source| match source {
                source if source.is_log("x509") => 0,
                source if source.is_log("ssl") => 1,
                _ => 2,
            });
        }
        Self { sources, is_folder, is_joined }
    }
}

/// Hands over the files among `paths`, then those of each folder and of the folders within it, in order of names; or a
/// complaint where there is nothing to read. Links in folders are not followed.
pub(super) fn each(
    paths: &[PathBuf],
    take: &mut dyn FnMut(Result<Group, String>) -> Result<(), Failure>,
) -> Result<(), Failure> {
    let (mut sources, mut folders) = (Vec::new(), Vec::new());
    for path in paths {
        if path == Path::new("-") {
            sources.push(Source::Stdin);
        } else if path.is_dir() {
            folders.push(path);
        } else {
            sources.push(Source::File(path.clone()));
        }
    }
    if !sources.is_empty() {
        take(Ok(Group::new(sources, false)))?;
    }
    folders.into_iter().try_for_each(|folder| within(folder, DEPTH_MAX, take))
}

fn within(
    folder: &Path,
    depth: usize,
    take: &mut dyn FnMut(Result<Group, String>) -> Result<(), Failure>,
) -> Result<(), Failure> {
    let name = folder.display();
    let (files, folders) = match listed(folder) {
        Ok(listed) => listed,
        Err(error) => return take(Err(format!("cannot read {name}: {error}"))),
    };
    if files.len() >= FILES_MAX {
        take(Err(format!("{name}: more than {FILES_MAX} files; the others were not read")))?;
    }
    if !files.is_empty() {
        take(Ok(Group::new(files, true)))?;
    }
    if depth == 0 && !folders.is_empty() {
        return take(Err(format!(
            "{name}: folders more than {DEPTH_MAX} deep; they were not read"
        )));
    }
    folders.iter().try_for_each(|folder| within(folder, depth - 1, take))
}

/// The files and the folders in `folder`, neither links nor pipes among them.
fn listed(folder: &Path) -> io::Result<(Vec<Source>, Vec<PathBuf>)> {
    let (mut files, mut folders) = (Vec::new(), Vec::new());
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let kind = entry.file_type()?;
        if kind.is_dir() {
            folders.push(entry.path());
        } else if kind.is_file() && files.len() < FILES_MAX {
            files.push(entry.path());
        }
    }
    files.sort();
    folders.sort();
    Ok((files.into_iter().map(Source::File).collect(), folders))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(paths: &[PathBuf], root: &Path) -> Vec<String> {
        let mut names = Vec::new();
        let mut take = |group: Result<Group, String>| {
            let group = group.unwrap();
            let joined = if group.is_joined { "+" } else { "" };
            let short =
                |source: &Source| source.name().replace(&format!("{}/", root.display()), "");
            names.push(format!(
                "{joined}{}",
                group.sources.iter().map(short).collect::<Vec<_>>().join(" ")
            ));
            Ok(())
        };
        each(paths, &mut take).unwrap();
        names
    }

    #[test]
    fn folders_are_gone_through_in_order_and_links_are_not_followed() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        fs::create_dir_all(root.join("a/b")).unwrap();
        for name in ["a/z", "a/ssl.log", "a/x509.log.gz", "a/b/one", "two", "x509.pem"] {
            fs::write(root.join(name), "").unwrap();
        }
        std::os::unix::fs::symlink(root, root.join("a/loop")).unwrap();
        std::os::unix::fs::symlink(root.join("two"), root.join("a/link")).unwrap();
        let all = names(&[root.to_owned()], root);
        assert_eq!(all, ["two x509.pem", "+a/x509.log.gz a/ssl.log a/z", "a/b/one"]);
        let given =
            ["-", "two", "a"].map(|name| if name == "-" { name.into() } else { root.join(name) });
        assert_eq!(names(&given, root), ["<stdin> two", "+a/x509.log.gz a/ssl.log a/z", "a/b/one"]);
    }

    #[test]
    fn depth_has_an_end() {
        let folder = tempfile::tempdir().unwrap();
        let deep = (0..=DEPTH_MAX).fold(folder.path().to_owned(), |path, _| path.join("d"));
        fs::create_dir_all(&deep).unwrap();
        let mut said = Vec::new();
        each(&[folder.path().to_owned()], &mut |group| {
            said.extend(group.err());
            Ok(())
        })
        .unwrap();
        assert_eq!(said.len(), 1);
        assert!(said[0].ends_with("folders more than 32 deep; they were not read"), "{}", said[0]);
    }
}
