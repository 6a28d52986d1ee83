use std::path::{Path, PathBuf};

use super::*;

const DOCUMENTED: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../config/carnet.toml");

fn file(text: &str) -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("settings.toml");
    std::fs::write(&path, text).unwrap();
    (folder, path)
}

fn load(text: &str, environment: &[(&str, &str)]) -> Result<Config, Problems> {
    let (_folder, path) = file(text);
    Config::load(
        Some(&path),
        environment.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())),
    )
}

/// The problems, one a line, without the folder of the file.
fn problems(text: &str, environment: &[(&str, &str)]) -> Vec<String> {
    let problems = load(text, environment).unwrap_err();
    let short = |place: &str| match (place.find('/'), place.rfind('/')) {
        (Some(first), Some(last)) => format!("{}{}", &place[..first], &place[last + 1..]),
        _ => place.to_owned(),
    };
    problems.0.iter().map(|problem| format!("{}: {}", short(&problem.place), problem.what)).collect()
}

#[test]
fn every_problem_is_reported_at_once_with_its_key_and_origin() {
    let text = "[server]\nlisten = \"nowhere\"\nlisten_on = 1\n[limits]\ninline_document = \"32MB\"\n\
                [patients]\nunknown = \"ask\"\n[colour]\nsky = 1\n";
    assert_eq!(
        problems(text, &[("CARNET_SERVER__WORKERS", "many"), ("CARNET_SERVER__WORKER", "1")]),
        [
            "server.listen (settings.toml): \"nowhere\" is not an IP address with a port, such as 127.0.0.1:8080",
            "server.workers (CARNET_SERVER__WORKERS): \"many\" is not a number, 0 or more",
            "patients.unknown (settings.toml): \"ask\" is not \"refuse\" or \"open\"",
            "limits.inline_document (settings.toml): \"32MB\" is not a size: octets, or a text such as \"32MiB\" \
             (B, KiB, MiB, GiB)",
            "colour.sky (settings.toml): there is no such key",
            "server.listen_on (settings.toml): there is no such key; did you mean server.listen?",
            "server.worker (CARNET_SERVER__WORKER): there is no such key; did you mean server.workers?",
        ]
    );
}

#[test]
fn a_value_of_the_wrong_type_is_a_problem() {
    for (text, expected) in [
        ("[server]\nworkers = \"3\"", "\"3\" is not a number, 0 or more"),
        ("[server]\nallow_plain_http = \"true\"", "\"true\" is not true or false"),
        ("[repository]\nunique_id = 1.2", "1.2 is not an OID such as 1.2.250.1.213.1.4.8"),
        ("[data]\ndir = [\"a\"]", "[\"a\"] is not a folder"),
        ("[log]\nformat = 1", "1 is not \"text\" or \"json\""),
    ] {
        let found = problems(text, &[]);
        assert!(found.len() == 1 && found[0].ends_with(expected), "{found:?}");
    }
}

#[test]
fn values_out_of_range_are_problems() {
    for (variable, value) in [
        ("CARNET_DATABASE__POOL", "0"),
        ("CARNET_DATABASE__POOL", "-1"),
        ("CARNET_LIMITS__XML_DEPTH", "0"),
        ("CARNET_LIMITS__XML_DEPTH", "301"),
        ("CARNET_REPOSITORY__SWEEP_HOURS", "0"),
        ("CARNET_REPOSITORY__SWEEP_HOURS", "10001"),
        ("CARNET_LIMITS__REQUEST", "99999999999GiB"),
        ("CARNET_LIMITS__REQUEST", ""),
        ("CARNET_SERVER__PUBLIC_URL", "dmp.example.org"),
        ("CARNET_CLIENT__SERVER", "http:// x"),
        ("CARNET_AUDIT__SOURCE_ID", " "),
        ("CARNET_PATIENTS__INS_AUTHORITY", "1.2.x"),
        ("CARNET_LOG__LEVEL", "infoo"),
        ("CARNET_LOG__LEVEL", "info,registry"),
    ] {
        assert_eq!(problems("", &[(variable, value)]).len(), 1, "{variable}={value}");
    }
}

