use atna::Kind;
use atna::log::{Checked, Doubt, Selection, check_export, export};

use super::*;

async fn exported(log: &Log, selection: Selection) -> String {
    let (client, beside) = (log.database.get().await.unwrap(), log.database.get().await.unwrap());
    let mut out = Vec::new();
    let keys = [signer().verifier().unwrap()];
    export(&**client, &**beside, &keys, &selection, &mut out, |_, _| ()).await.unwrap();
    String::from_utf8(out).unwrap()
}

fn check(text: &str) -> Result<Checked, Doubt> {
    check_export(text.as_bytes(), &[signer().verifier().unwrap()], |_| ())
}

#[tokio::test]
async fn an_export_is_verified_by_itself() {
    let mut log = Log::new().await;
    log.grow("2020-01-02T00:00:00Z").await;
    let all = check(&exported(&log, Selection::default()).await).unwrap();
    assert_eq!((all.events, all.blanked, all.checkpoint.size), (500, 0, 500));
    for (month, kind, events) in [
        ("2016-01-01", None, 200),
        ("2016-02-01", None, 100),
        ("2016-01-01", Some(Kind::Operation), 50),
        ("2017-01-01", None, 0),
    ] {
        let selection = Selection { month: month.parse().ok(), kind };
        assert_eq!(check(&exported(&log, selection).await).unwrap().events, events, "{month} {kind:?}");
    }
}

#[tokio::test]
async fn the_first_line_of_an_export_that_does_not_hold_is_named() {
    let log = Log::new().await;
    let text = exported(&log, Selection { month: "2016-01-01".parse().ok(), kind: Some(Kind::Access) }).await;
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines.len(), 152);
    let with = |number: usize, line: &str| {
        let mut lines = lines.clone();
        lines[number - 1] = line;
        lines.join("\n") + "\n"
    };
    let bent = |number: usize, from: &str, to: &str| {
        let line = lines[number - 1].replacen(from, to, 1);
        assert_ne!(line, lines[number - 1], "{from}");
        with(number, &line)
    };
    let without = |number: usize| [&lines[..number - 1], &lines[number..]].concat().join("\n") + "\n";
    let swapped = {
        let mut lines = lines.clone();
        lines.swap(5, 6);
        lines.join("\n") + "\n"
    };
    for (text, line, why) in [
        (bent(7, "minor-failure", "success"), 7, "not the one that the log has"),
        (bent(7, "\"salt\":\"", "\"salt\":\"AAAA"), 7, "16 octets"),
        (bent(8, "\"position\":", "\"position\":1"), 8, "not the one that the log has"),
        (bent(9, "\"proof\":[", "\"proof\":[\"AAAA\","), 9, "32 octets"),
        (bent(1, "time 20", "time 19"), 1, "signature"),
        (bent(1, "audit-export/1", "audit-export/2"), 1, "not an export"),
        (swapped, 7, "stands behind event"),
        (with(20, lines[18]), 20, "stands behind event"),
        (without(20), 151, "has 149 events and its last line tells of 150"),
        (without(152), 152, "has no last line"),
        (text.clone() + "{}\n", 153, "behind the last line"),
        (text.trim_end().to_owned(), 152, "to its end"),
        (with(3, "hello"), 3, "not what stands in this place"),
        (String::new(), 1, "not an export"),
    ] {
        let doubt = check(&text).unwrap_err();
        assert_eq!(doubt.line, line, "{doubt}");
        assert!(doubt.to_string().contains(why), "{doubt}, not: {why}");
    }
    let stranger = transparency::Signer::generate("log.example").unwrap().verifier().unwrap();
    assert_eq!(check_export(text.as_bytes(), &[stranger], |_| ()).unwrap_err().line, 1);
}

#[tokio::test]
async fn an_event_that_was_altered_is_not_exported() {
    let log = Log::new().await;
    log.execute("update audit_event set patient_id = '1' where position = 150").await;
    let (client, beside) = (log.database.get().await.unwrap(), log.database.get().await.unwrap());
    let keys = [signer().verifier().unwrap()];
    let refused =
        export(&**client, &**beside, &keys, &Selection::default(), &mut Vec::new(), |_, _| ()).await;
    assert!(matches!(refused, Err(Error::NotAsSigned(_))), "{refused:?}");
}
