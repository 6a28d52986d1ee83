//! The units of systemd name what there is.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");
const SERVICES: [&str; 2] = ["carnet.service", "carnet-backup.service"];

fn unit(name: &str) -> String {
    std::fs::read_to_string(Path::new(ROOT).join("packaging/systemd").join(name)).unwrap()
}

/// The values of a key, in order.
fn values<'u>(unit: &'u str, key: &str) -> Vec<&'u str> {
    unit.lines().filter_map(|line| line.strip_prefix(key)?.strip_prefix('=')).collect()
}

/// Whether `carnet` takes these arguments, which it is asked to explain and not to follow.
fn is_understood(arguments: &[&str]) -> bool {
    let mut command = Command::new(env!("CARGO_BIN_EXE_carnet"));
    command.args(arguments).arg("--help").output().unwrap().status.success()
}

#[test]
fn the_commands_of_the_units_are_commands_of_carnet() {
    for name in SERVICES {
        let unit = unit(name);
        let commands = values(&unit, "ExecStart");
        assert_eq!(commands.len(), 1, "{name}");
        let words: Vec<&str> = commands[0].split(' ').collect();
        assert!(words.len() > 1, "{name}");
        assert!(is_understood(&words[1..]), "{name}: {words:?}");
    }
    assert!(!is_understood(&["serve", "--configuration", "x"]), "what there is not is noticed");
    assert!(!is_understood(&["server"]));
}

#[test]
fn the_paths_of_the_units_are_those_of_the_page_for_operators() {
    let page = std::fs::read_to_string(Path::new(ROOT).join("docs/operating.md")).unwrap();
    let mut paths = vec!["packaging/systemd".to_owned()];
    for name in SERVICES {
        let unit = unit(name);
        let keys = ["ExecStart", "WorkingDirectory", "ReadWritePaths"];
        let words = keys.iter().flat_map(|key| values(&unit, key)).flat_map(|value| value.split(' '));
        paths.extend(words.filter(|word| word.starts_with('/')).map(str::to_owned));
        paths.extend(values(&unit, "StateDirectory").iter().map(|name| format!("/var/lib/{name}")));
        assert_eq!(values(&unit, "User"), ["carnet"]);
        let file = Path::new(name).file_stem().unwrap().to_str().unwrap();
        assert!(page.contains(file), "{name} is not explained");
    }
    assert!(paths.len() > 6, "{paths:?}");
    for path in paths {
        assert!(page.contains(&path), "{path} is not in docs/operating.md");
    }
}

#[test]
fn the_server_is_given_the_time_that_it_takes_to_stop() {
    let unit = unit("carnet.service");
    let [limit] = values(&unit, "TimeoutStopSec")[..] else { panic!("{unit}") };
    let limit = Duration::from_secs(60 * limit.strip_suffix("min").unwrap().parse::<u64>().unwrap());
    let database = database::Options::default();
    let postgres = private_postgres::Options::new("/var/lib/carnet/postgres".into());
    // HTTP, MLLP, letters and the signing of the log one after the other; receivers and forwarders of traces; the last trace.
    let longest = 4 * Duration::from_secs(carnet::serve::SHUTDOWN_SECONDS)
        + 2 * Duration::from_secs(10)
        + database.wait
        + database.statement_timeout
        + postgres.stop_timeout;
    assert!(longest < limit, "{longest:?} is longer than {limit:?}");
}

#[test]
fn the_unit_waits_for_the_word_that_the_server_gives() {
    assert_eq!(values(&unit("carnet.service"), "Type"), ["notify"]);
    assert_eq!(values(&unit("carnet.service"), "KillMode"), ["mixed"], "PostgreSQL is stopped by the server");
}
