//! Where values come from: the file, then the environment, then defaults.

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;

use toml::Value;

use super::kind::{Kind, quoted};

/// The file that is read when none is named and it is there.
const DEFAULT_FILE: &str = "carnet.toml";
const PREFIX: &str = "CARNET_";

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The key and the file or variable that gave it, or the file alone.
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

/// A setting as it is used, for showing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shown {
    pub key: &'static str,
    /// As TOML; `None`: there is no value.
    pub value: Option<String>,
    /// The file, the variable, or "default".
    pub origin: String,
}

enum Raw {
    File(Value),
    Variable(String),
}

struct Given {
    raw: Raw,
    /// The file or the variable.
    origin: String,
}

/// What was given and not taken yet. Taking a key makes it known; what is left at the end is unknown.
#[derive(Default)]
pub struct Source {
    given: BTreeMap<String, Given>,
    known: Vec<&'static str>,
    shown: Vec<Shown>,
    problems: Vec<Problem>,
    /// Variables that lack the second underscore.
    doubtful: Vec<String>,
}

impl Source {
    pub fn read(file: Option<&Path>, environment: impl Iterator<Item = (String, String)>) -> Source {
        let mut source = Source::default();
        match file {
            Some(file) => source.file(file),
            None if Path::new(DEFAULT_FILE).exists() => source.file(Path::new(DEFAULT_FILE)),
            None => {}
        }
        source.environment(environment);
        source
    }

    fn file(&mut self, file: &Path) {
        let origin = file.display().to_string();
        let text = match std::fs::read_to_string(file) {
            Ok(text) => text,
            Err(error) => return self.problem(origin, format!("cannot be read ({error})")),
        };
        let table: toml::Table = match text.parse() {
            Ok(table) => table,
            // Without the line itself, which may hold a password.
            Err(error) => {
                let before = error.span().and_then(|span| text.get(..span.start)).unwrap_or_default();
                let line = before.matches('\n').count() + 1;
                return self.problem(format!("{origin}, line {line}"), error.message().to_owned());
            }
        };
        for (section, content) in table {
            match content {
                Value::Table(keys) => {
                    for (key, value) in keys {
                        let given = Given { raw: Raw::File(value), origin: origin.clone() };
                        self.given.insert(format!("{section}.{key}"), given);
                    }
                }
                value => {
                    self.given.insert(section, Given { raw: Raw::File(value), origin: origin.clone() });
                }
            }
        }
    }

    fn environment(&mut self, environment: impl Iterator<Item = (String, String)>) {
        for (variable, value) in environment {
            let Some(rest) = variable.strip_prefix(PREFIX) else { continue };
            match rest.split_once("__") {
                Some((section, key)) => {
                    let name = format!("{section}.{key}").to_ascii_lowercase();
                    self.given.insert(name, Given { raw: Raw::Variable(value), origin: variable });
                }
                // Container platforms set variables such as CARNET_PORT for a service of this name.
                None => self.doubtful.push(variable),
            }
        }
    }

    /// The value of `key`, or the default. After a wrong value, which is a problem, the default is as good as any.
    pub fn get<T>(&mut self, key: &'static str, kind: Kind<T>, default: impl Into<T>) -> T {
        let (value, origin) = self.take(key, kind.is, Raw::quoted, |raw| raw.read(&kind));
        let value = value.unwrap_or_else(|| default.into());
        self.show(key, Some((kind.show)(&value)), origin);
        value
    }

    /// The value of a key that may have none.
    pub fn optional<T>(&mut self, key: &'static str, kind: Kind<T>) -> Option<T> {
        self.drop_empty(key);
        let (value, origin) = self.take(key, kind.is, Raw::quoted, |raw| raw.read(&kind));
        self.show(key, value.as_ref().map(kind.show), origin);
        value
    }

    /// A value that is never shown or quoted.
    pub fn secret(&mut self, key: &'static str, kind: Kind<String>) -> Option<String> {
        self.drop_empty(key);
        let (value, origin) = self.take(key, kind.is, |_| "it".to_owned(), |raw| raw.read(&kind));
        self.show(key, value.as_ref().map(|_| quoted("(not shown)")), origin);
        value
    }

