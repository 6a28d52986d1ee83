use std::collections::{HashMap, HashSet};
use std::pin::pin;

use bytes::Bytes;
use futures_util::{Stream, StreamExt};
use soap::ContentType;
use soap::multipart::{Event, Parser, PartHead, TransferEncoding};
use soap::package::content_id;

use crate::base64::Decoder;

/// What one package may cost.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// The envelope.
    pub root_bytes: usize,
    /// Everything.
    pub total_bytes: u64,
    /// Parts, the envelope among them.
    pub parts: usize,
}

/// Where parts go while they stream in.
#[allow(async_fn_in_trait, reason = "requests stay on the thread that took them: no Send bound is wanted")]
pub trait PartSink {
    /// What a part has become.
    type Part;
    type Error: std::error::Error;

    /// A part begins; the one before has ended.
    async fn begin(&mut self, content_id: &str) -> Result<(), Self::Error>;
    /// Octets of the part that has begun. The next ones are read when this returns: a slow sink slows the sender.
    async fn chunk(&mut self, bytes: Bytes) -> Result<(), Self::Error>;
    async fn end(&mut self) -> Result<Self::Part, Self::Error>;
}

/// A package that was read to its end.
#[derive(Debug)]
pub struct Package<P> {
    /// The octets of the envelope.
    pub root: Vec<u8>,
    /// The charset that the envelope's Content-Type names.
    pub root_charset: Option<String>,
    /// The other parts by Content-ID.
    pub parts: HashMap<String, P>,
}

/// `S`: why the sink failed. `B`: why the body did.
#[derive(Debug, thiserror::Error)]
pub enum Error<S, B> {
    #[error(transparent)]
    Multipart(#[from] soap::multipart::Error),
    /// The named thing is over its limit.
    #[error("{0} is over the limit")]
    TooLarge(&'static str),
    #[error("the package has no part \"{0}\", which its Content-Type names as start")]
    NoRoot(String),
    #[error("two parts of the package have the Content-ID \"{0}\"")]
    Duplicate(String),
    #[error("a part of the package beside the envelope has no Content-ID")]
    NoContentId,
    #[error(
        "part \"{0}\" of the package has a Content-Transfer-Encoding other than binary, 8bit, 7bit and base64"
    )]
    Encoding(String),
    #[error("part \"{0}\" of the package is not the base64 that its Content-Transfer-Encoding promises")]
    Base64(String),
    #[error("the body could not be read: {0}")]
    Body(B),
    #[error(transparent)]
    Sink(S),
}

/// Reads a package. The parts may come in any order: the envelope is the one that `start` names, else the first.
///
/// After an error the sink may have begun a part that it never sees the end of.
pub async fn read_package<S: PartSink, E: std::fmt::Display>(
    content_type: &ContentType,
    body: impl Stream<Item = Result<Bytes, E>>,
    limits: &Limits,
    sink: &mut S,
) -> Result<Package<S::Part>, Error<S::Error, E>> {
    let mut parser = Parser::new(content_type.parameter("boundary").unwrap_or_default())?;
    let mut reader = Reader {
        start: content_type.parameter("start").map(content_id).filter(|id| !id.is_empty()),
        limits,
        sink,
        seen: HashSet::new(),
        count: 0,
        current: Current::None,
        decoder: None,
        root: None,
        root_charset: None,
        parts: HashMap::new(),
    };
    let mut body = pin!(body);
    let mut total = 0;
    while let Some(bytes) = body.next().await {
        let bytes = bytes.map_err(Error::Body)?;
        total += bytes.len() as u64;
        if total > limits.total_bytes {
            return Err(Error::TooLarge("the request"));
        }
        parser.push(&bytes);
        while let Some(event) = parser.next_event()? {
            reader.take(event).await?;
        }
    }
    parser.finish();
    while let Some(event) = parser.next_event()? {
        reader.take(event).await?;
    }
    match reader.root {
        Some(root) => Ok(Package { root, root_charset: reader.root_charset, parts: reader.parts }),
        None => Err(Error::NoRoot(reader.start.unwrap_or_default())),
    }
}