#[test]
fn the_environment_wins_over_the_file_and_the_file_over_the_default() {
    let text = "[server]\nlisten = \"127.0.0.1:1\"\nworkers = 3\n";
    let config = load(text, &[("CARNET_SERVER__LISTEN", "127.0.0.1:9000"), ("PATH", "/bin")]).unwrap();
    assert_eq!(config.server.listen.port(), 9000);
    assert_eq!(config.server.workers, 3);
    assert_eq!(config.limits.inline_document, 32 << 20);
}

#[test]
fn an_empty_variable_takes_an_optional_value_away() {
    let text = "[server]\npublic_url = \"https://dmp.example.org/\"\n[database]\nurl = \"postgres://h/d\"";
    let config = load(text, &[("CARNET_DATABASE__URL", ""), ("CARNET_SERVER__PUBLIC_URL", "")]).unwrap();
    assert_eq!((config.database.url.as_deref(), config.server.public_url.as_deref()), (None, None));
    let config = load(text, &[]).unwrap();
    assert_eq!(config.database.url.as_deref(), Some("postgres://h/d"));
    assert_eq!(config.server.public_url.as_deref(), Some("https://dmp.example.org"));
}

#[test]
fn a_variable_that_lacks_an_underscore_is_a_problem_and_one_that_is_no_setting_is_not() {
    assert_eq!(
        problems("", &[("CARNET_SERVER_LISTEN", "127.0.0.1:9000")]),
        ["CARNET_SERVER_LISTEN: is not read; did you mean CARNET_SERVER__LISTEN?"]
    );
    assert!(load("", &[("CARNET_PORT", "tcp://10.0.0.1:80"), ("CARNET_CORPUS", "/x")]).is_ok());
}

#[test]
fn sizes_are_octets_or_have_a_unit() {
    for (given, octets) in
        [("1000", 1000), ("\"7\"", 7), ("\"7B\"", 7), ("\"2 KiB\"", 2048), ("\"1GiB\"", 1 << 30)]
    {
        let config = load(&format!("[limits]\nrequest = {given}"), &[]).unwrap();
        assert_eq!(config.limits.request, octets, "{given}");
    }
}

#[test]
fn a_key_outside_its_section_is_led_home() {
    assert_eq!(
        problems("pool = 3\n[clent]\nsource_id = \"1.2\"", &[]),
        [
            "clent.source_id (settings.toml): there is no such key; did you mean client.source_id?",
            "pool (settings.toml): there is no such key; did you mean database.pool?",
        ]
    );
}

#[test]
fn a_file_that_is_not_toml_is_told_by_line_without_what_it_holds() {
    assert!(
        problems("[database]\nurl = \"postgres://u:SECRET@h/d\n", &[])[0]
            .starts_with("settings.toml, line 2: ")
    );
    assert!(
        !format!("{:?}", problems("[database]\nurl = \"postgres://u:SECRET@h/d\n", &[])).contains("SECRET")
    );
}

#[test]
fn a_missing_file_is_a_problem_beside_the_others() {
    let environment = [("CARNET_SERVER__WORKERS".to_owned(), "many".to_owned())];
    let problems = Config::load(Some(Path::new("no-such-file.toml")), environment.into_iter()).unwrap_err();
    assert_eq!(problems.0.len(), 2, "{problems}");
    assert_eq!(problems.0[0].place, "no-such-file.toml");
}

#[test]
fn a_database_url_is_never_shown() {
    let config = load("[database]\nurl = \"postgres://u:SECRET@h/d\"\n", &[]).unwrap();
    assert!(config.to_string().contains("database.url = "));
    assert!(!format!("{config} {config:?}").contains("SECRET"));
    let wrong = problems("", &[("CARNET_DATABASE__URL", "postgres://u:SECRET@h:port/d")]);
    assert!(wrong.len() == 1 && !wrong[0].contains("SECRET"), "{wrong:?}");
}

