use std::borrow::Cow;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use xml::{Element, Writer};

use super::MessageError;
use crate::constants::ns::XOP;

/// Where the octets of a document are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Content<'d> {
    /// Content-ID of the part, percent-decoded, without brackets.
    Part(String),
    /// Base64 text as it stands, white space included.
    Inline(Cow<'d, str>),
}

/// What a `cid:` URL carries encoded (RFC 2392): everything but unreserved characters and `@`.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~').remove(b'@');

impl<'d> Content<'d> {
    /// Reads the content of a Document element: one `xop:Include` or base64 text, never both.
    pub(super) fn read(document: Element<'d>) -> Result<Self, MessageError> {
        let text = document.text();
        let mut children = document.children();
        match (children.next(), children.next()) {
            (None, _) => Ok(Content::Inline(text)),
            (Some(include), None) if include.is(XOP, "Include") && text.trim().is_empty() => {
                content_id(include.attribute("href").unwrap_or_default()).map(Content::Part)
            }
            _ => {
                Err(MessageError("Document holds something else than base64 text or one xop:Include".into()))
            }
        }
    }

    pub(super) fn write(&self, w: &mut Writer) {
        match self {
            Content::Inline(base64) => {
                w.text(base64);
            }
            Content::Part(content_id) => {
                let href = format!("cid:{}", utf8_percent_encode(content_id, ENCODED));
                w.empty("xop:Include", &[("xmlns:xop", XOP), ("href", &href)]);
            }
        }
    }
}

/// The Content-ID that a `cid:` URL points to. No other URL is followed.
fn content_id(href: &str) -> Result<String, MessageError> {
    let refused = || MessageError("xop:Include/@href is not a cid: URL".into());
    let (scheme, id) = href.trim().split_once(':').ok_or_else(refused)?;
    if !scheme.eq_ignore_ascii_case("cid") || id.is_empty() {
        return Err(refused());
    }
    percent_decode_str(id).decode_utf8().map(Cow::into_owned).map_err(|_| refused())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Content<'static>, MessageError> {
        let document = xml::Document::parse(text, &xml::Limits::default()).unwrap();
        Content::read(document.root()).map(|content| match content {
            Content::Part(id) => Content::Part(id),
            Content::Inline(base64) => Content::Inline(Cow::Owned(base64.into_owned())),
        })
    }

    fn include(href: &str) -> String {
        format!("<Document>\n <xop:Include xmlns:xop='{XOP}' href='{href}'/>\n</Document>")
    }

    #[test]
    fn an_include_between_white_space_names_a_part() {
        assert_eq!(read(&include("cid:a@b")), Ok(Content::Part("a@b".into())));
        assert_eq!(read(&include(" CID:a@b ")), Ok(Content::Part("a@b".into())));
    }

    #[test]
    fn a_cid_url_is_percent_decoded() {
        assert_eq!(read(&include("cid:1@urn%3Aihe%3aiti")), Ok(Content::Part("1@urn:ihe:iti".into())));
        assert!(read(&include("cid:%FF")).is_err());
    }

    #[test]
    fn no_other_url_than_cid_is_accepted() {
        for href in ["", "a@b", "cid:", "http://example.org/a", "file:///etc/passwd"] {
            assert!(read(&include(href)).is_err(), "{href}");
        }
    }

    #[test]
    fn base64_is_kept_as_it_stands() {
        assert_eq!(read("<Document>\n QUJD\nRA== </Document>"), Ok(Content::Inline("\n QUJD\nRA== ".into())));
        assert_eq!(read("<Document/>"), Ok(Content::Inline("".into())));
    }

    #[test]
    fn anything_else_in_a_document_is_refused() {
        let xop = format!("<xop:Include xmlns:xop='{XOP}' href='cid:a'/>");
        for inside in [format!("{xop}{xop}"), format!("QUJD{xop}"), "<Include href='cid:a'/>".into()] {
            assert!(read(&format!("<Document>{inside}</Document>")).is_err(), "{inside}");
        }
    }

    #[test]
    fn a_content_id_is_read_back_as_it_was_written() {
        for id in ["a@b", "50%@b", "é <a>&b", "1@urn:ihe:iti"] {
            let mut w = Writer::new();
            w.open("Document", &[]);
            Content::Part(id.to_owned()).write(&mut w);
            assert_eq!(read(&w.finish()), Ok(Content::Part(id.to_owned())));
        }
    }
}
