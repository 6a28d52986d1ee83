//! Messages: segments, fields, repetitions, components (HL7 v2.3.1 chapter 2).

use std::borrow::Cow;

use crate::Charset;

/// Why octets are no message. Never quotes them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ParseError {
    #[error("a message begins with the segment MSH")]
    NoHeader,
    #[error("MSH-1 and MSH-2 must be five different punctuation characters, usually |^~\\&")]
    Separators,
    #[error("the character set of MSH-18 is not supported; use UNICODE UTF-8 or 8859/1")]
    UnknownCharset,
    #[error("the octets are not valid in the character set of MSH-18 (UNICODE UTF-8 when it is empty)")]
    Charset,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Separators {
    field: char,
    component: char,
    repetition: char,
    escape: char,
    subcomponent: char,
}

/// A message as received. Values are cut out of its text when they are asked for.
#[derive(Debug, Clone)]
pub struct Message {
    text: String,
    separators: Separators,
    charset: Charset,
}

/// A segment: its name and the text after it.
#[derive(Debug, Clone, Copy)]
pub struct Segment<'m> {
    pub name: &'m str,
    fields: &'m str,
    separators: Separators,
}

/// A field or a part of one.
#[derive(Debug, Clone, Copy)]
pub struct Value<'m> {
    text: &'m str,
    separators: Separators,
}

/// What MSH says.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Header {
    /// MSH-3.1 and MSH-4.1.
    pub sending_application: String,
    pub sending_facility: String,
    /// MSH-5.1 and MSH-6.1.
    pub receiving_application: String,
    pub receiving_facility: String,
    /// MSH-9.1, MSH-9.2.
    pub message_type: String,
    pub trigger_event: String,
    /// MSH-10.
    pub control_id: String,
    pub processing_id: String,
    pub version: String,
    pub charset: Charset,
}

impl Message {
    /// Reads a message. Segments end with a carriage return; in a message that has none, with a line feed.
    pub fn parse(octets: &[u8]) -> Result<Message, ParseError> {
        let octets = octets.trim_ascii_start();
        let separators = separators(octets)?;
        let charset = charset(octets, separators)?;
        let text = charset.decode(octets).ok_or(ParseError::Charset)?;
        Ok(Message { text, separators, charset })
    }

    /// Lines that do not begin like a segment are left out.
    pub fn segments(&self) -> impl Iterator<Item = Segment<'_>> {
        let end = if self.text.contains('\r') { '\r' } else { '\n' };
        self.text.split(end).filter_map(|line| self.segment_in(line.strip_prefix('\n').unwrap_or(line)))
    }

    /// The first segment of that name.
    pub fn segment(&self, name: &str) -> Option<Segment<'_>> {
        self.segments().find(|segment| segment.name == name)
    }

    fn segment_in<'m>(&self, line: &'m str) -> Option<Segment<'m>> {
        let (name, fields) = line.split_at_checked(3)?;
        let named = name.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit());
        let ended = fields.is_empty() || fields.starts_with(self.separators.field);
        (named && ended).then_some(Segment { name, fields, separators: self.separators })
    }

    pub fn header(&self) -> Header {
        let Some(msh) = self.segment("MSH") else { return Header::default() };
        let first = |number| msh.field(number).component(1).get().into_owned();
        let message_type = msh.field(9);
        Header {
            sending_application: first(3),
            sending_facility: first(4),
            receiving_application: first(5),
            receiving_facility: first(6),
            message_type: message_type.component(1).get().into_owned(),
            trigger_event: message_type.component(2).get().into_owned(),
            control_id: msh.field(10).get().into_owned(),
            processing_id: first(11),
            version: first(12),
            charset: self.charset,
        }
    }
}

/// From MSH-1 and MSH-2.
fn separators(octets: &[u8]) -> Result<Separators, ParseError> {
    let head = octets.strip_prefix(b"MSH").ok_or(ParseError::NoHeader)?;
    let [field, component, repetition, escape, subcomponent, rest @ ..] = head else {
        return Err(ParseError::Separators);
    };
    let all = [*field, *component, *repetition, *escape, *subcomponent];
    let different = all.iter().enumerate().all(|(n, octet)| !all.iter().skip(n + 1).any(|o| o == octet));
    // HL7 v2.7 adds a fifth character, for truncation, to MSH-2.
    let ended = match rest {
        [] => true,
        [next, ..] if next == field || next.is_ascii_whitespace() => true,
        [fifth, next, ..] => fifth.is_ascii_punctuation() && next == field,
        [_] => false,
    };
    match different && ended && all.iter().all(u8::is_ascii_punctuation) {
        true => Ok(Separators {
            field: char::from(*field),
            component: char::from(*component),
            repetition: char::from(*repetition),
            escape: char::from(*escape),
            subcomponent: char::from(*subcomponent),
        }),
        false => Err(ParseError::Separators),
    }
}