#[test]
fn what_is_shown_is_a_configuration_with_origins() {
    let config = load("[limits]\nrequest = 1536\n", &[("CARNET_DATA__DIR", "/srv")]).unwrap();
    let text = config.to_string();
    let line = |start: &str| text.lines().find(|line| line.starts_with(start)).unwrap();
    assert_eq!(line("data.dir"), "data.dir = \"/srv\"  # CARNET_DATA__DIR");
    assert_eq!(line("limits.envelope"), "limits.envelope = \"16MiB\"  # default");
    assert!(line("limits.request").starts_with("limits.request = 1536  # /"));
    let (_folder, path) = file(&text);
    let again = Config::load(Some(&path), std::iter::empty()).unwrap();
    assert_eq!((again.data.dir, again.limits.request), (PathBuf::from("/srv"), 1536));
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
fn plain_mllp_leaves_this_machine_only_if_somebody_says_so() {
    assert!(load("[feed]\nmllp = \"127.0.0.1:2575\"\n", &[]).unwrap().check_transport().is_ok());
    let open = "[feed]\nmllp = \"0.0.0.0:2575\"\n";
    let refused = load(open, &[]).unwrap().check_transport().unwrap_err();
    assert!(refused.to_string().contains("feed.allow_plain_mllp"), "{refused}");
    let allowed = load(open, &[("CARNET_FEED__ALLOW_PLAIN_MLLP", "true")]).unwrap();
    assert!(allowed.check_transport().is_ok());
}

#[test]
fn senders_and_namespaces_are_lists_in_the_file_and_texts_with_commas_in_variables() {
    let text = "[feed]\nsenders = [\"ADT|HOSPITAL\", \"10.0.0.7\", \"1.2.3\"]\nnamespaces = [\"NS=1.2.4\"]\n";
    let expected = [
        Sender::Application { application: "ADT".to_owned(), facility: "HOSPITAL".to_owned() },
        Sender::Address("10.0.0.7".parse().unwrap()),
        Sender::Device("1.2.3".to_owned()),
    ];
    let from_file = load(text, &[]).unwrap();
    let variables =
        [("CARNET_FEED__SENDERS", "ADT|HOSPITAL, 10.0.0.7,1.2.3"), ("CARNET_FEED__NAMESPACES", "NS=1.2.4")];
    let from_variables = load("", &variables).unwrap();
    for config in [from_file, from_variables] {
        assert_eq!(config.feed.senders, expected);
        assert_eq!(config.feed.namespaces, [("NS".to_owned(), "1.2.4".to_owned())]);
        assert!(config.to_string().contains("feed.senders = [\"ADT|HOSPITAL\", \"10.0.0.7\", \"1.2.3\"]"));
    }
    for wrong in [
        "senders = [\"hospital\"]",
        "senders = \"10.0.0.7\"",
        "namespaces = [\"NS\"]",
        "namespaces = [\"NS=x\"]",
    ] {
        assert_eq!(problems(&format!("[feed]\n{wrong}"), &[]).len(), 1, "{wrong}");
    }
}

#[test]
fn the_domain_of_the_feed_is_that_of_the_ins_unless_another_is_named() {
    let text = "[patients]\nins_authority = \"1.2.250.1.213.1.4.10\"\n";
    assert_eq!(load(text, &[]).unwrap().feed.authority, "1.2.250.1.213.1.4.10");
    assert_eq!(load(text, &[("CARNET_FEED__AUTHORITY", "1.2.3")]).unwrap().feed.authority, "1.2.3");
}

#[test]
fn others_see_the_public_url_or_the_address_that_is_listened_on() {
    let address = "127.0.0.1:4711".parse().unwrap();
    assert_eq!(load("", &[]).unwrap().public_url(address), "http://127.0.0.1:4711");
    let config = load("", &[("CARNET_SERVER__PUBLIC_URL", "https://dmp.example.org/")]).unwrap();
    assert_eq!(config.public_url(address), "https://dmp.example.org");
}

#[test]
fn a_code_without_a_display_name_shows_itself() {
    let config = load("", &[("CARNET_CLIENT__FACILITY_CODE", "SA01")]).unwrap();
    assert_eq!(config.client.facility, Some(Code::new("SA01", "1.2.250.1.71.4.2.4", "SA01")));
    assert_eq!(config.client.practice_setting, None);
}

#[test]
fn the_documented_file_has_every_key_with_its_default() {
    let documented = Config::load(Some(Path::new(DOCUMENTED)), std::iter::empty()).unwrap();
    let defaults = load("", &[]).unwrap();
    let values = |config: &Config| config.shown.iter().map(|s| (s.key, s.value.clone())).collect::<Vec<_>>();
    assert_eq!(values(&documented), values(&defaults));
    for shown in &documented.shown {
        assert_eq!(shown.origin == "default", shown.value.is_none(), "{} is not in the file", shown.key);
    }
}

#[test]
fn the_documented_file_has_the_keys_without_a_value_as_comments() {
    let text = std::fs::read_to_string(DOCUMENTED).unwrap();
    let mut uncommented = String::new();
    for line in text.lines() {
        let key = line
            .strip_prefix("# ")
            .filter(|line| line.split_once(" = ").is_some_and(|(key, _)| !key.contains(' ')));
        uncommented.push_str(key.unwrap_or(line));
        uncommented.push('\n');
    }
    let config = load(&uncommented, &[]).unwrap();
    for shown in &config.shown {
        assert_ne!(shown.origin, "default", "{} is not in the file", shown.key);
    }
}

#[test]
fn the_sample_configuration_can_be_used() {
    let sample = concat!(env!("CARGO_MANIFEST_DIR"), "/../../config/sample.toml");
    let config = Config::load(Some(Path::new(sample)), std::iter::empty()).unwrap();
    assert_eq!(config.patients.ins_authority, "1.2.250.1.213.1.4.10");
}

#[test]
fn tls_is_whole_or_not_there() {
    assert!(load("", &[]).unwrap().tls.is_none());
    let both = "certificate and key are needed both, or neither";
    for (text, expected) in [
        ("[tls]\ncertificate = \"a.pem\"", format!("tls: {both}")),
        ("[client]\nkey = \"a.key\"", format!("client: {both}")),
        (
            "[tls]\ncertificate = \"a.pem\"\nkey = \"a.key\"\nclient_certificates = \"required\"",
            "tls.client_certificates: needs tls.certificate and tls.authorities: without them no client certificate can be \
             asked for or believed"
                .to_owned(),
        ),
    ] {
        assert_eq!(problems(text, &[]), [expected]);
    }
}

#[test]
fn with_tls_the_server_may_listen_anywhere() {
    let listen = "[server]\nlisten = \"0.0.0.0:8443\"\n";
    assert!(load(listen, &[]).unwrap().check_transport().is_err());
    let config = load(&format!("{listen}[tls]\ncertificate = \"a.pem\"\nkey = \"a.key\""), &[]).unwrap();
    assert!(config.check_transport().is_ok());
    assert_eq!(config.public_url(config.server.listen), "https://0.0.0.0:8443");
}

const CSV: &str = "code,codeSystem,displayName\n10,1.2.3,Report\n";

#[test]
fn value_sets_are_read_with_the_configuration() {
    let (folder, _) = file("");
    let path = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path.display().to_string()
    };
    let (classes, other) = (path("classCode.csv", CSV), path("other.csv", CSV));
    let text =
        format!("[affinity_domain]\ncodes = [\"{classes}\", \"typeCode={other}\"]\nprofile = \"ci-sis\"\n");
    let config = load(&text, &[]).unwrap();
    use xds::affinity::CodedAttribute::{ClassCode, FormatCode, TypeCode};
    for (attribute, code, allowed) in
        [(ClassCode, "10", true), (ClassCode, "11", false), (TypeCode, "10", true), (FormatCode, "any", true)]
    {
        assert_eq!(config.affinity_domain.allows(attribute, code, "1.2.3"), allowed, "{attribute:?} {code}");
    }
    let variable = format!("{classes}, typeCode={other}");
    let again = load("", &[("CARNET_AFFINITY_DOMAIN__CODES", &variable)]).unwrap();
    assert!(!again.affinity_domain.allows(TypeCode, "11", "1.2.3"));
}

