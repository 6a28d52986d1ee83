//! The heads of an MTOM package (TF-2 Appendix V.9.3): what stands before, between and after its parts.

use percent_encoding::percent_decode_str;
use uuid::Uuid;

/// Content-ID of the envelope in packages that we write.
const ROOT: &str = "envelope@carnet";

/// The strings of one package.
#[derive(Debug, Clone)]
pub struct Heads {
    boundary: String,
    action: String,
}

impl Heads {
    /// The boundary is random, so no content can hold it but by a guess of 122 bits.
    pub fn new(action: &str) -> Self {
        Heads { boundary: format!("carnet-{}", Uuid::new_v4().simple()), action: action.to_owned() }
    }

    /// The Content-Type header. Older peers fail without `start-info`.
    pub fn content_type(&self) -> String {
        format!(
            "multipart/related; boundary=\"{}\"; type=\"application/xop+xml\"; start=\"<{ROOT}>\"; \
             start-info=\"application/soap+xml\"; action=\"{}\"",
            self.boundary, self.action
        )
    }

    /// Before the envelope.
    pub fn root(&self) -> String {
        self.head(ROOT, "application/xop+xml; charset=UTF-8; type=\"application/soap+xml\"", true)
    }

    /// Before a further part.
    pub fn part(&self, content_id: &str, content_type: &str) -> String {
        self.head(content_id, content_type, false)
    }

    /// After the last part.
    pub fn end(&self) -> String {
        format!("\r\n--{}--\r\n", self.boundary)
    }

    fn head(&self, content_id: &str, content_type: &str, first: bool) -> String {
        let line_end = if first { "" } else { "\r\n" };
        // A media type that comes from metadata must not become a header of its own.
        let content_type: String = content_type.chars().filter(|c| !c.is_control()).collect();
        format!(
            "{line_end}--{}\r\nContent-Type: {content_type}\r\nContent-Transfer-Encoding: binary\r\n\
             Content-ID: <{content_id}>\r\n\r\n",
            self.boundary
        )
    }
}

/// A Content-ID header, or a `start` parameter: with or without brackets.
pub fn content_id(text: &str) -> String {
    let text = text.trim();
    text.strip_prefix('<').and_then(|text| text.strip_suffix('>')).unwrap_or(text).trim().to_owned()
}

/// Whether a Content-ID and the decoded text of a `cid:` URL name the same part: some senders percent-encode the header
/// as well.
pub fn same_part(header: &str, decoded: &str) -> bool {
    header == decoded || percent_decode_str(header).decode_utf8().is_ok_and(|header| header == decoded)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_content_id_is_the_same_with_and_without_brackets() {
        assert_eq!(content_id(" <a@b> "), "a@b");
        assert_eq!(content_id("a@b"), "a@b");
        assert!(same_part("a%40b", "a@b") && same_part("a@b", "a@b") && !same_part("a", "b"));
    }

    #[test]
    fn a_media_type_cannot_smuggle_a_header_in() {
        let head = Heads::new("urn:x").part("1@carnet", "text/xml\r\nX-Evil: 1");
        assert!(!head.contains("\nX-Evil"), "{head}");
    }
}
