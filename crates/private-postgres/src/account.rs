//! The account that the server runs under.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use nix::unistd::{User, geteuid};

use crate::Error;

#[derive(Debug, Clone)]
pub(crate) struct Account {
    pub name: String,
    pub uid: u32,
    pub gid: u32,
    /// This process is root and must step down to it.
    pub step_down: bool,
}

impl Account {
    pub fn choose() -> Result<Account, Error> {
        let me = geteuid();
        if !me.is_root() {
            let name = match User::from_uid(me) {
                Ok(Some(user)) => user.name,
                _ => me.to_string(),
            };
            let gid = nix::unistd::getegid().as_raw();
            return Ok(Account { name, uid: me.as_raw(), gid, step_down: false });
        }
        ["postgres", "nobody"]
            .into_iter()
            .find_map(|name| User::from_name(name).ok().flatten())
            .map(|user| Account {
                name: user.name,
                uid: user.uid.as_raw(),
                gid: user.gid.as_raw(),
                step_down: true,
            })
            .ok_or(Error::NoAccount)
    }

    /// Whether the account may enter every folder on the way to `path` that exists.
    pub fn can_reach(&self, path: &Path) -> bool {
        path.ancestors().skip(1).all(|folder| match fs::metadata(folder) {
            Ok(metadata) => {
                let bit = match (metadata.uid() == self.uid, metadata.gid() == self.gid) {
                    (true, _) => 0o100,
                    (false, true) => 0o010,
                    (false, false) => 0o001,
                };
                metadata.mode() & bit != 0
            }
            // What is not there yet will be made by this process, open to the account.
            Err(_) => true,
        })
    }
}

/// Whether the account that PostgreSQL would run under can reach a data folder inside `folder`.
pub fn account_can_reach(folder: &Path) -> bool {
    match Account::choose() {
        Ok(account) => !account.step_down || account.can_reach(&folder.join("postgres")),
        Err(_) => true,
    }
}
