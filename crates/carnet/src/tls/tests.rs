use test_support::certificates::{NOW, Node};

use super::*;
use crate::config::ClientCertificates;

#[test]
fn files_that_cannot_be_used_leave_the_old_ones_in_place() {
    let folder = tempfile::tempdir().unwrap();
    let authority = Node::authority("authority");
    let (authorities, _) = authority.write(folder.path(), "authority");
    let (certificate, key) = authority.issue("first", NOW).write(folder.path(), "server");
    let settings = config::Tls {
        certificate,
        key,
        authorities: Some(authorities.clone()),
        client_certificates: ClientCertificates::Required,
    };
    let (tls, _reasons) = Tls::load(&settings, true).unwrap();
    let first = tls.context();
    let other_key = authority.issue("second", NOW);
    let good = std::fs::read(&settings.key).unwrap();
    std::fs::write(&settings.key, other_key.key.private_key_to_pem_pkcs8().unwrap()).unwrap();
    let mismatch = format!("{:#}", tls.reload().unwrap_err());
    assert!(mismatch.contains("tls.key"), "{mismatch}");
    std::fs::write(&settings.key, good).unwrap();
    std::fs::write(&authorities, "nothing").unwrap();
    let nobody = format!("{:#}", tls.reload().unwrap_err());
    assert!(nobody.contains("holds no certificate"), "{nobody}");
    std::fs::remove_file(&authorities).unwrap();
    assert!(tls.reload().is_err());
    assert!(Arc::ptr_eq(&first, &tls.context()));
    authority.write(folder.path(), "authority");
    other_key.write(folder.path(), "server");
    tls.reload().unwrap();
    assert!(!Arc::ptr_eq(&first, &tls.context()));
}