#[test]
fn what_is_wrong_with_value_sets_is_reported_with_everything_else() {
    let (folder, _) = file("");
    let bad = folder.path().join("classCode.csv");
    std::fs::write(&bad, "code,codeSystem,displayName\n10,,x\n").unwrap();
    let text = format!(
        "[affinity_domain]\ncodes = [\"{}\", \"no-such-file.csv\", \"colour=x.csv\"]\nrestrict_authorities = true\n\
         profile = \"fr\"\n[server]\nworkers = \"many\"\n",
        bad.display()
    );
    let found = load(&text, &[]).unwrap_err().to_string();
    for expected in [
        "server.workers",
        "affinity_domain.profile",
        "classCode.csv: line 2: no codeSystem",
        "no-such-file.csv: cannot be read",
        "\"colour\" is none of the attributes",
        "affinity_domain.restrict_authorities: none of affinity_domain.codes names an AssigningAuthority",
    ] {
        assert!(found.contains(expected), "{expected} is not in {found}");
    }
}

#[test]
fn audit_record_repositories_are_listed_by_transport_host_and_port() {
    let text = "[audit]\nforward = [\"tls://ARR.example:6514\", \"udp://[::1]:514\"]";
    let from_file = load(text, &[]).unwrap();
    let variables = [("CARNET_AUDIT__FORWARD", "tls://arr.example:6514, udp://[::1]:514")];
    for config in [from_file, load("", &variables).unwrap()] {
        assert!(
            config.to_string().contains("audit.forward = [\"tls://arr.example:6514\", \"udp://[::1]:514\"]")
        );
        assert_eq!(config.audit.forward.targets[1].host, "::1");
    }
    for wrong in [
        "arr.example:6514",
        "tcp://arr.example:514",
        "tls://arr.example",
        "tls://arr.example:0",
        "tls://:6514",
        "tls://::1:6514",
        "tls://arr.example:6514/x",
        "tls://user@arr.example:6514",
        "tls://arr.example:6514, tls://ARR.example:6514",
    ] {
        assert_eq!(problems("", &[("CARNET_AUDIT__FORWARD", wrong)]).len(), 1, "{wrong}");
    }
}

