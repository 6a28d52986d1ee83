//! What a value must look like, in the file and in a variable.

use std::net::SocketAddr;
use std::path::PathBuf;

use toml::Value;
use tracing::level_filters::LevelFilter;

/// How values of one kind are read and shown.
pub struct Kind<T: 'static> {
    /// Completes "… is not".
    pub is: &'static str,
    /// From a variable.
    pub text: fn(&str) -> Option<T>,
    /// From the file. A number in quotes is not a number.
    pub toml: fn(&Value) -> Option<T>,
    pub show: fn(&T) -> String,
}

impl<T> Clone for Kind<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Kind<T> {}

/// A kind whose values are texts in the file.
const fn texts(
    is: &'static str,
    text: fn(&str) -> Option<String>,
    toml: fn(&Value) -> Option<String>,
) -> Kind<String> {
    Kind { is, text, toml, show: |text| quoted(text) }
}

pub const TEXT: Kind<String> = texts("a text that says something", text, |value| text(value.as_str()?));

pub const OID: Kind<String> = texts("an OID such as 1.2.250.1.213.1.4.8", oid, |value| oid(value.as_str()?));

pub const URL: Kind<String> =
    texts("a URL that begins with http:// or https://", url, |value| url(value.as_str()?));

pub const DATABASE: Kind<String> =
    texts("a URL such as postgres://user:password@host/database", database, |value| {
        database(value.as_str()?)
    });

pub const LEVEL: Kind<String> = texts(
    "a level (off, error, warn, info, debug, trace) or a list such as info,registry=debug",
    level,
    |value| level(value.as_str()?),
);

pub const FOLDER: Kind<PathBuf> = Kind {
    is: "a folder",
    text: |given| text(given).map(PathBuf::from),
    toml: |value| text(value.as_str()?).map(PathBuf::from),
    show: |folder| quoted(&folder.display().to_string()),
};

pub const FILE: Kind<PathBuf> = Kind { is: "a file", ..FOLDER };

pub const FILES: Kind<Vec<String>> = Kind {
    is: "a list of files such as [\"codes.xml\"] (in a variable: with commas between them)",
    text: |given| {
        Some(given.split(',').map(|file| file.trim().to_owned()).filter(|f| !f.is_empty()).collect())
    },
    toml: |value| value.as_array()?.iter().map(|file| text(file.as_str()?)).collect(),
    show: |files| Value::from(files.clone()).to_string(),
};

pub const ADDRESS: Kind<SocketAddr> = Kind {
    is: "an IP address with a port, such as 127.0.0.1:8080",
    text: |text| text.parse().ok(),
    toml: |value| value.as_str()?.parse().ok(),
    show: |address| quoted(&address.to_string()),
};

pub const BOOLEAN: Kind<bool> =
    Kind { is: "true or false", text: |text| text.parse().ok(), toml: Value::as_bool, show: bool::to_string };

pub const COUNT: Kind<usize> = Kind {
    is: "a number, 0 or more",
    text: |text| text.parse().ok(),
    toml: |value| value.as_integer()?.try_into().ok(),
    show: usize::to_string,
};

pub const POSITIVE: Kind<usize> = Kind {
    is: "a number, 1 or more",
    text: |text| (COUNT.text)(text).filter(|&count| count > 0),
    toml: |value| (COUNT.toml)(value).filter(|&count| count > 0),
    show: usize::to_string,
};

/// A kind of number with bounds.
const fn between<const LEAST: u32, const MOST: u32>(is: &'static str) -> Kind<u32> {
    Kind {
        is,
        text: |text| text.parse().ok().filter(|number| (LEAST..=MOST).contains(number)),
        toml: |value| value.as_integer()?.try_into().ok().filter(|number| (LEAST..=MOST).contains(number)),
        show: u32::to_string,
    }
}

/// XML trees are walked by recursion: deeper ones would not fit the stack of a thread.
pub const DEPTH: Kind<u32> = between::<1, 300>("a number from 1 to 300");

pub const YEARS: Kind<u32> = between::<1, 1000>("a number of years from 1 to 1000");

/// Not so many that the database could not count back to their beginning.
pub const HOURS: Kind<u32> = between::<1, 10_000>("a number of hours from 1 to 10000");

pub const MINUTES: Kind<u32> = between::<1, 100_000>("a number of minutes from 1 to 100000");

/// Octets.
pub const SIZE: Kind<u64> = Kind {
    is: "a size: octets, or a text such as \"32MiB\" (B, KiB, MiB, GiB)",
    text: octets,
    toml: |value| match value {
        Value::Integer(octets) => u64::try_from(*octets).ok(),
        other => octets(other.as_str()?),
    },
    show: |&size| show_octets(size),
};

const UNITS: [(&str, u64); 4] = [("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10), ("B", 1)];

fn octets(text: &str) -> Option<u64> {
    let text = text.trim();
    let unit = UNITS.iter().find_map(|(name, factor)| Some((text.strip_suffix(name)?, *factor)));
    let (digits, factor) = unit.unwrap_or((text, 1));
    digits.trim_end().parse::<u64>().ok()?.checked_mul(factor)
}

fn show_octets(size: u64) -> String {
    match UNITS.iter().find(|(_, factor)| size >= *factor && size.is_multiple_of(*factor)) {
        Some((unit, factor)) if *factor > 1 => quoted(&format!("{}{unit}", size / factor)),
        _ => size.to_string(),
    }
}

fn text(text: &str) -> Option<String> {
    (!text.trim().is_empty()).then(|| text.to_owned())
}

fn oid(text: &str) -> Option<String> {
    identity::Oid::parse(text).ok().map(|oid| oid.to_string())
}

fn url(text: &str) -> Option<String> {
    let rest = text.strip_prefix("http://").or_else(|| text.strip_prefix("https://"))?;
    let good = !rest.is_empty() && !rest.starts_with('/') && !rest.contains(char::is_whitespace);
    good.then(|| text.trim_end_matches('/').to_owned())
}

fn database(text: &str) -> Option<String> {
    text.parse::<deadpool_postgres::tokio_postgres::Config>().ok().map(|_| text.to_owned())
}

/// Each part must end in a level: a mistyped level alone would pass as the name of a module, and silence the log.
fn level(text: &str) -> Option<String> {
    let is_level = |part: &str| {
        let level = part.rsplit_once('=').map_or(part, |(_, level)| level).trim();
        !level.is_empty() && level.parse::<LevelFilter>().is_ok()
    };
    text.split(',').all(is_level).then(|| text.to_owned())
}

/// As TOML.
pub fn quoted(text: &str) -> String {
    Value::from(text).to_string()
}

/// A list in the file whose members are texts that `read` takes.
pub fn list<T>(value: &Value, read: impl Fn(&str) -> Option<T>) -> Option<Vec<T>> {
    value.as_array()?.iter().map(|member| read(member.as_str()?)).collect()
}

pub fn shown_list(members: impl Iterator<Item = String>) -> String {
    format!("[{}]", members.map(|member| quoted(&member)).collect::<Vec<_>>().join(", "))
}
