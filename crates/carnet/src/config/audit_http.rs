//! The audit over HTTP, in `[audit]`.

use std::path::PathBuf;

use super::kind::{BOOLEAN, FILE, POSITIVE};
use super::source::Source;

#[derive(Debug, Clone)]
pub struct AuditHttp {
    /// Whether there are these doors at all.
    pub enabled: bool,
    /// The file of tokens; absent: in the data folder.
    pub token_file: Option<PathBuf>,
    /// Events in one answer.
    pub events: usize,
    /// Events that are looked at for one answer.
    pub examined: usize,
    /// Entries of a batch.
    pub batch: usize,
}

impl AuditHttp {
    pub(super) fn read(from: &mut Source) -> AuditHttp {
        AuditHttp {
            enabled: from.get("audit.http", BOOLEAN, true),
            token_file: from.optional("audit.token_file", FILE),
            events: from.get("audit.http_events", POSITIVE, 200_usize),
            examined: from.get("audit.http_examined", POSITIVE, 10_000_usize),
            batch: from.get("audit.http_batch", POSITIVE, 1000_usize),
        }
    }
}
