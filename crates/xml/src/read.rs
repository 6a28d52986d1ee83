use std::borrow::Cow;

use roxmltree::Node;

use crate::budget;

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
    #[error("elements are nested deeper than {limit}")]
    TooDeep { limit: u32 },
    #[error("the text is made of too many too small elements, attributes or namespaces")]
    TooDense,
}

/// What a document may cost.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Size of the text in bytes.
    pub bytes: usize,
    /// Nesting of elements.
    pub depth: u32,
    /// Memory that a text may take beside what its size allows: clinical documents have tables of many small cells.
    pub dense: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Limits { bytes: 16 << 20, depth: 100, dense: 1 << 19 }
    }
}

/// Turns octets into text: a byte order mark decides, then what the octets themselves show, then the XML declaration,
/// then UTF-8.
pub fn decode(octets: &[u8]) -> Result<Cow<'_, str>, Error> {
    decode_as(octets, None)
}

/// The same for octets that came with a `charset`, which counts where nothing in the octets says more. (RFC 7303 §3.2
/// lets it go before the XML declaration; but senders write that beside the octets, and the charset elsewhere.)
///
/// The text is returned without the byte order mark. Octets that are invalid in the encoding are an error: a
/// replacement character would silently change somebody's name.
pub fn decode_as<'a>(octets: &'a [u8], charset: Option<&str>) -> Result<Cow<'a, str>, Error> {
    if let Some((encoding, bom)) = encoding_rs::Encoding::for_bom(octets) {
        return decode_with(encoding, octets.get(bom..).unwrap_or_default());
    }
    match octets {
        [b'<', 0, ..] => return decode_with(encoding_rs::UTF_16LE, octets),
        [0, b'<', ..] => return decode_with(encoding_rs::UTF_16BE, octets),
        _ => {}
    }
    match declared_encoding(octets).or(charset) {
        None => decode_with(encoding_rs::UTF_8, octets),
        // These octets are not UTF-16. Programs that write into a string first and into UTF-8 afterwards say so.
        Some(label) if label.to_ascii_lowercase().starts_with("utf-16") => {
            decode_with(encoding_rs::UTF_8, octets)
        }
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
    tree: roxmltree::Document<'a>,
}

impl<'a> Document<'a> {
    /// Parses `text` strictly: one root element, no DTD, no undeclared prefix, no unknown entity.
    ///
    /// The tree takes at most nine times the memory of the text, and half a MiB: what would take more is refused.
    pub fn parse(text: &'a str, limits: &Limits) -> Result<Self, Error> {
        if text.len() > limits.bytes {
            return Err(Error::TooLarge { size: text.len(), limit: limits.bytes });
        }
        budget::check(text, limits)?;
        let tree = roxmltree::Document::parse(text).map_err(|error| refused(text, &error))?;
        Ok(Document { tree })
    }

    pub fn root(&self) -> Element<'_> {
        Element { node: self.tree.root_element() }
    }
}

fn refused(text: &str, error: &roxmltree::Error) -> Error {
    use roxmltree::Error::*;
    let message = match error {
        DtdDetected => return Error::Dtd,
        NoRootNode | UnclosedRootNode | UnexpectedEndOfStream => return Error::Incomplete,
        InvalidXmlPrefixUri(_)
        | UnexpectedXmlUri(_)
        | UnexpectedXmlnsUri(_)
        | InvalidElementNamePrefix(_) => "a prefix of XML itself is declared or used wrongly",
        DuplicatedNamespace(..) => "a namespace prefix is declared twice",
        UnknownNamespace(..) => "a namespace prefix is not declared",
        UnexpectedCloseTag(..) | UnexpectedEntityCloseTag(_) => "an end tag is not that of the open element",
        UnknownEntityReference(..) | EntityReferenceLoop(_) | EntityResolver(..) => {
            "an entity is referred to that XML does not define"
        }
        MalformedEntityReference(_) => "an ampersand does not begin a reference",
        InvalidAttributeValue(_) => "a \"<\" stands in an attribute",
        DuplicatedAttribute(..) => "an attribute stands there twice",
        UnexpectedDeclaration(_) => "an XML declaration is not at the beginning",
        InvalidName(_) => "a name is not a name of XML",
        NonXmlChar(..) => "a character is not allowed in XML",
        InvalidComment(_) => "a comment contains two hyphens",
        InvalidCharacterData(_) => "\"]]>\" stands in text",
        UnknownToken(_) => "this cannot stand here",
        NodesLimitReached | AttributesLimitReached | NamespacesLimitReached => return Error::TooDense,
        _ => "another character is expected here",
    };
    let at = error.pos();
    // The parser gives row 1, column 1 where it knows no better; the end of the text is more likely.
    match (at.row, at.col, text.is_empty()) {
        (_, _, true) => Error::Incomplete,
        (line, column, false) => {
            Error::NotWellFormed { line: line as usize, column: column as usize, message: message.to_owned() }
        }
    }
}

/// An element of a [`Document`]; cheap to copy.
#[derive(Clone, Copy)]
pub struct Element<'d> {
    node: Node<'d, 'd>,
}

