//! The audit beside the transactions: its key, the signing of its log and its keeping, traces on their way to and from other nodes.

pub mod forward;
mod keeping;
mod key;
mod private;
pub mod receive;
mod signing;
mod token;

pub use keeping::keep;
pub use key::{keys, signer};
pub use signing::{Signing, Standing};
pub use token::{Right, Tokens};

use std::path::{Path, PathBuf};

use atna::log::CheckpointFile;

use crate::config::Config;

/// Where the files of the audit are, below the data folder unless the configuration says otherwise.
#[derive(Debug, Clone)]
pub struct Files {
    /// The private key (PEM), readable by its owner only. Never in the database.
    pub key: PathBuf,
    /// The public key, as a line of text, for whoever verifies.
    pub verifier: PathBuf,
    pub checkpoints: CheckpointFile,
    /// The folder of the months that went.
    pub archive: PathBuf,
    /// Tokens for the audit over HTTP, readable by their owner only.
    pub tokens: PathBuf,
}

impl Files {
    pub fn new(config: &Config, data: &Path) -> Files {
        let folder = data.join("audit");
        let key = config.audit.key.clone().unwrap_or_else(|| folder.join("key.pem"));
        let checkpoints = config.audit.checkpoints.clone().unwrap_or_else(|| folder.join("checkpoints"));
        let tokens = config.audit.http.token_file.clone().unwrap_or_else(|| folder.join("token"));
        Files {
            verifier: key.with_extension("pub"),
            key,
            checkpoints: CheckpointFile::new(checkpoints),
            archive: config.audit.archive.clone().unwrap_or_else(|| folder.join("archive")),
            tokens,
        }
    }
}
