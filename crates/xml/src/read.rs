use std::borrow::Cow;

use uppsala::{NodeId, NodeKind, Parser, XmlError};

/// Why a text is refused. The messages name the place (line and column, counted from 1) and never quote content.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum Error {
    #[error("XML of {size} bytes is over the limit of {limit} bytes")]
    TooLarge { size: usize, limit: usize },
    #[error("the text is not valid {encoding}")]
    Encoding { encoding: &'static str },
    #[error("the encoding \"{0}\" is not supported")]
    UnknownEncoding(String),
    #[error("a document type declaration (DTD) is not allowed")]
    Dtd,
    #[error("not well-formed XML at line {line}, column {column}: {message}")]
    NotWellFormed { line: usize, column: usize, message: String },
    #[error("not well-formed XML: the text ends too early")]
    Incomplete,
}

/// What a document may cost.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Size of the text in bytes.
    pub bytes: usize,
    /// Nesting of elements.
    pub depth: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Limits { bytes: 16 << 20, depth: 100 }
    }
}

/// Turns octets into text: a byte order mark decides, then the XML declaration, then UTF-8.
///
/// The text is returned without the byte order mark. Octets that are invalid in the encoding are an error: a
/// replacement character would silently change somebody's name.
pub fn decode(octets: &[u8]) -> Result<Cow<'_, str>, Error> {
    if let Some((encoding, bom)) = encoding_rs::Encoding::for_bom(octets) {
        return decode_with(encoding, octets.get(bom..).unwrap_or_default());
    }
    match declared_encoding(octets) {
        None => decode_with(encoding_rs::UTF_8, octets),
        Some(label) => match encoding_rs::Encoding::for_label(label.as_bytes()) {
            Some(encoding) => decode_with(encoding, octets),
            None => Err(Error::UnknownEncoding(label.chars().take(40).collect())),
        },
    }
}

fn decode_with<'a>(
    encoding: &'static encoding_rs::Encoding,
    octets: &'a [u8],
) -> Result<Cow<'a, str>, Error> {
    encoding
        .decode_without_bom_handling_and_without_replacement(octets)
        .ok_or(Error::Encoding { encoding: encoding.name() })
}

/// The label in `<?xml … encoding="label"?>`, if the octets begin with an XML declaration.
fn declared_encoding(octets: &[u8]) -> Option<&str> {
    let head = octets.get(..octets.len().min(200))?;
    let end = head.windows(2).position(|w| w == b"?>")?;
    let declaration = std::str::from_utf8(head.get(..end)?).ok()?.strip_prefix("<?xml")?;
    let (_, rest) = declaration.split_once("encoding")?;
    let rest = rest.trim_start().strip_prefix('=')?.trim_start();
    let quote = rest.chars().next().filter(|c| matches!(c, '"' | '\''))?;
    rest.get(1..)?.split(quote).next()
}

/// A parsed document. Borrows its text.
pub struct Document<'a> {
    tree: uppsala::Document<'a>,
    root: NodeId,
}

impl<'a> Document<'a> {
    /// Parses `text` strictly: one root element, no DTD, no undeclared prefix, no unknown entity.
    pub fn parse(text: &'a str, limits: &Limits) -> Result<Self, Error> {
        if text.len() > limits.bytes {
            return Err(Error::TooLarge { size: text.len(), limit: limits.bytes });
        }
        let parser =
            Parser::new().with_max_depth(limits.depth).with_forbid_dtd(true).with_forbid_entities(true);
        let tree = parser.parse(text).map_err(refused)?;
        match tree.document_element() {
            Some(root) => Ok(Document { tree, root }),
            None => Err(Error::Incomplete),
        }
    }

    pub fn root(&self) -> Element<'_> {
        Element { tree: &self.tree, id: self.root }
    }
}

fn refused(error: XmlError) -> Error {
    let (message, line, column) = match error {
        XmlError::WellFormedness(e) => (e.message, e.line, e.column),
        XmlError::Namespace(e) => (e.message, e.line, e.column),
        XmlError::Parse(e) => (e.message, e.line, e.column),
        XmlError::Validation(e) => (e.message, e.line.unwrap_or(0), e.column.unwrap_or(0)),
        XmlError::XPath(e) => (e.message, 0, 0),
        XmlError::UnexpectedEof => return Error::Incomplete,
    };
    if message.to_ascii_lowercase().contains("doctype") {
        return Error::Dtd;
    }
    Error::NotWellFormed { line, column, message }
}

