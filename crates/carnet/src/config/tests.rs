use std::path::{Path, PathBuf};

use super::keys::KEYS;
use super::*;

const DOCUMENTED: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../config/carnet.toml");

fn file(text: &str) -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("carnet.toml");
    std::fs::write(&path, text).unwrap();
    (folder, path)
}

fn load(text: &str, environment: &[(&str, &str)]) -> Result<Config, Problems> {
    let (_folder, path) = file(text);
    Config::load(Some(&path), environment.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())))
}

#[test]
fn every_problem_is_reported_at_once_and_by_name() {
    let text = "[server]\nlisten = \"nowhere\"\nlisten_on = 1\n[limits]\ninline_document = \"32MB\"\n[patients]\nunknown = \"ask\"\n[colour]\nsky = 1\n";
    let problems = load(text, &[("CARNET_SERVER__WORKERS", "many"), ("CARNET_DATA", "x")]).unwrap_err();
    let text = problems.to_string();
    for expected in [
        "server.listen in",
        "server.listen_on in",
        "did you mean server.listen?",
        "limits.inline_document in",
        "one of refuse, open",
        "colour.sky in",
        "CARNET_SERVER__WORKERS: \"many\"",
        "CARNET_DATA: ",
    ] {
        assert!(text.contains(expected), "{expected} is missing in\n{text}");
    }
    assert_eq!(problems.0.len(), 7, "{text}");
}

#[test]
fn the_environment_wins_over_the_file_and_the_file_over_the_default() {
    let text = "[server]\nlisten = \"127.0.0.1:1\"\nworkers = 3\n";
    let config = load(text, &[("CARNET_SERVER__LISTEN", "127.0.0.1:9000"), ("PATH", "/bin")]).unwrap();
    assert_eq!(config.server.listen.port(), 9000);
    assert_eq!(config.server.workers, 3);
    assert_eq!(config.limits.inline_document, 32 << 20);
    assert!(config.to_string().contains("(CARNET_SERVER__LISTEN)"));
}

#[test]
fn a_database_address_is_never_shown() {
    let config = load("[database]\nurl = \"postgres://u:SECRET@h/d\"\n", &[]).unwrap();
    assert!(!config.to_string().contains("SECRET"));
}

#[test]
fn plain_http_leaves_this_machine_only_if_somebody_says_so() {
    assert!(load("[server]\nlisten = \"127.0.0.1:0\"\n", &[]).unwrap().check_transport().is_ok());
    assert!(load("[server]\nlisten = \"[::1]:0\"\n", &[]).unwrap().check_transport().is_ok());
    let open = "[server]\nlisten = \"0.0.0.0:80\"\n";
    assert!(load(open, &[]).unwrap().check_transport().is_err());
    assert!(load(open, &[("CARNET_SERVER__ALLOW_PLAIN_HTTP", "true")]).unwrap().check_transport().is_ok());
}

#[test]
fn the_documented_file_shows_every_key_with_its_default() {
    let documented = std::fs::read_to_string(DOCUMENTED).unwrap();
    let plain = Config::load(Some(Path::new(DOCUMENTED)), std::iter::empty()).unwrap();
    let defaults = load("", &[]).unwrap();
    let values = |config: &Config| config.shown.iter().map(|(k, v, _)| (k.clone(), v.clone())).collect::<Vec<_>>();
    assert_eq!(values(&plain), values(&defaults), "config/carnet.toml differs from the defaults");
    let mut section = String::new();
    let mut shown = Vec::new();
    for line in documented.lines() {
        if let Some(name) = line.strip_prefix('[').and_then(|line| line.strip_suffix(']')) {
            section = name.to_owned();
        } else if let Some((name, _)) = line.trim_start_matches("# ").split_once(" = ")
            && name.chars().all(|c| c.is_ascii_lowercase() || c == '_')
        {
            shown.push(format!("{section}.{name}"));
        }
    }
    for key in KEYS {
        assert!(shown.iter().any(|name| name == key.name), "{} is not in config/carnet.toml", key.name);
    }
    for name in shown {
        assert!(KEYS.iter().any(|key| key.name == name), "{name} is in config/carnet.toml and not a key");
    }
}
