//! A folder of our own for what is not kept.

use std::path::{Path, PathBuf};

use super::exit::Failure;
use super::scan;

/// A folder in the system's place for temporary files; it is gone when this is dropped.
pub(super) struct Scratch(PathBuf);

impl Scratch {
    /// A new folder of `command`.
    pub(super) fn new(command: &str) -> Result<Self, Failure> {
        let name = format!("certsweep-{command}-{:x}", scan::random());
        let path = std::env::temp_dir().join(name);
        std::fs::create_dir(&path)
            .map(|()| Self(path.clone()))
            .map_err(|error| Failure::local(format!("cannot create {}: {error}", path.display())))
    }

    pub(super) fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
