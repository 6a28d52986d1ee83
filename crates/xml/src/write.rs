use std::borrow::Cow;

use quick_xml::escape::escape;

/// Writes XML into a string. Elements are closed in the order in which they were opened; names are written as
/// given, so the caller decides about prefixes.
///
/// ```
/// let mut w = xml::Writer::new();
/// w.open("a", &[("k", "1 < 2")]).element("b", &[], "R&D").close();
/// assert_eq!(w.finish(), r#"<a k="1 &lt; 2"><b>R&amp;D</b></a>"#);
/// ```
#[derive(Default)]
pub struct Writer {
    out: String,
    open: Vec<Cow<'static, str>>,
}

impl Writer {
    pub fn new() -> Self {
        Self::default()
    }

    /// A start tag, to be ended by [`Writer::close`].
    pub fn open(&mut self, name: &'static str, attributes: &[(&str, &str)]) -> &mut Self {
        self.tag(name, attributes, ">");
        self.open.push(Cow::Borrowed(name));
        self
    }

    pub fn close(&mut self) -> &mut Self {
        if let Some(name) = self.open.pop() {
            self.out.push_str("</");
            self.out.push_str(&name);
            self.out.push('>');
        }
        self
    }

    /// An element without content.
    pub fn empty(&mut self, name: &str, attributes: &[(&str, &str)]) -> &mut Self {
        self.tag(name, attributes, "/>");
        self
    }

    /// An element that holds only text.
    pub fn element(&mut self, name: &'static str, attributes: &[(&str, &str)], text: &str) -> &mut Self {
        self.open(name, attributes).text(text).close()
    }

    pub fn text(&mut self, text: &str) -> &mut Self {
        self.out.push_str(&escape_text(text));
        self
    }

    /// XML that is already written: copied as it is.
    pub fn raw(&mut self, xml: &str) -> &mut Self {
        self.out.push_str(xml);
        self
    }

    /// Closes what is still open and returns the text.
    pub fn finish(mut self) -> String {
        while !self.open.is_empty() {
            self.close();
        }
        self.out
    }

    fn tag(&mut self, name: &str, attributes: &[(&str, &str)], end: &str) {
        self.out.push('<');
        self.out.push_str(name);
        for (key, value) in attributes {
            self.out.push(' ');
            self.out.push_str(key);
            self.out.push_str("=\"");
            self.out.push_str(&escape_attribute(value));
            self.out.push('"');
        }
        self.out.push_str(end);
    }
}

/// Escapes text content. A carriage return is written as a reference, since a parser would turn it into a line feed.
pub fn escape_text(text: &str) -> Cow<'_, str> {
    match text.contains('\r') {
        false => escape(text),
        true => Cow::Owned(escape(text).replace('\r', "&#13;")),
    }
}

/// Escapes an attribute value so that a parser gives back exactly `value`: line ends and tabs, which attribute
/// normalisation would turn into spaces, are written as references.
pub fn escape_attribute(value: &str) -> Cow<'_, str> {
    match value.contains(['\n', '\r', '\t']) {
        false => escape(value),
        true => Cow::Owned(escape(value).replace('\n', "&#10;").replace('\r', "&#13;").replace('\t', "&#9;")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Document, Limits};

    #[test]
    fn what_is_written_is_read_back_unchanged() {
        let nasty = "a<b>&\"'\n\tc\r\nd é ]]>";
        let mut w = Writer::new();
        w.open("a", &[("k", nasty)]).element("t", &[], nasty);
        let text = w.finish();
        let document = Document::parse(&text, &Limits::default()).unwrap();
        assert_eq!(document.root().attribute("k"), Some(nasty), "{text}");
        assert_eq!(document.root().child("", "t").unwrap().text(), nasty, "{text}");
    }
}
