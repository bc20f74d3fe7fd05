//! Reading secrets from where the settings say they are kept.

use std::fs::File;
use std::io::Read;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use super::Surroundings;
use crate::domain::alert::{Secret, SecretSource};

/// Bytes of a secret at most.
const BYTES_MAX: u64 = 4_096;

/// The secret kept at `source`.
///
/// # Errors
/// Why it cannot be had, without any part of it.
pub(super) fn read(source: &SecretSource, from: &Surroundings<'_>) -> Result<Secret, String> {
    let text = match source {
        SecretSource::File(path) => {
            let path = from.folder.join(path);
            read_file(&path).map_err(|why| format!("the secret file {} {why}", path.display()))?
        }
        SecretSource::Environment(name) => (from.environment)(name)
            .ok_or_else(|| format!("the environment variable {name} is not set, or is no text"))?,
    };
    let secret = text.trim();
    if secret.is_empty() {
        return Err(match source {
            SecretSource::File(path) => format!("the secret file {path} is empty"),
            SecretSource::Environment(name) => format!("the environment variable {name} is empty"),
        });
    }
    Ok(Secret::new(secret))
}

fn read_file(path: &Path) -> Result<String, String> {
    // A FIFO would wait for its writer.
    let found = std::fs::metadata(path).map_err(|error| format!("cannot be read: {error}"))?;
    if !found.is_file() {
        return Err("is no regular file".to_owned());
    }
    let file = File::open(path).map_err(|error| format!("cannot be read: {error}"))?;
    // Asked of what was opened, and not of what the path may mean by now.
    let metadata = file.metadata().map_err(|error| format!("cannot be read: {error}"))?;
    let mode = metadata.permissions().mode() & 0o777;
    if mode & 0o027 != 0 {
        return Err(format!(
            "has mode {mode:04o}, so that others can read it or the group can change it; chmod it to 0600 or 0640"
        ));
    }
    let mut bytes = Vec::new();
    file.take(BYTES_MAX + 1)
        .read_to_end(&mut bytes)
        .map_err(|error| format!("cannot be read: {error}"))?;
    if bytes.len() as u64 > BYTES_MAX {
        return Err(format!("is longer than {BYTES_MAX} bytes"));
    }
    String::from_utf8(bytes).map_err(|_| "is no UTF-8 text".to_owned())
}