/// From the first repetition of MSH-18, which is ASCII whatever the character set.
fn charset(octets: &[u8], separators: Separators) -> Result<Charset, ParseError> {
    let header = octets.split(|octet| matches!(octet, b'\r' | b'\n')).next().unwrap_or_default();
    // MSH-1 is the separator itself, so MSH-n is piece n - 1 of the split segment.
    let field = header.split(|octet| char::from(*octet) == separators.field).nth(17).unwrap_or_default();
    let name = field.split(|octet| char::from(*octet) == separators.repetition).next().unwrap_or_default();
    let name = std::str::from_utf8(name).map_err(|_| ParseError::UnknownCharset)?;
    Charset::named(name).ok_or(ParseError::UnknownCharset)
}

impl<'m> Segment<'m> {
    /// Field `number`, counted as in the standard; empty when it is missing.
    pub fn field(&self, number: usize) -> Value<'m> {
        // What stands before the first separator is empty. MSH-1 is that separator itself.
        let index = if self.name == "MSH" { number.saturating_sub(1) } else { number };
        let text = match number {
            0 => "",
            _ => self.fields.split(self.separators.field).nth(index).unwrap_or_default(),
        };
        Value { text, separators: self.separators }
    }
}

impl<'m> Value<'m> {
    pub fn is_empty(&self) -> bool {
        self.get().is_empty()
    }

    /// The repetitions that say something.
    pub fn repetitions(&self) -> impl Iterator<Item = Value<'m>> + use<'m> {
        let separators = self.separators;
        self.text
            .split(separators.repetition)
            .map(move |text| Value { text, separators })
            .filter(|repetition| !repetition.is_empty())
    }

    /// Component `number`, counted from 1, of the first repetition.
    pub fn component(&self, number: usize) -> Value<'m> {
        let first = self.text.split(self.separators.repetition).next().unwrap_or_default();
        self.part(first, self.separators.component, number)
    }

    /// Subcomponent `number`, counted from 1.
    pub fn subcomponent(&self, number: usize) -> Value<'m> {
        self.part(self.text, self.separators.subcomponent, number)
    }

    fn part(&self, text: &'m str, separator: char, number: usize) -> Value<'m> {
        let text = text.split(separator).nth(number.saturating_sub(1)).unwrap_or_default();
        Value { text, separators: self.separators }
    }

    /// The text without its escapes. `""`, which asks to delete a value, says nothing else than an empty one here.
    pub fn get(&self) -> Cow<'m, str> {
        match self.text.trim() {
            "\"\"" => Cow::Borrowed(""),
            text => self.unescape(text),
        }
    }

    /// Escapes other than those of the separators (formatting, hexadecimal) stay as they are.
    fn unescape(&self, text: &'m str) -> Cow<'m, str> {
        let s = self.separators;
        if !text.contains(s.escape) {
            return Cow::Borrowed(text);
        }
        let mut out = String::with_capacity(text.len());
        let mut rest = text;
        while let Some((before, after)) = rest.split_once(s.escape) {
            out.push_str(before);
            let mut following = after.chars();
            let character = match (following.next(), following.next()) {
                (Some('F'), Some(end)) if end == s.escape => Some(s.field),
                (Some('S'), Some(end)) if end == s.escape => Some(s.component),
                (Some('T'), Some(end)) if end == s.escape => Some(s.subcomponent),
                (Some('R'), Some(end)) if end == s.escape => Some(s.repetition),
                (Some('E'), Some(end)) if end == s.escape => Some(s.escape),
                _ => None,
            };
            match character {
                Some(character) => {
                    out.push(character);
                    rest = following.as_str();
                }
                None => {
                    out.push(s.escape);
                    rest = after;
                }
            }
        }
        out.push_str(rest);
        Cow::Owned(out)
    }
}

#[cfg(test)]
mod tests;
