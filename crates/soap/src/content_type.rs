use std::fmt;

/// How a message travels (TF-2 Appendix V.8).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encoding {
    /// `application/soap+xml`: documents inside the envelope as base64.
    Simple,
    /// `multipart/related` of `application/xop+xml`: documents beside the envelope.
    Mtom,
}

/// A Content-Type header, read as tolerantly as senders write it: quotes or none, brackets unquoted, any case, folded
/// lines.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ContentType {
    media_type: String,
    parameters: Vec<(String, String)>,
}

impl ContentType {
    /// `None` when there is not even a media type.
    pub fn parse(text: &str) -> Option<ContentType> {
        let mut pieces = split_outside_quotes(text).into_iter();
        let media_type = pieces.next()?.trim().to_ascii_lowercase();
        media_type.split_once('/').filter(|(kind, subtype)| !kind.is_empty() && !subtype.is_empty())?;
        let parameters = pieces
            .filter_map(|piece| {
                let (name, value) = piece.split_once('=')?;
                Some((name.trim().to_ascii_lowercase(), unquote(value.trim())))
            })
            .collect();
        Some(ContentType { media_type, parameters })
    }

    /// In lower case.
    pub fn media_type(&self) -> &str {
        &self.media_type
    }

    pub fn parameter(&self, name: &str) -> Option<&str> {
        self.parameters.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// `None` when this is not SOAP. `text/xml` announces SOAP 1.1: it is taken in, so that its sender gets a fault that
    /// says so, and an envelope of SOAP 1.2 under that name is read.
    pub fn encoding(&self) -> Option<Encoding> {
        match self.media_type.as_str() {
            "application/soap+xml" | "text/xml" | "application/xml" => Some(Encoding::Simple),
            "multipart/related" => Some(Encoding::Mtom),
            _ => None,
        }
    }
}

/// Pieces between semicolons that are not inside quotes.
fn split_outside_quotes(text: &str) -> Vec<&str> {
    let mut pieces = Vec::new();
    let (mut start, mut quoted, mut escaped) = (0, false, false);
    for (position, character) in text.char_indices() {
        match character {
            _ if escaped => escaped = false,
            '\\' if quoted => escaped = true,
            '"' => quoted = !quoted,
            ';' if !quoted => {
                pieces.extend(text.get(start..position));
                start = position + 1;
            }
            _ => {}
        }
    }
    pieces.extend(text.get(start..));
    pieces
}

/// What stands after the closing quote is dropped.
fn unquote(value: &str) -> String {
    let Some(inner) = value.strip_prefix('"') else { return value.to_owned() };
    let mut text = String::new();
    let mut characters = inner.chars();
    while let Some(character) = characters.next() {
        match character {
            '\\' => text.extend(characters.next()),
            '"' => break,
            other => text.push(other),
        }
    }
    text
}

impl fmt::Display for ContentType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.media_type)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_are_read_however_they_are_written() {
        let quoted = "multipart/related; boundary=\"uuid:1;2+id=3\"; type=\"application/xop+xml\"; start=\"<root@x>\"; start-info=\"application/soap+xml\"";
        let ct = ContentType::parse(quoted).unwrap();
        assert_eq!(ct.media_type(), "multipart/related");
        assert_eq!(ct.parameter("boundary"), Some("uuid:1;2+id=3"));
        assert_eq!(ct.parameter("start"), Some("<root@x>"));
        let bare = "Multipart/Related;BOUNDARY=MIMEBoundary_05;\r\n  type=application/xop+xml; start=<0.1@apache.org>";
        let ct = ContentType::parse(bare).unwrap();
        assert_eq!(
            (ct.parameter("boundary"), ct.parameter("start")),
            (Some("MIMEBoundary_05"), Some("<0.1@apache.org>"))
        );
        assert_eq!(
            ContentType::parse("a/b; x=\"say \\\"hi\\\"\" (odd); y=1").unwrap().parameter("x"),
            Some("say \"hi\"")
        );
    }

    #[test]
    fn what_is_not_soap_has_no_encoding() {
        let encoding = |text| ContentType::parse(text).and_then(|ct| ct.encoding());
        assert_eq!(encoding("application/soap+xml; action=\"urn:x\""), Some(Encoding::Simple));
        assert_eq!(encoding("multipart/related; boundary=x"), Some(Encoding::Mtom));
        for text in ["", "nonsense", "application/json", "multipart/form-data; boundary=x"] {
            assert_eq!(encoding(text), None, "{text}");
        }
    }
}
