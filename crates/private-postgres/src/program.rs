//! The programs of PostgreSQL and their arguments.

use std::fs;
use std::path::Path;
use std::process::Stdio;

use tokio::process::{Child, Command};

use crate::account::Account;
use crate::folder::Folders;
use crate::{Error, Options};

/// Of util-linux: steps down to the account and asks the kernel for a signal at the parent's end, both without a line of
/// unsafe code here.
const SETPRIV: &str = "setpriv";

const SETTINGS: [(&str, &str); 9] = [
    ("listen_addresses", ""),
    ("unix_socket_permissions", "0700"),
    ("shared_buffers", "128MB"),
    // Every answer that reaches the caller is durable on disk.
    ("fsync", "on"),
    ("full_page_writes", "on"),
    ("synchronous_commit", "on"),
    // Statements are short, so that compiling one costs more than it saves; and a service manager may forbid memory that is
    // both written and executed.
    ("jit", "off"),
    // A violated constraint quotes the values, a failed statement its text: neither is for a log.
    ("log_error_verbosity", "terse"),
    ("log_min_error_statement", "panic"),
];

/// Starts the server in a process group of its own, so that Ctrl-C at the terminal reaches its parent only.
pub(crate) fn server(
    binaries: &Path,
    folders: &Folders,
    account: &Account,
    options: &Options,
) -> Result<Child, Error> {
    let log = folders.open_log(account)?;
    let errors = log.try_clone().map_err(Error::io("postgres.log"))?;
    let mut command = under(account, &binaries.join("postgres"));
    command.arg("-D").arg(&folders.data);
    command.arg("-c").arg(format!("unix_socket_directories={}", folders.socket.display()));
    let chosen = options.settings.iter().map(|(name, value)| (name.as_str(), value.as_str()));
    for (name, value) in SETTINGS.into_iter().chain(chosen) {
        command.arg("-c").arg(format!("{name}={value}"));
    }
    command
        .process_group(0)
        .stdin(Stdio::null())
        .stdout(log)
        .stderr(errors)
        .spawn()
        .map_err(Error::io(SETPRIV))
}

/// Makes the data folder beside its final place and moves it there when it is complete: a start that was interrupted
/// leaves nothing that looks finished.
pub(crate) async fn initialise(binaries: &Path, folders: &Folders, account: &Account) -> Result<(), Error> {
    let unfinished = folders.data.with_file_name("cluster.new");
    if unfinished.exists() {
        fs::remove_dir_all(&unfinished).map_err(Error::io(&unfinished))?;
    }
    let output = under(account, &binaries.join("initdb"))
        .arg("-D")
        .arg(&unfinished)
        .args(["--username=carnet", "--auth=trust", "--encoding=UTF8", "--locale=C.UTF-8"])
        .args(["--data-checksums", "--no-instructions"])
        .stdin(Stdio::null())
        .output()
        .await
        .map_err(Error::io(SETPRIV))?;
    if !output.status.success() {
        let output = String::from_utf8_lossy(&output.stderr).trim().to_owned();
        return Err(Error::Program { program: "initdb", output });
    }
    folders.put_in_place(&unfinished)
}

/// A program under the account. The kernel ends it with SIGINT when the thread that starts it ends.
fn under(account: &Account, program: &Path) -> Command {
    let mut command = Command::new(SETPRIV);
    if account.step_down {
        command
            .arg(format!("--reuid={}", account.uid))
            .arg(format!("--regid={}", account.gid))
            .arg("--clear-groups");
    }
    command.arg("--pdeathsig=INT").arg("--").arg(program);
    command.current_dir("/").env_clear().env("LC_ALL", "C.UTF-8").env("TZ", "UTC");
    if let Some(path) = std::env::var_os("PATH") {
        command.env("PATH", path);
    }
    command
}