#[test]
fn audit_messages_are_received_over_tls_only_with_a_certificate() {
    let receive = "[audit]\nreceive_tls = \"127.0.0.1:6514\"\n";
    assert_eq!(problems(receive, &[]), ["audit.receive_tls: needs tls.certificate and tls.key"]);
    assert!(load(&format!("{receive}[tls]\ncertificate = \"a.pem\"\nkey = \"a.key\""), &[]).is_ok());
}

#[test]
fn what_is_shown_to_repositories_is_that_of_the_server_unless_said_otherwise() {
    let tls = "[tls]\ncertificate = \"a.pem\"\nkey = \"a.key\"\nauthorities = \"all.pem\"\n";
    let identity = |text: &str| {
        let config = load(text, &[]).unwrap();
        config.audit.forward.identity(config.outgoing_identity())
    };
    let usual = identity(tls);
    assert_eq!(usual.certificate, Some(("a.pem".into(), "a.key".into())));
    let own = identity(&format!("{tls}[audit]\nforward_certificate = \"b.pem\"\nforward_key = \"b.key\""));
    assert_eq!(own.certificate, Some(("b.pem".into(), "b.key".into())));
    assert_eq!(own.authorities, Some("all.pem".into()));
    assert_eq!(problems("[audit]\nforward_key = \"b.key\"", &[]).len(), 1);
}
