//! Reading the configuration: file, then environment, then defaults.

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;

use registry::{UnknownInQuery, UnknownPatients};
use repository::InsKey;
use xds::metadata::Code;

use super::keys::{KEYS, Key, Kind};
use super::{Audit, Client, Config, Data, Database, Limits, Log, LogFormat, Metadata, Patients, Repository, Server};

/// The file that is read when none is named and it is there.
const DEFAULT_FILE: &str = "carnet.toml";
const PREFIX: &str = "CARNET_";
/// Variables of this prefix that are not settings.
const NOT_SETTINGS: [&str; 1] = ["CARNET_CORPUS"];

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// Key, variable or file.
    pub place: String,
    pub what: String,
}

/// Everything that is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problems(pub Vec<Problem>);

impl std::error::Error for Problems {}

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the configuration cannot be used:")?;
        for problem in &self.0 {
            write!(f, "\n  {}: {}", problem.place, problem.what)?;
        }
        Ok(())
    }
}

/// A checked value with its origin.
struct Value {
    text: String,
    origin: String,
}

#[derive(Default)]
struct Loader {
    values: BTreeMap<&'static str, Value>,
    problems: Vec<Problem>,
}

impl Config {
    /// Reads `file`, or `carnet.toml` in the current folder if that is there; the environment wins over the file.
    pub fn load(
        file: Option<&Path>,
        environment: impl Iterator<Item = (String, String)>,
    ) -> Result<Config, Problems> {
        let mut loader = Loader::default();
        match file {
            Some(file) => loader.file(file),
            None if Path::new(DEFAULT_FILE).exists() => loader.file(Path::new(DEFAULT_FILE)),
            None => {}
        }
        loader.environment(environment);
        match loader.problems.is_empty() {
            true => loader.config(),
            false => Err(Problems(loader.problems)),
        }
    }
}

impl Loader {
    fn problem(&mut self, place: impl Into<String>, what: impl Into<String>) {
        self.problems.push(Problem { place: place.into(), what: what.into() });
    }

    fn file(&mut self, file: &Path) {
        let name = file.display().to_string();
        let text = match std::fs::read_to_string(file) {
            Ok(text) => text,
            Err(error) => return self.problem(name, format!("cannot be read ({error})")),
        };
        let table: toml::Table = match text.parse() {
            Ok(table) => table,
            Err(error) => return self.problem(name, error.to_string().trim_end().to_owned()),
        };
        for (section, content) in &table {
            match content {
                toml::Value::Table(content) => {
                    for (key, value) in content {
                        let text = match value {
                            toml::Value::String(text) => text.clone(),
                            toml::Value::Table(_) | toml::Value::Array(_) => {
                                self.problem(format!("{section}.{key} in {name}"), "a single value is expected");
                                continue;
                            }
                            other => other.to_string(),
                        };
                        self.set(&format!("{section}.{key}"), &format!("{section}.{key} in {name}"), text, &name);
                    }
                }
                _ => self.problem(format!("{section} in {name}"), "stands outside a [section]"),
            }
        }
    }

    fn environment(&mut self, environment: impl Iterator<Item = (String, String)>) {
        for (variable, text) in environment {
            let Some(rest) = variable.strip_prefix(PREFIX) else { continue };
            if NOT_SETTINGS.contains(&variable.as_str()) {
                continue;
            }
            match rest.split_once("__") {
                Some((section, key)) => {
                    let key = format!("{section}.{key}").to_ascii_lowercase();
                    self.set(&key, &variable, text, &variable);
                }
                None => self.problem(variable, "a setting is CARNET_ + section + __ + key"),
            }
        }
    }

    fn set(&mut self, name: &str, place: &str, text: String, origin: &str) {
        let Some(key) = KEYS.iter().find(|key| key.name == name) else {
            let hint = nearest(name).map(|key| format!("; did you mean {key}?")).unwrap_or_default();
            return self.problem(place, format!("there is no such key{hint}"));
        };
        match check(key.kind, &text) {
            Ok(()) => {
                self.values.insert(key.name, Value { text, origin: origin.to_owned() });
            }
            Err(what) => self.problem(place, what),
        }
    }

    fn given(&self, name: &str) -> bool {
        self.values.contains_key(name)
    }

    fn optional(&self, name: &str) -> Option<String> {
        let default = KEYS.iter().find(|key| key.name == name).and_then(|key| key.default);
        let text = self.values.get(name).map(|value| value.text.as_str()).or(default)?;
        (!text.is_empty()).then(|| text.to_owned())
    }

    fn text(&self, name: &str) -> String {
        self.optional(name).unwrap_or_default()
    }

    fn number(&self, name: &str) -> u64 {
        octets(&self.text(name)).unwrap_or_default()
    }

    fn count(&self, name: &str) -> usize {
        usize::try_from(self.number(name)).unwrap_or(usize::MAX)
    }

    fn is(&self, name: &str, value: &str) -> bool {
        self.text(name) == value
    }

    fn code(&self, prefix: &str) -> Option<Code> {
        let part = |part: &str| self.optional(&format!("client.{prefix}_{part}"));
        let (code, scheme) = (part("code")?, part("scheme")?);
        let display = part("display").unwrap_or_else(|| code.clone());
        Some(Code { code, scheme, display })
    }

