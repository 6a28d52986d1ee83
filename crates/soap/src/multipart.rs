//! A push parser for `multipart/related` bodies (RFC 2046 §5.1): octets in, events out, no I/O and no waiting.
//!
//! It takes what senders of XDS.b are known to write and stricter parsers refuse: folded header lines, white space after
//! a boundary, parts without headers, line feeds alone, a preamble, no line end at the very end. Memory is bounded by the
//! largest chunk pushed plus one head.

use bytes::{Buf, Bytes, BytesMut};
use memchr::memmem;

/// The headers of one part, together.
const LONGEST_HEAD: usize = 16 << 10;
const LONGEST_BOUNDARY: usize = 200;
/// White space after a boundary.
const LONGEST_PADDING: usize = 256;

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    Part(PartHead),
    Data(Bytes),
    EndOfPart,
    /// The closing boundary. What follows is ignored.
    End,
}

/// The headers of a part; names in lower case, folded lines joined.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PartHead {
    headers: Vec<(String, String)>,
}

/// How the octets of a part are written (RFC 2045 §6).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TransferEncoding {
    Identity,
    Base64,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Error {
    /// A boundary has 1 to 70 printable characters (RFC 2046 §5.1.1); senders' longer ones are taken up to 200.
    Boundary,
    HeadTooLong,
    /// Ended before its closing boundary.
    Incomplete,
}

impl std::error::Error for Error {}

impl std::fmt::Display for Error {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Error::Boundary => "the boundary of the multipart body is missing, too long or not printable",
            Error::HeadTooLong => "the headers of a part of the multipart body are too long",
            Error::Incomplete => "the multipart body ends before its closing boundary",
        })
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// Before the first boundary, or inside a part.
    Content {
        in_part: bool,
    },
    Head,
    End,
}

/// What stands where a boundary may be.
enum Delimiter {
    /// A boundary; the head of the next part begins after so many octets.
    Next(usize),
    /// The closing boundary.
    Last,
    /// Content that only begins like one.
    No,
    Undecided,
}

pub struct Parser {
    /// Line feed, two hyphens, boundary.
    delimiter: Vec<u8>,
    buffer: BytesMut,
    state: State,
    /// A boundary was seen and the end of the part before it is still to be told.
    pending: Option<State>,
    /// The line feed that ends the head is still in the buffer: the boundary of an empty part may need it.
    after_head: bool,
    /// No more octets will come.
    finished: bool,
}

impl Parser {
    pub fn new(boundary: &str) -> Result<Parser, Error> {
        if boundary.is_empty() || boundary.len() > LONGEST_BOUNDARY || boundary.contains(char::is_control) {
            return Err(Error::Boundary);
        }
        let delimiter = [b"\n--", boundary.as_bytes()].concat();
        // The first boundary need not follow a line end: then this one stands in.
        let buffer = BytesMut::from(&b"\n"[..]);
        let state = State::Content { in_part: false };
        Ok(Parser { delimiter, buffer, state, pending: None, after_head: false, finished: false })
    }

    pub fn push(&mut self, octets: &[u8]) {
        if self.state != State::End {
            self.buffer.extend_from_slice(octets);
        }
    }

    /// To be called when there are no more octets; [`Parser::next_event`] then gives what is left.
    pub fn finish(&mut self) {
        // The closing boundary may be a line without an end.
        self.push(b"\r\n");
        self.finished = true;
    }

    /// The next event; `None` when more octets are needed, or after the end.
    pub fn next_event(&mut self) -> Result<Option<Event>, Error> {
        match self.advance()? {
            None if self.finished && self.state != State::End => Err(Error::Incomplete),
            event => Ok(event),
        }
    }

    fn advance(&mut self) -> Result<Option<Event>, Error> {
        loop {
            if let Some(state) = self.pending.take() {
                self.state = state;
                if state == State::End {
                    self.buffer.clear();
                    return Ok(Some(Event::End));
                }
            }
            match self.state {
                State::End => return Ok(None),
                State::Head => return self.head(),
                State::Content { in_part } => match self.content(in_part) {
                    Some(event) => return Ok(Some(event)),
                    None if self.pending.is_some() => {}
                    None => return Ok(None),
                },
            }
        }
    }

