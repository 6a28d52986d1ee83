//! `carnet backup` and `carnet restore`.

use std::cell::Cell;
use std::path::PathBuf;

use anyhow::bail;
use indicatif::ProgressBar;

use super::{bar, note, say};
use crate::backup::{self, Made, Restored};
use crate::config::Config;
use crate::installation::Installation;

#[derive(clap::Args)]
#[command(
    after_help = "The folder is made at the first time; later only new documents are copied. Servers may run meanwhile. The configuration \
                  is not part of a backup."
)]
pub struct Make {
    /// The folder of the backup, of this installation alone.
    dir: PathBuf,
    /// Copy the private key of the log of traces too. Whoever has it can sign another log: protect the folder like the key.
    #[arg(long)]
    with_key: bool,
}

#[derive(clap::Args)]
#[command(
    after_help = "Into an empty installation only. A restore that was cut off is finished by the same command."
)]
pub struct Restore {
    /// The folder of the backup.
    dir: PathBuf,
}

pub async fn make(config: &Config, arguments: &Make) -> anyhow::Result<()> {
    let installation = Installation::administer(config).await?;
    let bar = Bar::new();
    let show = |what, done, whole| bar.show(what, done, whole);
    let made = backup::make(config, &installation, &arguments.dir, arguments.with_key, &show).await;
    bar.end();
    installation.close().await?;
    let Made { documents, octets, copied, lost, removed } = made?;
    say(format!(
        "The backup in {} is complete: the database and {documents} documents ({octets} octets), of which {copied} are new.",
        arguments.dir.display()
    ));
    if removed > 0 {
        say(format!("The octets of {removed} removed documents went from it."));
    }
    if !arguments.with_key {
        note(
            "the private key of the log of traces is not in the backup (--with-key): keep a copy of it elsewhere, a restore needs it",
        );
    }
    match lost.len() {
        0 => Ok(()),
        count => bail!(
            "{count} documents are missing or damaged in the document store and not in the backup; carnet fsck names them"
        ),
    }
}

pub async fn restore(config: &Config, arguments: &Restore) -> anyhow::Result<()> {
    let bar = Bar::new();
    let restored =
        backup::restore(config, &arguments.dir, &|what, done, whole| bar.show(what, done, whole)).await;
    bar.end();
    let Restored { made_at, documents, lost, record } = restored?;
    say(format!(
        "The backup of {} is restored: the database and {documents} documents.",
        made_at.format("%Y-%m-%d %H:%M:%S UTC")
    ));
    say(format!("The log of traces goes on from {} events, and says that it was restored.", record.size));
    say("Check it with carnet fsck before the server starts.");
    for key in &lost {
        note(&format!(
            "the octets of {key} are missing or damaged in {}",
            arguments.dir.join("documents").display()
        ));
    }
    match lost.len() {
        0 => Ok(()),
        count => bail!(
            "the backup does not have the octets of {count} documents as they were; everything else is restored, and carnet \
             fsck tells which documents they are"
        ),
    }
}

/// A bar that knows what is going on; hidden when standard error is no terminal.
struct Bar {
    bar: ProgressBar,
    what: Cell<&'static str>,
}

impl Bar {
    fn new() -> Bar {
        let bar = bar(0, "{msg:24} {bar:30} {human_pos} of {human_len}, {elapsed}");
        Bar { bar, what: Cell::new("") }
    }

    fn show(&self, what: &'static str, done: u64, whole: u64) {
        if self.what.replace(what) != what {
            self.bar.set_message(what);
        }
        // Where nobody knows how much it will be, the bar is full all the time.
        self.bar.set_length(whole.max(done));
        self.bar.set_position(done);
    }

    fn end(&self) {
        self.bar.finish_and_clear();
    }
}