/// An element of a [`Document`]; cheap to copy.
#[derive(Clone, Copy)]
pub struct Element<'d> {
    tree: &'d uppsala::Document<'d>,
    id: NodeId,
}

impl<'d> Element<'d> {
    fn data(&self) -> Option<&'d uppsala::Element<'d>> {
        self.tree.element(self.id)
    }

    /// Local name, without prefix.
    pub fn name(&self) -> &'d str {
        self.data().map_or("", |e| &e.name.local_name)
    }

    /// Namespace URI; empty when the element is in no namespace.
    pub fn namespace(&self) -> &'d str {
        self.data().and_then(|e| e.name.namespace_uri.as_deref()).unwrap_or("")
    }

    pub fn is(&self, namespace: &str, name: &str) -> bool {
        self.name() == name && self.namespace() == namespace
    }

    /// The attribute `name` that is in no namespace.
    pub fn attribute(&self, name: &str) -> Option<&'d str> {
        self.attribute_ns("", name)
    }

    pub fn attribute_ns(&self, namespace: &str, name: &str) -> Option<&'d str> {
        self.data()?
            .attributes
            .iter()
            .find(|a| a.name.local_name == name && a.name.namespace_uri.as_deref().unwrap_or("") == namespace)
            .map(|a| &*a.value)
    }

    /// Child elements in document order.
    pub fn children(&self) -> impl Iterator<Item = Element<'d>> + use<'d> {
        let tree = self.tree;
        tree.children_iter(self.id)
            .filter(|id| tree.element(*id).is_some())
            .map(move |id| Element { tree, id })
    }

    pub fn children_named<'n>(
        &self,
        namespace: &'n str,
        name: &'n str,
    ) -> impl Iterator<Item = Element<'d>> + use<'d, 'n> {
        self.children().filter(move |e| e.is(namespace, name))
    }

    /// The first child element of that name.
    pub fn child(&self, namespace: &str, name: &str) -> Option<Element<'d>> {
        self.children().find(|e| e.is(namespace, name))
    }

    /// The first element reached by following `names` from child to child, all in `namespace`.
    pub fn path(&self, namespace: &str, names: &[&str]) -> Option<Element<'d>> {
        names.iter().try_fold(*self, |element, name| element.child(namespace, name))
    }

    /// The first descendant of that name in document order.
    pub fn descendant(&self, namespace: &str, name: &str) -> Option<Element<'d>> {
        self.children().find_map(|child| match child.is(namespace, name) {
            true => Some(child),
            false => child.descendant(namespace, name),
        })
    }

    /// The text directly inside this element, as it stands (white space included).
    pub fn text(&self) -> Cow<'d, str> {
        let mut pieces = self.tree.children_iter(self.id).filter_map(|id| match self.tree.node_kind(id) {
            Some(NodeKind::Text(t) | NodeKind::CData(t)) => Some(&**t),
            _ => None,
        });
        let Some(first) = pieces.next() else { return Cow::Borrowed("") };
        let Some(second) = pieces.next() else { return Cow::Borrowed(first) };
        Cow::Owned([first, second].into_iter().chain(pieces).collect())
    }

    /// The text of this element and of everything inside it.
    pub fn deep_text(&self) -> String {
        self.tree.text_content_deep(self.id)
    }

    /// Line of the start tag, counted from 1.
    pub fn line(&self) -> usize {
        self.tree.node_line(self.id)
    }

    /// The element serialised by itself, with the namespace declarations that it inherits.
    pub fn to_xml(&self) -> String {
        let mut xml = self.tree.node_to_xml(self.id);
        let Some(element) = self.data() else { return xml };
        let mut seen: Vec<&str> =
            element.namespace_declarations.iter().map(|(prefix, _)| &**prefix).collect();
        let mut inherited = String::new();
        for ancestor in self.tree.ancestors(self.id).into_iter().filter_map(|id| self.tree.element(id)) {
            for (prefix, uri) in &ancestor.namespace_declarations {
                if !seen.contains(&&**prefix) {
                    seen.push(prefix);
                    let colon = if prefix.is_empty() { "" } else { ":" };
                    inherited
                        .push_str(&format!(" xmlns{colon}{prefix}=\"{}\"", crate::escape_attribute(uri)));
                }
            }
        }
        xml.insert_str(1 + element.name.prefixed_name().len(), &inherited);
        xml
    }
}