enum Current {
    None,
    Root(Vec<u8>),
    Part(String),
}

struct Reader<'a, S: PartSink> {
    start: Option<String>,
    limits: &'a Limits,
    sink: &'a mut S,
    /// Content-IDs of all parts so far, the envelope's among them.
    seen: HashSet<String>,
    count: usize,
    current: Current,
    /// When the current part is written in base64.
    decoder: Option<Decoder>,
    root: Option<Vec<u8>>,
    root_charset: Option<String>,
    parts: HashMap<String, S::Part>,
}

impl<S: PartSink> Reader<'_, S> {
    async fn take<E>(&mut self, event: Event) -> Result<(), Error<S::Error, E>> {
        match event {
            Event::Part(head) => self.begin(&head).await,
            Event::Data(data) => self.data(data).await,
            Event::EndOfPart => {
                if self.decoder.take().is_some_and(|decoder| !decoder.is_complete()) {
                    return Err(self.not_base64());
                }
                self.end().await
            }
            Event::End => Ok(()),
        }
    }

    async fn data<E>(&mut self, data: Bytes) -> Result<(), Error<S::Error, E>> {
        let data = match &mut self.decoder {
            None => data,
            Some(decoder) => decoder.decode(&data).ok_or_else(|| self.not_base64())?,
        };
        match &mut self.current {
            Current::Root(root) => {
                if root.len() + data.len() > self.limits.root_bytes {
                    return Err(Error::TooLarge("the envelope"));
                }
                root.extend_from_slice(&data);
                Ok(())
            }
            Current::Part(_) => self.sink.chunk(data).await.map_err(Error::Sink),
            Current::None => Ok(()),
        }
    }

    async fn end<E>(&mut self) -> Result<(), Error<S::Error, E>> {
        match std::mem::replace(&mut self.current, Current::None) {
            Current::Root(root) => {
                self.root = Some(root);
                Ok(())
            }
            Current::Part(id) => {
                let part = self.sink.end().await.map_err(Error::Sink)?;
                self.parts.insert(id, part);
                Ok(())
            }
            Current::None => Ok(()),
        }
    }

    fn not_base64<E>(&self) -> Error<S::Error, E> {
        Error::Base64(match &self.current {
            Current::Part(id) => id.clone(),
            Current::Root(_) | Current::None => self.start.clone().unwrap_or_default(),
        })
    }

    async fn begin<E>(&mut self, head: &PartHead) -> Result<(), Error<S::Error, E>> {
        self.count += 1;
        if self.count > self.limits.parts {
            return Err(Error::TooLarge("the number of parts"));
        }
        let id = head.content_id();
        self.decoder = match head.transfer_encoding() {
            Some(TransferEncoding::Identity) => None,
            Some(TransferEncoding::Base64) => Some(Decoder::default()),
            None => return Err(Error::Encoding(id.unwrap_or_default())),
        };
        if let Some(id) = &id
            && !self.seen.insert(id.clone())
        {
            return Err(Error::Duplicate(id.clone()));
        }
        let is_root = match &self.start {
            Some(start) => id.as_deref().is_some_and(|id| soap::package::same_part(id, start)),
            None => self.count == 1,
        };
        if is_root {
            if self.root.is_some() {
                return Err(Error::Duplicate(id.unwrap_or_default()));
            }
            let content_type = head.content_type().and_then(ContentType::parse);
            self.root_charset = content_type.and_then(|ct| ct.parameter("charset").map(str::to_owned));
            self.current = Current::Root(Vec::new());
            return Ok(());
        }
        let id = id.ok_or(Error::NoContentId)?;
        self.sink.begin(&id).await.map_err(Error::Sink)?;
        self.current = Current::Part(id);
        Ok(())
    }
}

#[cfg(test)]
mod tests;