    /// One of a few words; `words` begins with the default.
    pub fn choice<T: Copy, const N: usize>(&mut self, key: &'static str, words: [(&'static str, T); N]) -> T {
        const { assert!(N > 1) };
        let default = words[0];
        let is = words.map(|(name, _)| quoted(name)).join(" or ");
        let (word, origin) = self
            .take(key, &is, Raw::quoted, |raw| words.into_iter().find(|(name, _)| raw.text() == Some(name)));
        let (name, value) = word.unwrap_or(default);
        self.show(key, Some(quoted(name)), origin);
        value
    }

    /// Something that no single value can tell.
    pub fn problem(&mut self, place: impl Into<String>, what: impl Into<String>) {
        self.problems.push(Problem { place: place.into(), what: what.into() });
    }

    /// Everything as it is used, or everything that is wrong. Whatever was not taken is not a key.
    pub fn finish(mut self) -> Result<Vec<Shown>, Problems> {
        for (name, given) in std::mem::take(&mut self.given) {
            let hint = self.nearest(&name).map(|key| format!("; did you mean {key}?")).unwrap_or_default();
            self.problem(place(&name, &given.origin), format!("there is no such key{hint}"));
        }
        for variable in std::mem::take(&mut self.doubtful) {
            if let Some(key) = self.known.iter().find(|key| self::variable(key, "_") == variable) {
                let what = format!("is not read; did you mean {}?", self::variable(key, "__"));
                self.problem(variable, what);
            }
        }
        match self.problems.is_empty() {
            true => Ok(self.shown),
            false => Err(Problems(self.problems)),
        }
    }

    /// The value and where it comes from.
    fn take<T>(
        &mut self,
        key: &'static str,
        is: &str,
        quote: fn(&Raw) -> String,
        read: impl FnOnce(&Raw) -> Option<T>,
    ) -> (Option<T>, String) {
        self.known.push(key);
        let Some(Given { raw, origin }) = self.given.remove(key) else {
            return (None, "default".to_owned());
        };
        let value = read(&raw);
        if value.is_none() {
            self.problem(place(key, &origin), format!("{} is not {is}", quote(&raw)));
        }
        (value, origin)
    }

    /// An empty variable takes the value of the file away.
    fn drop_empty(&mut self, key: &str) {
        if self
            .given
            .get(key)
            .is_some_and(|given| matches!(&given.raw, Raw::Variable(text) if text.is_empty()))
        {
            self.given.remove(key);
        }
    }

    fn show(&mut self, key: &'static str, value: Option<String>, origin: String) {
        self.shown.push(Shown { key, value, origin });
    }

    /// The key that a typing mistake, or a wrong section, meant.
    fn nearest(&self, name: &str) -> Option<&'static str> {
        let distance = |key: &str| strsim::osa_distance(key, name);
        let last = name.rsplit('.').next();
        let like = |key: &str| distance(key) <= 3 || key.rsplit('.').next() == last;
        self.known.iter().copied().filter(|key| like(key)).min_by_key(|key| distance(key))
    }
}

impl Raw {
    fn read<T>(&self, kind: &Kind<T>) -> Option<T> {
        match self {
            Raw::File(value) => (kind.toml)(value),
            Raw::Variable(text) => (kind.text)(text),
        }
    }

    fn text(&self) -> Option<&str> {
        match self {
            Raw::File(value) => value.as_str(),
            Raw::Variable(text) => Some(text),
        }
    }

    fn quoted(&self) -> String {
        match self {
            Raw::File(value) => value.to_string(),
            Raw::Variable(text) => quoted(text),
        }
    }
}

fn place(key: &str, origin: &str) -> String {
    format!("{key} ({origin})")
}

/// The name of a key as a variable.
fn variable(key: &str, separator: &str) -> String {
    format!("{PREFIX}{}", key.replace('.', separator).to_ascii_uppercase())
}