    fn content(&mut self, in_part: bool) -> Option<Event> {
        if self.after_head {
            let possible = self.buffer.len().min(self.delimiter.len());
            let begins_like_one = self.buffer.get(..possible) == self.delimiter.get(..possible);
            let delimiter = match (begins_like_one, possible < self.delimiter.len()) {
                (false, _) => Delimiter::No,
                (true, true) => Delimiter::Undecided,
                (true, false) => self.delimiter_at(possible),
            };
            match delimiter {
                Delimiter::Undecided => return None,
                Delimiter::No => self.buffer.advance(1),
                Delimiter::Next(_) | Delimiter::Last => {}
            }
            self.after_head = false;
        }
        let mut from = 0;
        loop {
            let tail = self.buffer.get(from..).unwrap_or_default();
            let Some(found) = memmem::find(tail, &self.delimiter) else {
                // What could be the beginning of a boundary, and the carriage return before it, stay.
                let keep = self.delimiter.len() + 1;
                let ready = self.buffer.len().saturating_sub(keep);
                return self.emit(ready, in_part);
            };
            let position = from + found;
            match self.delimiter_at(position + self.delimiter.len()) {
                Delimiter::No => from = position + 1,
                Delimiter::Undecided => {
                    let ready = position.saturating_sub(1);
                    return self.emit(ready, in_part);
                }
                delimiter => {
                    let before = self.buffer.get(..position).unwrap_or_default();
                    let end = if before.last() == Some(&b'\r') { position - 1 } else { position };
                    if in_part && end > 0 {
                        return self.emit(end, in_part);
                    }
                    let (consumed, state) = match delimiter {
                        Delimiter::Next(start) => (start, State::Head),
                        _ => (self.buffer.len(), State::End),
                    };
                    self.buffer.advance(consumed);
                    self.pending = Some(state);
                    return in_part.then_some(Event::EndOfPart);
                }
            }
        }
    }

    /// Looks at what follows the text of a boundary that ends at `position`. A boundary fills its line: content may hold
    /// lines that only begin like one.
    fn delimiter_at(&self, position: usize) -> Delimiter {
        let after = self.buffer.get(position..).unwrap_or_default();
        let (closing, padding) = match after {
            [] | [b'-'] => return Delimiter::Undecided,
            [b'-', b'-', padding @ ..] => (true, padding),
            padding => (false, padding),
        };
        let length = padding.iter().take_while(|byte| matches!(byte, b' ' | b'\t' | b'\r')).count();
        match padding.get(length) {
            Some(b'\n') if closing => Delimiter::Last,
            Some(b'\n') => Delimiter::Next(position + length + 1),
            None if length <= LONGEST_PADDING => Delimiter::Undecided,
            _ => Delimiter::No,
        }
    }

    /// The first `length` octets as data, if this is a part and there are any.
    fn emit(&mut self, length: usize, in_part: bool) -> Option<Event> {
        if length == 0 {
            return None;
        }
        let data = self.buffer.split_to(length).freeze();
        in_part.then_some(Event::Data(data))
    }

    fn head(&mut self) -> Result<Option<Event>, Error> {
        let Some((length, end)) = end_of_head(&self.buffer) else {
            return match self.buffer.len() > LONGEST_HEAD {
                true => Err(Error::HeadTooLong),
                false => Ok(None),
            };
        };
        if length > LONGEST_HEAD {
            return Err(Error::HeadTooLong);
        }
        let text = String::from_utf8_lossy(self.buffer.get(..length).unwrap_or_default()).into_owned();
        self.buffer.advance(end - 1);
        self.after_head = true;
        self.state = State::Content { in_part: true };
        Ok(Some(Event::Part(PartHead::parse(&text))))
    }
}

/// The length of the head without its blank line, and where the content begins.
fn end_of_head(buffer: &[u8]) -> Option<(usize, usize)> {
    let mut start = 0;
    loop {
        let line_feed = start + memchr::memchr(b'\n', buffer.get(start..)?)?;
        if matches!(buffer.get(start..line_feed)?, [] | [b'\r']) {
            return Some((start, line_feed + 1));
        }
        start = line_feed + 1;
    }
}

impl PartHead {
    fn parse(text: &str) -> PartHead {
        let mut headers: Vec<(String, String)> = Vec::new();
        for line in text.lines() {
            match (line.starts_with([' ', '\t']), headers.last_mut()) {
                (true, Some((_, value))) => {
                    value.push(' ');
                    value.push_str(line.trim());
                }
                _ => {
                    if let Some((name, value)) = line.split_once(':') {
                        headers.push((name.trim().to_ascii_lowercase(), value.trim().to_owned()));
                    }
                }
            }
        }
        PartHead { headers }
    }

    fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// Without brackets.
    pub fn content_id(&self) -> Option<String> {
        self.header("content-id").map(crate::package::content_id).filter(|id| !id.is_empty())
    }

    pub fn content_type(&self) -> Option<&str> {
        self.header("content-type")
    }

    /// `None` for one that is not read.
    pub fn transfer_encoding(&self) -> Option<TransferEncoding> {
        let encoding = self.header("content-transfer-encoding").unwrap_or("binary").to_ascii_lowercase();
        match encoding.as_str() {
            "binary" | "8bit" | "7bit" => Some(TransferEncoding::Identity),
            "base64" => Some(TransferEncoding::Base64),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests;
