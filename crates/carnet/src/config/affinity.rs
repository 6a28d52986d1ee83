//! The Affinity Domain: its files are read with the configuration, and what is wrong with them is a problem like others.

use std::path::Path;

use codes::CodeFile;
use openssl::sha::Sha256;
use xds::affinity::{AffinityDomain, Profile};

use super::kind::{BOOLEAN, FILES};
use super::source::Source;
use crate::digest::hexadecimal;

const RESTRICT: &str = "affinity_domain.restrict_authorities";

/// The domain, and the SHA-256 of its files in hexadecimal; empty when there are none.
pub fn load(from: &mut Source) -> (AffinityDomain, String) {
    let files = from.get("affinity_domain.codes", FILES, Vec::new());
    let restrict = from.get(RESTRICT, BOOLEAN, false);
    let profile = from.choice("affinity_domain.profile", [("ihe", Profile::Ihe), ("ci-sis", Profile::CiSis)]);
    let mut domain = AffinityDomain::of(profile);
    let mut authorities = Vec::new();
    let mut digest = Sha256::new();
    for entry in &files {
        match read_octets(entry).and_then(|octets| {
            digest.update(entry.as_bytes());
            digest.update(&octets);
            understand(entry, &octets)
        }) {
            Ok(file) => {
                for set in &file.sets {
                    set.codes.iter().for_each(|code| domain.allow(set.attribute, &code.code, &code.scheme));
                }
                authorities.extend(file.authorities);
            }
            Err(what) => from.problem(format!("affinity_domain.codes, {entry}"), what),
        }
    }
    match (restrict, authorities.is_empty()) {
        (true, true) => from.problem(RESTRICT, "none of affinity_domain.codes names an AssigningAuthority"),
        (true, false) => domain.restrict_authorities(authorities),
        (false, _) => {}
    }
    let digest = match files.is_empty() {
        true => String::new(),
        false => hexadecimal(&digest.finish()),
    };
    (domain, digest)
}

/// A file as it stands in the list, with or without its attribute.
pub fn read(entry: &str) -> Result<CodeFile, String> {
    understand(entry, &read_octets(entry)?)
}

fn read_octets(entry: &str) -> Result<Vec<u8>, String> {
    let (_, file) = codes::entry(entry).map_err(|error| error.to_string())?;
    std::fs::read(file).map_err(|error| format!("cannot be read ({error})"))
}

fn understand(entry: &str, octets: &[u8]) -> Result<CodeFile, String> {
    let (attribute, file) = codes::entry(entry).map_err(|error| error.to_string())?;
    let name = Path::new(file).file_name().unwrap_or_default().to_string_lossy();
    CodeFile::read(&name, octets, attribute).map_err(|error| error.to_string())
}