    fn config(self) -> Result<Config, Problems> {
        let listen = self.text("server.listen");
        let listen = listen.parse().map_err(|_| {
            Problems(vec![Problem { place: "server.listen".to_owned(), what: format!("{listen} is no address") }])
        })?;
        let fallback = Code::new("03", "1.2.250.1.213.2.2", "Hospitalisation");
        Ok(Config {
            server: Server {
                listen,
                allow_plain_http: self.is("server.allow_plain_http", "true"),
                public_url: self.optional("server.public_url"),
                workers: self.count("server.workers"),
            },
            data: Data { dir: self.text("data.dir").into(), is_default: !self.given("data.dir") },
            database: Database { url: self.optional("database.url"), pool: self.count("database.pool").max(1) },
            repository: Repository { unique_id: self.text("repository.unique_id") },
            patients: Patients {
                unknown: match self.is("patients.unknown", "open") {
                    true => UnknownPatients::Open,
                    false => UnknownPatients::Refuse,
                },
                query_unknown: match self.is("patients.query_unknown", "error") {
                    true => UnknownInQuery::Error,
                    false => UnknownInQuery::Empty,
                },
                ins_authority: self.text("patients.ins_authority"),
                ins_key: match self.is("patients.ins_key", "refuse") {
                    true => InsKey::Refuse,
                    false => InsKey::Warn,
                },
            },
            limits: Limits {
                inline_document: self.number("limits.inline_document"),
                request: self.number("limits.request"),
                envelope: self.number("limits.envelope"),
                xml_depth: u32::try_from(self.number("limits.xml_depth")).unwrap_or(u32::MAX),
                documents: self.count("limits.documents"),
                cda_header: self.number("limits.cda_header"),
                query_results: self.count("limits.query_results"),
            },
            audit: Audit {
                source_id: self.text("audit.source_id"),
                enterprise_site: self.optional("audit.enterprise_site"),
            },
            metadata: Metadata { strict_slot_names: self.is("metadata.strict_slot_names", "true") },
            log: Log {
                format: if self.is("log.format", "json") { LogFormat::Json } else { LogFormat::Text },
                level: self.text("log.level"),
            },
            client: Client {
                server: self.text("client.server"),
                source_id: self.text("client.source_id"),
                content_type_code: self.code("content_type").unwrap_or(fallback),
                facility: self.code("facility"),
                practice_setting: self.code("practice_setting"),
            },
            shown: KEYS.iter().map(|key| self.show(key)).collect(),
        })
    }

    fn show(&self, key: &Key) -> (String, String, String) {
        let origin = self.values.get(key.name).map_or("default", |value| value.origin.as_str());
        let text = match self.optional(key.name) {
            None => "(none)".to_owned(),
            Some(_) if key.secret => "(set)".to_owned(),
            Some(text) => text,
        };
        (key.name.to_owned(), text, origin.to_owned())
    }
}

fn check(kind: Kind, text: &str) -> Result<(), String> {
    let good = match kind {
        Kind::Text => true,
        Kind::Boolean => matches!(text, "true" | "false"),
        Kind::Number => text.parse::<u32>().is_ok(),
        Kind::Size => octets(text).is_some(),
        Kind::Address => text.parse::<std::net::SocketAddr>().is_ok(),
        Kind::Oid => identity::Oid::parse(text).is_ok(),
        Kind::Choice(choices) => choices.contains(&text),
    };
    let expected = match kind {
        _ if good => return Ok(()),
        Kind::Text => "a text".to_owned(),
        Kind::Boolean => "true or false".to_owned(),
        Kind::Number => "a number from 0 to 4294967295".to_owned(),
        Kind::Size => "a size in octets, such as 33554432 or \"32MiB\"".to_owned(),
        Kind::Address => "an address with port, such as 127.0.0.1:8080".to_owned(),
        Kind::Oid => "an OID, such as 1.2.250.1.213.1.4.8".to_owned(),
        Kind::Choice(choices) => format!("one of {}", choices.join(", ")),
    };
    Err(format!("\"{text}\" is not {expected}"))
}

fn octets(text: &str) -> Option<u64> {
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic()).trim_end();
    let unit: u64 = match text.get(digits.len()..)?.trim() {
        "" | "B" => 1,
        "KiB" => 1 << 10,
        "MiB" => 1 << 20,
        "GiB" => 1 << 30,
        _ => return None,
    };
    digits.parse::<u64>().ok()?.checked_mul(unit)
}

/// The key that a typing mistake meant.
fn nearest(name: &str) -> Option<&'static str> {
    let distance = |key: &&Key| (edit_distance(name, key.name), key.name);
    let best = KEYS.iter().min_by_key(distance)?;
    (edit_distance(name, best.name) <= 3 || best.name.split('.').nth(1) == name.split('.').nth(1)).then_some(best.name)
}

/// Levenshtein distance.
fn edit_distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, ca) in a.chars().enumerate() {
        let mut diagonal = i;
        let mut left = i + 1;
        let mut next = vec![left];
        for (cb, above) in b.iter().zip(row.iter().skip(1)) {
            let cost = diagonal + usize::from(ca != *cb);
            left = cost.min(above + 1).min(left + 1);
            diagonal = *above;
            next.push(left);
        }
        row = next;
    }
    row.last().copied().unwrap_or_default()
}
