//! The key that signs checkpoints (Ed25519). It is made at the first start.

use std::fs;
use std::io::ErrorKind;
use std::path::Path;

use anyhow::{Context, bail};
use transparency::{Signer, Verifier};

use super::{Files, private};

/// The key of this installation, made now if there is none.
pub fn signer(files: &Files) -> anyhow::Result<Signer> {
    let path = &files.key;
    let pem = match fs::read(path) {
        Ok(pem) => pem,
        Err(error) if error.kind() == ErrorKind::NotFound => {
            make(path).with_context(|| format!("{}: the audit key cannot be made", path.display()))?
        }
        Err(error) => {
            return Err(error).with_context(|| format!("{}: the audit key cannot be read", path.display()));
        }
    };
    if !private::is_private(path)? {
        bail!(
            "{}: the audit key can be read by others than its owner: chmod 600 {0}, and if others had access, begin with a \
             new key",
            path.display()
        );
    }
    let signer = named(&pem).with_context(|| format!("{} is not an Ed25519 key in PEM", path.display()))?;
    let verifier = signer.verifier()?.to_string() + "\n";
    if fs::read(&files.verifier).ok().as_deref() != Some(verifier.as_bytes()) {
        fs::write(&files.verifier, verifier)
            .with_context(|| format!("{} cannot be written", files.verifier.display()))?;
    }
    Ok(signer)
}

/// The keys that are believed in a verification: those in a file, one a line, or this installation's.
pub fn keys(files: &Files, file: Option<&Path>) -> anyhow::Result<Vec<Verifier>> {
    let path = file.unwrap_or(&files.verifier);
    let text = fs::read_to_string(path)
        .with_context(|| format!("{}: the public key of the audit log cannot be read", path.display()))?;
    let keys = text.lines().filter(|line| !line.trim().is_empty()).map(|line| line.trim().parse());
    let keys = keys.collect::<Result<Vec<Verifier>, _>>();
    keys.with_context(|| format!("{} is not a list of public keys of audit logs", path.display()))
}

fn make(path: &Path) -> anyhow::Result<Vec<u8>> {
    let pem = Signer::generate("carnet")?.to_pem()?;
    private::create(path, &pem)?;
    Ok(pem)
}

/// A log has the name of its key, which tells apart the logs of all installations.
fn named(pem: &[u8]) -> anyhow::Result<Signer> {
    let id = Signer::from_pem("carnet", pem)?.verifier()?.id();
    Ok(Signer::from_pem(&format!("carnet-{id:08x}"), pem)?)
}

#[cfg(test)]
mod tests {
    use atna::log::CheckpointFile;

    use super::*;

    fn files(folder: &Path) -> Files {
        let checkpoints = CheckpointFile::new(folder.join("checkpoints"));
        Files {
            key: folder.join("audit/key.pem"),
            verifier: folder.join("audit/key.pub"),
            checkpoints,
            archive: folder.join("audit/archive"),
            tokens: folder.join("audit/token"),
        }
    }

    #[test]
    fn a_key_is_made_once_for_its_owner_only() {
        let folder = test_support::folder();
        let files = files(folder.path());
        let verifier = signer(&files).unwrap().verifier().unwrap().to_string();
        assert!(private::is_private(&files.key).unwrap());
        assert_eq!(signer(&files).unwrap().verifier().unwrap().to_string(), verifier);
        assert_eq!(keys(&files, None).unwrap()[0].to_string(), verifier);
    }

    #[test]
    fn a_key_that_others_can_read_is_refused() {
        let folder = test_support::folder();
        let files = files(folder.path());
        signer(&files).unwrap();
        fs::set_permissions(&files.key, std::os::unix::fs::PermissionsExt::from_mode(0o644)).unwrap();
        assert!(signer(&files).unwrap_err().to_string().contains("chmod 600"));
    }
}