impl std::fmt::Debug for Element<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "<{{{}}}{}> at line {}", self.namespace(), self.name(), self.line())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<(), Error> {
        Document::parse(text, &Limits::default()).map(|_| ())
    }

    #[test]
    fn what_is_not_well_formed_is_refused_with_its_place() {
        for text in [
            "",
            "<a>",
            "<a></b>",
            "<a/><b/>",
            "text<a/>",
            "<a>&unknown;</a>",
            "<a b='<'/>",
            "<a>\u{1}</a>",
            "<p:a/>",
            "<a b='1' b='2'/>",
            "<a/>text",
        ] {
            assert!(parse(text).is_err(), "{text:?} was accepted");
        }
        let error = parse("<a>\n  <b></c></a>").unwrap_err();
        assert!(matches!(error, Error::NotWellFormed { line: 2, .. }), "{error}");
    }

    #[test]
    fn a_dtd_is_refused_by_name() {
        assert_eq!(parse("<!DOCTYPE a [<!ENTITY e 'x'>]><a>&e;</a>"), Err(Error::Dtd));
        assert_eq!(parse("<!DOCTYPE a SYSTEM 'file:///etc/passwd'><a/>"), Err(Error::Dtd));
    }

    #[test]
    fn size_and_depth_are_bounded() {
        let limits = Limits { bytes: 20, depth: 3 };
        assert!(Document::parse("<a><b><c/></b></a>", &limits).is_ok());
        assert!(Document::parse("<a><b><c><d/></c></b></a>", &Limits { bytes: 100, depth: 3 }).is_err());
        assert!(matches!(
            Document::parse("<a>aaaaaaaaaaaaaaaaaaaa</a>", &limits),
            Err(Error::TooLarge { size: 27, limit: 20 })
        ));
    }

    #[test]
    fn names_are_matched_with_their_namespace() {
        let text = "<p:a xmlns:p='urn:x' xmlns='urn:y' p:k='1' k='2'><b>one<!-- c --><![CDATA[ & two]]></b><p:b/></p:a>";
        let document = Document::parse(text, &Limits::default()).unwrap();
        let root = document.root();
        assert!(root.is("urn:x", "a") && !root.is("", "a"));
        assert_eq!((root.attribute("k"), root.attribute_ns("urn:x", "k")), (Some("2"), Some("1")));
        assert_eq!(root.child("urn:y", "b").unwrap().text(), "one & two");
        assert_eq!(root.children_named("urn:x", "b").count(), 1);
        assert_eq!(root.path("urn:y", &["b"]).unwrap().line(), 1);
    }

    #[test]
    fn octets_are_decoded_by_mark_then_declaration_then_utf_8() {
        assert_eq!(decode(b"\xEF\xBB\xBF<a/>").unwrap(), "<a/>");
        assert!(decode(b"<?xml version='1.0' encoding='ISO-8859-1'?><a>\xE9</a>").unwrap().contains('é'));
        assert_eq!(decode("<a>é</a>".as_bytes()).unwrap(), "<a>é</a>");
        assert!(matches!(decode(b"<a>\xE9</a>"), Err(Error::Encoding { .. })));
        assert!(matches!(
            decode(b"<?xml version='1.0' encoding='klingon'?><a/>"),
            Err(Error::UnknownEncoding(_))
        ));
    }

    #[test]
    fn an_element_taken_out_keeps_its_namespaces() {
        let text = "<a xmlns:p='urn:x'><p:b>t</p:b></a>";
        let document = Document::parse(text, &Limits::default()).unwrap();
        let out = document.root().child("urn:x", "b").unwrap().to_xml();
        let again = Document::parse(&out, &Limits::default()).unwrap();
        assert!(again.root().is("urn:x", "b"), "{out}");
    }
}
