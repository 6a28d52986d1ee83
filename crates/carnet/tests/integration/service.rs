//! The units of systemd name what there is, and take from the service what it does not need.

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

/// What the units take away: a key of systemd, what it is set to, and what it is for.
const HARDENING: [(&str, &[&str], &str); 19] = [
    ("User", &["carnet"], "it is not root"),
    ("UMask", &["0077"], "nobody else reads its files"),
    ("ProtectSystem", &["strict"], "it writes nowhere but in its own folders"),
    ("ProtectHome", &["yes"], "it does not see the files of people"),
    ("PrivateDevices", &["yes"], "it reaches no disk and no other device past the file system"),
    ("ProtectKernelTunables", &["yes"], "it does not change settings of the kernel"),
    ("ProtectKernelModules", &["yes"], "it loads no code into the kernel"),
    ("ProtectKernelLogs", &["yes"], "it does not read what the kernel tells"),
    ("ProtectControlGroups", &["yes"], "it does not give itself more of the machine"),
    ("NoNewPrivileges", &["yes"], "no program that it starts is more than it is"),
    ("CapabilityBoundingSet", &[""], "it can get no right of root"),
    ("RestrictAddressFamilies", &["AF_UNIX AF_INET AF_INET6"], "it speaks by IP and local sockets alone"),
    ("RestrictNamespaces", &["yes"], "it builds no container, through which kernels are attacked"),
    ("RestrictRealtime", &["yes"], "it does not keep the processors from others"),
    ("RestrictSUIDSGID", &["yes"], "it leaves no program behind that runs as somebody else"),
    ("LockPersonality", &["yes"], "it does not turn to old ways of running programs"),
    ("MemoryDenyWriteExecute", &["yes"], "what it was sent does not become code"),
    ("SystemCallArchitectures", &["native"], "calls of other architectures do not get around the filter"),
    ("SystemCallErrorNumber", &["EPERM"], "a call that is filtered fails, and does not kill PostgreSQL"),
];
/// The server is there all the time and listens: more is taken from it than from the backup.
const HARDENING_OF_THE_SERVER: [(&str, &[&str], &str); 7] = [
    ("StateDirectoryMode", &["0700"], "nobody else enters its folder"),
    ("PrivateTmp", &["yes"], "it shares no temporary files"),
    ("ProtectProc", &["invisible"], "it does not see the processes of others"),
    ("ProcSubset", &["pid"], "it does not read about the machine"),
    ("ProtectHostname", &["yes"], "it does not rename the machine"),
    ("AmbientCapabilities", &[""], "it is given no right of root"),
    ("KeyringMode", &["private"], "it does not find the keys of others"),
];
/// Of 100; both are below, and each line that goes makes it more.
const EXPOSURE: &str = "--threshold=21";

#[test]
fn the_units_take_from_the_service_what_it_does_not_need() {
    for name in SERVICES {
        let unit = unit(name);
        let is_server = name == "carnet.service";
        let of_the_server = HARDENING_OF_THE_SERVER.iter().filter(|_| is_server);
        for (key, expected, why) in HARDENING.iter().chain(of_the_server) {
            assert_eq!(values(&unit, key), *expected, "{name}: {key}, so that {why}");
        }
        // What services of any kind need, without what changes the machine, but for what PostgreSQL and the clock need.
        let filters = values(&unit, "SystemCallFilter");
        let expected = ["@system-service", "~@privileged", "capset", "adjtimex clock_adjtime"];
        assert_eq!(filters, expected[..if is_server { 4 } else { 3 }], "{name}");
        let folders = values(&unit, "ReadWritePaths");
        let expected: &[&str] = if is_server { &[] } else { &["/var/lib/carnet /var/backups/carnet"] };
        assert_eq!(folders, expected, "{name}");
    }
}

/// By systemd itself, where it is on the machine: that it understands every line, and how much is left open.
#[test]
fn systemd_understands_the_units_and_finds_little_left_open() {
    if Command::new("systemd-analyze").arg("--version").output().is_err() {
        return;
    }
    let folder = test_support::folder();
    let analyze = |arguments: &[&str], name: &str| {
        let mut command = Command::new("systemd-analyze");
        let output = command.args(arguments).arg(folder.path().join(name)).output().unwrap();
        (
            output.status.success(),
            String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned(),
        )
    };
    let all = SERVICES.iter().chain(&["carnet-backup.timer"]);
    for name in all.clone() {
        // The program is where the tests are, not where it is installed.
        let unit = unit(name).replace("/usr/local/bin/carnet", env!("CARGO_BIN_EXE_carnet"));
        std::fs::write(folder.path().join(name), unit).unwrap();
    }
    for name in all {
        let (is_good, said) = analyze(&["verify", "--man=no"], name);
        // A key that it does not know is told, and no failure. Other units of the machine are not ours.
        assert!(is_good && !said.contains(name), "{said}");
    }
    for name in SERVICES {
        let (is_good, said) = analyze(&["security", "--offline=true", "--no-pager", EXPOSURE], name);
        assert!(is_good, "{said}");
    }
}
