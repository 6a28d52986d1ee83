//! Documents that go out, and parts of an answer as files.

use std::io;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use bytes::Bytes;
use futures_util::{Stream, TryStreamExt, stream};
use tokio::fs::File;
use tokio::io::AsyncWriteExt;
use tokio_util::io::ReaderStream;
use uuid::Uuid;

use crate::meter::Meter;
use crate::{Error, Outgoing, Source};

/// Octets that are sent, or read from a file, at a time.
const CHUNK: usize = 256 << 10;

/// Octets in pieces, so that it shows when they no longer move.
pub(crate) fn pieces<E>(mut bytes: Bytes) -> impl Stream<Item = Result<Bytes, E>> {
    stream::iter(std::iter::from_fn(move || {
        let piece = bytes.split_to(bytes.len().min(CHUNK));
        (!piece.is_empty()).then_some(Ok(piece))
    }))
}

/// A document as a part of a package; its octets are counted.
pub(crate) async fn outgoing(
    content_id: &str,
    document: Outgoing,
    meter: Rc<Meter>,
) -> Result<mtom::Part, Error> {
    let mime_type = &document.mime_type;
    let count = move |bytes: &Bytes| meter.document(bytes.len());
    match document.content {
        Source::Bytes(bytes) => {
            let size = bytes.len() as u64;
            let body = pieces::<Error>(bytes).inspect_ok(count);
            Ok(mtom::Part::new(content_id, mime_type, Some(size), body))
        }
        Source::File(path) => {
            let file = File::open(&path).await.map_err(Error::file(&path))?;
            let size = file.metadata().await.map_err(Error::file(&path))?.len();
            let body = ReaderStream::with_capacity(file, CHUNK);
            let body = body.map_err(move |error| Error::file(&path)(error)).inspect_ok(count);
            Ok(mtom::Part::new(content_id, mime_type, Some(size), body))
        }
    }
}

/// Reads a whole document into memory.
pub(crate) async fn all(source: &Source) -> Result<Bytes, Error> {
    match source {
        Source::Bytes(bytes) => Ok(bytes.clone()),
        Source::File(path) => tokio::fs::read(path).await.map(Bytes::from).map_err(Error::file(path)),
    }
}

/// A file in a folder that is somebody else's, under a name that nobody has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Received {
    pub path: PathBuf,
    pub size: u64,
}

/// Writes octets into a new file.
pub(crate) async fn write(octets: &[u8], folder: &Path) -> Result<Received, Error> {
    let path = folder.join(Uuid::new_v4().to_string());
    tokio::fs::write(&path, octets).await.map_err(Error::file(&path))?;
    Ok(Received { path, size: octets.len() as u64 })
}

/// Writes each part of an answer into a file of its own.
pub(crate) struct Files<'a> {
    folder: Option<&'a Path>,
    meter: &'a Meter,
    current: Option<(File, Received)>,
}

impl<'a> Files<'a> {
    /// Without a folder no part is expected.
    pub fn new(folder: Option<&'a Path>, meter: &'a Meter) -> Self {
        Files { folder, meter, current: None }
    }
}

fn unexpected() -> Error {
    Error::answer("an attachment where none was asked for")
}

impl mtom::PartSink for Files<'_> {
    type Part = Received;
    type Error = Error;

    async fn begin(&mut self, _content_id: &str) -> Result<(), Error> {
        let path = self.folder.ok_or_else(unexpected)?.join(Uuid::new_v4().to_string());
        let file = File::create_new(&path).await.map_err(Error::file(&path))?;
        self.current = Some((file, Received { path, size: 0 }));
        Ok(())
    }

    async fn chunk(&mut self, bytes: Bytes) -> Result<(), Error> {
        let (file, received) = self.current.as_mut().ok_or_else(unexpected)?;
        file.write_all(&bytes).await.map_err(Error::file(&received.path))?;
        received.size += bytes.len() as u64;
        self.meter.document(bytes.len());
        Ok(())
    }

    async fn end(&mut self) -> Result<Received, Error> {
        let (mut file, received) = self.current.take().ok_or_else(unexpected)?;
        // Errors of writes that were still under way come out here.
        let flushed: io::Result<()> = file.flush().await;
        flushed.map_err(Error::file(&received.path))?;
        Ok(received)
    }
}
