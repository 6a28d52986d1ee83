//! Finding the installed PostgreSQL.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};

use crate::Error;

/// Where Debian keeps each major version.
const DEBIAN: &str = "/usr/lib/postgresql";

/// The folder with `initdb` and `postgres` that fits the data in `data`: of their version if there are data, else the
/// newest.
pub(crate) fn find(data: &Path) -> Result<PathBuf, Error> {
    let wanted = fs::read_to_string(data.join("PG_VERSION")).ok().map(|text| text.trim().to_owned());
    let mut installed = installed();
    installed.sort_by(|(a, _), (b, _)| b.cmp(a));
    match wanted {
        None => installed.into_iter().map(|(_, folder)| folder).next().ok_or(Error::NotInstalled),
        Some(found) => installed
            .into_iter()
            .find(|(major, _)| major.to_string() == found)
            .map(|(_, folder)| folder)
            .ok_or(Error::WrongVersion { folder: data.to_owned(), found }),
    }
}

/// A client program, such as `pg_dump`, for a server of one's own: of the version of its data.
pub(crate) fn program(data: &Path, name: &str) -> Result<PathBuf, Error> {
    Ok(find(data)?.join(name))
}

/// A client program for the server of somebody else: the one on PATH, else the newest that is installed.
pub fn client_program(name: &str) -> Result<PathBuf, Error> {
    let path = env::var_os("PATH").unwrap_or_default();
    let on_path = env::split_paths(&path).map(|folder| folder.join(name)).find(|file| file.is_file());
    on_path.map_or_else(|| program(Path::new(""), name), Ok)
}

/// (major version, folder of binaries).
fn installed() -> Vec<(u32, PathBuf)> {
    let debian = fs::read_dir(DEBIAN).into_iter().flatten().flatten().map(|entry| entry.path().join("bin"));
    let path = env::var_os("PATH").unwrap_or_default();
    // On PATH there may be links: the server's other files lie beside the real one.
    let on_path = env::split_paths(&path)
        .filter_map(|folder| fs::canonicalize(folder.join("postgres")).ok())
        .filter_map(|server| server.parent().map(Path::to_owned));
    debian
        .chain(on_path)
        .filter(|folder| folder.join("postgres").is_file() && folder.join("initdb").is_file())
        .filter_map(|folder| Some((major(&folder)?, folder)))
        .collect()
}

/// The major version, from the name of the folder or from the server itself.
fn major(folder: &Path) -> Option<u32> {
    let named = folder.parent()?.file_name()?.to_str()?.parse().ok();
    named.or_else(|| {
        let output = std::process::Command::new(folder.join("postgres")).arg("--version").output().ok()?;
        let text = String::from_utf8(output.stdout).ok()?;
        let version = text.split_whitespace().find(|word| word.starts_with(|c: char| c.is_ascii_digit()))?;
        version.split('.').next()?.parse().ok()
    })
}
