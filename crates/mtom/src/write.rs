use bytes::Bytes;
use futures_util::stream::{self, LocalBoxStream, Stream, StreamExt};
use soap::package::Heads;

type Failure = Box<dyn std::error::Error>;

/// A part beside the envelope.
pub struct Part {
    content_id: String,
    content_type: String,
    size: Option<u64>,
    body: LocalBoxStream<'static, Result<Bytes, Failure>>,
}

impl Part {
    /// `size`: octets of the body, if they are known before it streams.
    pub fn new<E: std::error::Error + 'static>(
        content_id: &str,
        content_type: &str,
        size: Option<u64>,
        body: impl Stream<Item = Result<Bytes, E>> + 'static,
    ) -> Self {
        let body = body.map(|bytes| bytes.map_err(|error| Box::new(error) as Failure)).boxed_local();
        Part { content_id: content_id.to_owned(), content_type: content_type.to_owned(), size, body }
    }
}

/// A package on its way out.
pub struct Package {
    heads: Heads,
    envelope: String,
    parts: Vec<Part>,
}

impl Package {
    pub fn new(envelope: String, action: &str, parts: Vec<Part>) -> Self {
        Package { heads: Heads::new(action), envelope, parts }
    }

    /// The Content-Type header of the message.
    pub fn content_type(&self) -> String {
        self.heads.content_type()
    }

    /// Octets of the whole, when every part's are known.
    pub fn size(&self) -> Option<u64> {
        let ends = (self.heads.root().len() + self.envelope.len() + self.heads.end().len()) as u64;
        self.parts.iter().try_fold(ends, |size, part| {
            let head = self.heads.part(&part.content_id, &part.content_type).len() as u64;
            Some(size + head + part.size?)
        })
    }

    /// The octets.
    pub fn into_stream(self) -> impl Stream<Item = Result<Bytes, Failure>> + 'static {
        let Package { heads, envelope, parts } = self;
        let text = |text: String| stream::iter([Ok(Bytes::from(text))]);
        let (root, end) = (heads.root(), heads.end());
        let parts = stream::iter(parts).flat_map(move |part| {
            let head = heads.part(&part.content_id, &part.content_type);
            stream::iter([Ok(Bytes::from(head))]).chain(part.body).boxed_local()
        });
        text(root + &envelope).chain(parts).chain(text(end))
    }
}
