//! `carnet codes check`: what files of value sets are understood to say.

use anyhow::bail;
use clap::{Args, Subcommand};
use codes::{CodeFile, Format};
use serde_json::{Value, json};

use super::{note, say, table};
use crate::config;

#[derive(Subcommand)]
pub enum Command {
    /// Show what files of affinity_domain.codes are understood to say.
    Check(Check),
}

#[derive(Args)]
pub struct Check {
    /// As in the configuration: a file, or attribute=file.
    #[arg(required = true)]
    files: Vec<String>,
    /// JSON instead of a table.
    #[arg(long)]
    json: bool,
}

pub fn run(command: &Command) -> anyhow::Result<()> {
    let Command::Check(check) = command;
    let read: Vec<(&str, Result<CodeFile, String>)> =
        check.files.iter().map(|entry| (entry.as_str(), config::read_codes(entry))).collect();
    match check.json {
        true => say(Value::from(read.iter().map(|(entry, file)| as_json(entry, file)).collect::<Vec<_>>())),
        false => show(&read),
    }
    let bad: Vec<String> =
        read.iter().filter_map(|(entry, file)| Some(format!("{entry}: {}", file.as_ref().err()?))).collect();
    match bad.is_empty() {
        true => Ok(()),
        false => bail!(bad.join("\n  ")),
    }
}

fn show(read: &[(&str, Result<CodeFile, String>)]) {
    let mut rows = Vec::new();
    for (entry, file) in read {
        let Ok(file) = file else { continue };
        for set in &file.sets {
            let mut schemes: Vec<&str> = set.codes.iter().map(|code| code.scheme.as_str()).collect();
            schemes.sort_unstable();
            schemes.dedup();
            let (codes, schemes) = (set.codes.len().to_string(), schemes.len().to_string());
            rows.push(vec![set.attribute.name().to_owned(), codes, schemes, (*entry).to_owned()]);
        }
        if !file.authorities.is_empty() {
            let count = file.authorities.len().to_string();
            rows.push(vec!["AssigningAuthority".to_owned(), count, "-".to_owned(), (*entry).to_owned()]);
        }
        file.remarks.iter().for_each(|remark| note(&format!("{entry}: {remark}")));
    }
    table::lines(&["ATTRIBUTE", "CODES", "SCHEMES", "FILE"], &rows).into_iter().for_each(say);
}

fn as_json(entry: &str, file: &Result<CodeFile, String>) -> Value {
    match file {
        Err(error) => json!({ "file": entry, "error": error }),
        Ok(file) => {
            let format = match file.format {
                Format::Ihe => "IHE codes.xml",
                Format::Svs => "SVS",
                Format::Csv => "CSV",
            };
            let set = |set: &codes::ValueSet| {
                let code =
                    |c: &codes::Code| json!({ "code": c.code, "scheme": c.scheme, "display": c.display });
                json!({ "attribute": set.attribute.name(), "codes": set.codes.iter().map(code).collect::<Vec<_>>() })
            };
            json!({
                "file": entry,
                "format": format,
                "sets": file.sets.iter().map(set).collect::<Vec<_>>(),
                "authorities": file.authorities,
                "remarks": file.remarks,
            })
        }
    }
}