impl<'d> Element<'d> {
    /// Local name, without prefix.
    pub fn name(&self) -> &'d str {
        self.node.tag_name().name()
    }

    /// Namespace URI; empty when the element is in no namespace.
    pub fn namespace(&self) -> &'d str {
        self.node.tag_name().namespace().unwrap_or_default()
    }

    pub fn is(&self, namespace: &str, name: &str) -> bool {
        self.name() == name && self.namespace() == namespace
    }

    /// The attribute `name` that is in no namespace.
    pub fn attribute(&self, name: &str) -> Option<&'d str> {
        self.attribute_ns("", name)
    }

    pub fn attribute_ns(&self, namespace: &str, name: &str) -> Option<&'d str> {
        self.node
            .attributes()
            .find(|a| a.name() == name && a.namespace().unwrap_or_default() == namespace)
            .map(|a| a.value())
    }

    /// Child elements in document order.
    pub fn children(&self) -> impl Iterator<Item = Element<'d>> + use<'d> {
        self.node.children().filter(Node::is_element).map(|node| Element { node })
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
        let found = |node: &Node<'d, 'd>| node.is_element() && Element { node: *node }.is(namespace, name);
        self.node.descendants().skip(1).find(found).map(|node| Element { node })
    }

    /// The text directly inside this element, as it stands (white space included).
    pub fn text(&self) -> Cow<'d, str> {
        let mut pieces = self.node.children().filter(Node::is_text).filter_map(|node| node.text());
        let Some(first) = pieces.next() else { return Cow::Borrowed("") };
        let Some(second) = pieces.next() else { return Cow::Borrowed(first) };
        Cow::Owned([first, second].into_iter().chain(pieces).collect())
    }

    /// The text of this element and of everything inside it.
    pub fn deep_text(&self) -> String {
        self.node.descendants().filter(Node::is_text).filter_map(|node| node.text()).collect()
    }

    /// Line of the start tag, counted from 1.
    pub fn line(&self) -> usize {
        self.node.document().text_pos_at(self.node.range().start).row as usize
    }

    /// The element as it stands in the text, with the namespace declarations that it inherits.
    pub fn to_xml(&self) -> String {
        let source = self.node.document().input_text().get(self.node.range()).unwrap_or_default();
        // "<" and the name.
        let name =
            source.find(|c: char| c.is_ascii_whitespace() || matches!(c, '/' | '>')).unwrap_or(source.len());
        let (start, rest) = source.split_at(name);
        let declared = budget::declared_prefixes(rest);
        let inherited: String = self
            .node
            .namespaces()
            .filter(|namespace| namespace.name() != Some("xml"))
            .filter(|namespace| !declared.contains(&namespace.name().unwrap_or_default()))
            .map(|namespace| {
                let colon = if namespace.name().is_some() { ":" } else { "" };
                let (prefix, uri) = (namespace.name().unwrap_or_default(), namespace.uri());
                format!(" xmlns{colon}{prefix}=\"{}\"", crate::escape_attribute(uri))
            })
            .collect();
        [start, &inherited, rest].concat()
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
        let limits = Limits { bytes: 20, depth: 3, ..Limits::default() };
        assert!(Document::parse("<a><b><c/></b></a>", &limits).is_ok());
        assert!(matches!(
            Document::parse("<a><b><c><d/></c></b></a>", &Limits { bytes: 100, ..limits }),
            Err(Error::TooDeep { limit: 3 })
        ));
        assert!(matches!(
            Document::parse("<a>aaaaaaaaaaaaaaaaaaaa</a>", &limits),
            Err(Error::TooLarge { size: 27, limit: 20 })
        ));
    }

    #[test]
    fn small_pieces_in_great_numbers_are_refused_before_a_tree_is_made() {
        let unit = ["<a/>", "a<b/>", "<a b=''/>", "==========", "<a xmlns='b'/>", "<![CDATA[<<<<<<<<]]>"];
        let nested: String = (0..90).map(|n| format!("<a xmlns:p{n}='u'>")).collect();
        let declared: String = (0..2000).map(|n| format!(" xmlns:p{n}='u'")).collect();
        let wide = format!("<r{declared}>{}</r>", "<a xmlns='b'/>".repeat(10_000));
        for text in unit.map(|unit| format!("<r>{}</r>", unit.repeat(100_000))).into_iter().chain([wide]) {
            assert_eq!(parse(&text), Err(Error::TooDense), "{}", &text[..40]);
        }
        assert_eq!(parse(&(nested + &"</a>".repeat(90))), Ok(()));
    }

    #[test]
    fn a_document_of_many_small_cells_is_read_where_that_is_expected() {
        let table = format!("<table>{}</table>", "<tr><td>1</td><td>2</td></tr>".repeat(50_000));
        assert_eq!(parse(&table), Err(Error::TooDense));
        let limits = Limits { dense: 32 << 20, ..Limits::default() };
        assert!(Document::parse(&table, &limits).is_ok());
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
    fn octets_in_utf_16_show_what_they_are() {
        let utf_16 = |text: &str| text.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<u8>>();
        assert!(decode(&utf_16("<?xml version='1.0' encoding='UTF-16LE'?><a>é</a>")).unwrap().contains('é'));
        let big_endian: Vec<u8> = "<a>é</a>".encode_utf16().flat_map(u16::to_be_bytes).collect();
        assert_eq!(decode(&big_endian).unwrap(), "<a>é</a>");
        let only_said = "<?xml version='1.0' encoding='utf-16'?><a>é</a>";
        assert_eq!(decode(only_said.as_bytes()).unwrap(), only_said);
    }

    #[test]
    fn a_charset_counts_where_the_octets_say_nothing() {
        assert_eq!(decode_as(b"<a>\xE9</a>", Some("ISO-8859-1")).unwrap(), "<a>é</a>");
        assert_eq!(decode_as(b"\xEF\xBB\xBF<a>\xC3\xA9</a>", Some("ISO-8859-1")).unwrap(), "<a>é</a>");
        let declared = "<?xml version='1.0' encoding='UTF-8'?><a>é</a>";
        assert_eq!(decode_as(declared.as_bytes(), Some("ISO-8859-1")).unwrap(), declared);
        let unknown = b"<?xml version='1.0' encoding='klingon'?><a/>";
        assert!(matches!(decode_as(unknown, Some("UTF-8")), Err(Error::UnknownEncoding(_))));
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
