//! Puts scenarios, templates and sample documents into the program, so that it runs on any machine by itself.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

fn main() -> std::io::Result<()> {
    let here = PathBuf::from(std::env::var("CARGO_MANIFEST_DIR").unwrap_or_default());
    let out = PathBuf::from(std::env::var("OUT_DIR").unwrap_or_default());
    let mut code = String::new();
    list(&mut code, "SCENARIOS", &here.join("scenarios"), "toml")?;
    list(&mut code, "DOCUMENTS", &here.join("documents"), "xml")?;
    std::fs::write(out.join("embedded.rs"), code)
}

/// A constant with every file below `folder` that ends in `extension`: its path there without the ending, its octets.
fn list(code: &mut String, name: &str, folder: &Path, extension: &str) -> std::io::Result<()> {
    println!("cargo::rerun-if-changed={}", folder.display());
    let mut files = Vec::new();
    collect(folder, &mut files)?;
    files.retain(|file| file.extension().is_some_and(|e| e == extension));
    files.sort();
    let _ = writeln!(code, "pub const {name}: &[(&str, &[u8])] = &[");
    for file in files {
        let relative = file.strip_prefix(folder).unwrap_or(&file).with_extension("");
        let _ = writeln!(
            code,
            "    ({:?}, include_bytes!({:?})),",
            relative.display().to_string(),
            file.display().to_string()
        );
    }
    code.push_str("];\n");
    Ok(())
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) -> std::io::Result<()> {
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        match path.is_dir() {
            true => collect(&path, files)?,
            false => files.push(path),
        }
    }
    Ok(())
}
