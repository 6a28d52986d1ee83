//! What Carnet is built from: where it comes from, and under which licences.

use std::process::Command;

/// Licences that go with Apache-2.0.
const ACCEPTED: [&str; 6] = ["Apache-2.0", "MIT", "BSD-3-Clause", "BSL-1.0", "Unicode-3.0", "Zlib"];

/// Of an SPDX expression: something accepted in each part that must be kept.
fn is_accepted(expression: &str) -> bool {
    let plain = expression.replace(['(', ')'], "").replace('/', " OR ");
    plain.split(" AND ").all(|part| part.split(" OR ").any(|licence| ACCEPTED.contains(&licence.trim())))
}

#[test]
fn every_dependency_comes_from_the_registry_under_an_accepted_licence() {
    let manifest = concat!(env!("CARGO_MANIFEST_DIR"), "/../../Cargo.toml");
    // Of this platform: those of others are not there to be read.
    let platform = format!("{}-unknown-linux-gnu", std::env::consts::ARCH);
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version", "1", "--locked", "--offline", "--manifest-path", manifest])
        .args(["--filter-platform", &platform])
        .output()
        .unwrap();
    let metadata: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let packages = metadata["packages"].as_array().unwrap();
    assert!(packages.len() > 100, "{}", packages.len());
    for package in packages.iter().filter(|package| !package["source"].is_null()) {
        let (name, source) = (&package["name"], package["source"].as_str().unwrap());
        assert!(source.starts_with("registry+"), "{name} comes from {source}");
        let licence = package["license"].as_str().unwrap_or_default();
        assert!(is_accepted(licence), "{name} is under \"{licence}\"");
    }
}

#[test]
fn an_expression_is_accepted_when_each_part_of_it_is() {
    assert!(is_accepted("(MIT OR Apache-2.0) AND Unicode-3.0"));
    assert!(is_accepted("Unlicense/MIT"));
    assert!(!is_accepted("GPL-3.0-only"));
    assert!(!is_accepted("MIT AND GPL-3.0-only"));
    assert!(!is_accepted(""));
}
