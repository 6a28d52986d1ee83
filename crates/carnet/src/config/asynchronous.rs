//! `[asynchronous]`: answers on connections of their own, and the addresses that they may go to.

use std::time::Duration;

use actix_web::http::Uri;
use toml::Value;

use super::kind::{COUNT, Kind, POSITIVE, quoted};
use super::source::Source;

#[derive(Debug, Clone)]
pub struct Asynchronous {
    /// Empty: answers go nowhere but to the connection of their request.
    pub reply_to: Addresses,
    pub attempts: usize,
    /// After this time an answer is not tried again.
    pub age: Duration,
    /// Between the first attempt and the second; doubled each time.
    pub retry: Duration,
}

impl Asynchronous {
    pub(super) fn read(from: &mut Source) -> Asynchronous {
        let seconds = |seconds: usize| Duration::from_secs(seconds as u64);
        Asynchronous {
            reply_to: from.get("asynchronous.reply_to", ADDRESSES, Addresses::default()),
            attempts: from.get("asynchronous.attempts", POSITIVE, 20_usize),
            age: seconds(from.get("asynchronous.hours", POSITIVE, 24_usize).saturating_mul(3600)),
            retry: seconds(from.get("asynchronous.retry_seconds", COUNT, 10_usize)),
        }
    }
}

/// Addresses that answers may be sent to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Addresses(Vec<Address>);

/// Everything at or below one path of one server.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Address {
    scheme: String,
    host: String,
    /// `None`: any.
    port: Option<u16>,
    /// Without a slash at its end.
    path: String,
}

const ADDRESSES: Kind<Addresses> = Kind {
    is: "a list of URLs such as https://host.example:8443/path (with the port * for any)",
    text: |text| Addresses::parse(text.split(',').map(str::trim).filter(|text| !text.is_empty())),
    toml: |value| {
        let texts: Option<Vec<&str>> = value.as_array()?.iter().map(Value::as_str).collect();
        Addresses::parse(texts?.into_iter())
    },
    show: |addresses| {
        let texts: Vec<String> = addresses.0.iter().map(|address| quoted(&address.to_string())).collect();
        format!("[{}]", texts.join(", "))
    },
};

impl Addresses {
    fn parse<'a>(texts: impl Iterator<Item = &'a str>) -> Option<Addresses> {
        texts.map(Address::parse).collect::<Option<_>>().map(Addresses)
    }

    /// Whether an answer may be sent to this URL. It is read by the same parser that the connection is made with.
    pub fn allow(&self, url: &str) -> bool {
        let Some(wanted) = Address::parse(url) else { return false };
        let below = |prefix: &str| {
            wanted.path.strip_prefix(prefix).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        };
        wanted.port.is_some()
            && self.0.iter().any(|allowed| {
                allowed.scheme == wanted.scheme
                    && allowed.host == wanted.host
                    && (allowed.port.is_none() || allowed.port == wanted.port)
                    && below(&allowed.path)
            })
    }
}

impl Address {
    /// `None` for what is no plain URL of HTTP: with a user, a fragment, or a path that leads somewhere else than it says.
    fn parse(url: &str) -> Option<Address> {
        let (url, any_port) = match url.split_once(":*") {
            Some((start, rest)) if rest.is_empty() || rest.starts_with('/') => {
                (format!("{start}{rest}"), true)
            }
            _ => (url.to_owned(), false),
        };
        if url.contains(['#', '\\', '@']) || url.chars().any(|c| c.is_control() || c.is_whitespace()) {
            return None;
        }
        let uri: Uri = url.parse().ok()?;
        let scheme = uri.scheme_str()?.to_ascii_lowercase();
        let usual = match scheme.as_str() {
            "http" => 80,
            "https" => 443,
            _ => return None,
        };
        let path = uri.path().to_owned();
        let lower = path.to_ascii_lowercase();
        let moves = path.split('/').any(|segment| matches!(segment, "." | ".."))
            || ["%2e", "%2f", "%5c", "%00"].iter().any(|encoded| lower.contains(encoded));
        let host = uri.host().filter(|host| !host.is_empty())?.to_ascii_lowercase();
        let port = match any_port {
            true => None,
            false => Some(uri.port_u16().unwrap_or(usual)),
        };
        (!moves).then(|| Address { scheme, host, port, path: path.trim_end_matches('/').to_owned() })
    }
}

impl std::fmt::Display for Address {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let port = self.port.map_or("*".to_owned(), |port| port.to_string());
        write!(f, "{}://{}:{port}{}", self.scheme, self.host, self.path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_allowed_by_scheme_host_port_and_path_not_by_its_first_letters() {
        let allowed = (ADDRESSES.text)("https://host.example/answers, http://10.0.0.1:8080").unwrap();
        for url in [
            "https://host.example/answers",
            "https://host.example:443/answers/",
            "HTTPS://HOST.example/answers/1?x=y",
            "http://10.0.0.1:8080",
            "http://10.0.0.1:8080/anything",
        ] {
            assert!(allowed.allow(url), "{url}");
        }
        for url in [
            "http://host.example/answers",
            "https://host.example:8443/answers",
            "https://host.example.evil.example/answers",
            "https://host.example@evil.example/answers",
            "https://user:password@host.example/answers",
            "https://evil.example/https://host.example/answers",
            "https://host.example/answers-of-others",
            "https://host.example/answers/../admin",
            "https://host.example/answers/%2e%2e/admin",
            "https://host.example/answers/..%2fadmin",
            "https://host.example/answers\\..\\admin",
            "https://host.example/answers#x",
            "http://10.0.0.1/",
            "http://10.0.0.1:80801/",
            "http://10.0.0.1:*/",
            "file:///etc/passwd",
            "host.example/answers",
            "",
        ] {
            assert!(!allowed.allow(url), "{url}");
        }
        assert!(!Addresses::default().allow("https://host.example/"));
    }

    #[test]
    fn any_port_may_be_allowed() {
        let allowed = (ADDRESSES.text)("http://127.0.0.1:*/in").unwrap();
        assert!(allowed.allow("http://127.0.0.1:41000/in/1") && allowed.allow("http://127.0.0.1/in"));
        assert!(!allowed.allow("http://127.0.0.1:41000/out") && !allowed.allow("http://127.0.0.2:1/in"));
    }
}
