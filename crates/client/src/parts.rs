//! Parts of an answer as files.

use std::io;
use std::path::{Path, PathBuf};

use bytes::Bytes;
use tokio::fs::File;
use tokio::io::AsyncWriteExt;
use uuid::Uuid;

use crate::Progress;

/// Writes each part into a file of its own in `folder`.
pub(crate) struct Files<'a> {
    folder: Option<&'a Path>,
    progress: Option<Progress>,
    received: u64,
    current: Option<(File, PathBuf)>,
}

impl<'a> Files<'a> {
    pub fn new(folder: Option<&'a Path>, progress: Option<Progress>) -> Self {
        Files { folder, progress, received: 0, current: None }
    }
}

#[derive(Debug, thiserror::Error)]
pub(crate) enum FilesError {
    #[error("an attachment where none was asked for")]
    Unexpected,
    #[error("an attachment cannot be written: {0}")]
    Io(#[from] io::Error),
}

impl mtom::PartSink for Files<'_> {
    type Part = PathBuf;
    type Error = FilesError;

    async fn begin(&mut self, _content_id: &str) -> Result<(), FilesError> {
        let path = self.folder.ok_or(FilesError::Unexpected)?.join(Uuid::new_v4().to_string());
        self.current = Some((File::create_new(&path).await?, path));
        Ok(())
    }

    async fn chunk(&mut self, bytes: Bytes) -> Result<(), FilesError> {
        let (file, _) = self.current.as_mut().ok_or(FilesError::Unexpected)?;
        file.write_all(&bytes).await?;
        self.received += bytes.len() as u64;
        if let Some(progress) = &self.progress {
            progress(self.received);
        }
        Ok(())
    }

    async fn end(&mut self) -> Result<PathBuf, FilesError> {
        let (mut file, path) = self.current.take().ok_or(FilesError::Unexpected)?;
        file.flush().await?;
        Ok(path)
    }
}
