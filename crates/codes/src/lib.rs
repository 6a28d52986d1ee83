//! Value sets as people have them: the codes.xml of IHE test events, SVS value sets in XML, CSV of national value sets.
//!
//! [`CodeFile::read`] tells one from the other by their content. Pure: whoever calls brings the octets.

mod csv_file;
mod ihe;
mod svs;

use xds::affinity::CodedAttribute;

const XML_LIMITS: xml::Limits = xml::Limits { bytes: 64 << 20, depth: 30, dense: 1 << 19 };

/// Why a file is no code file. The line is that of the file, where it is known.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    #[error("line {line}: {what}")]
    At { line: usize, what: String },
    #[error("{0}")]
    Whole(String),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// `<Codes>` of IHE test events.
    Ihe,
    /// `RetrieveValueSetResponse` (IHE SVS).
    Svs,
    /// `code,codeSystem,displayName`.
    Csv,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Code {
    pub code: String,
    /// Empty for media types.
    pub scheme: String,
    pub display: String,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ValueSet {
    pub attribute: CodedAttribute,
    /// In the order of the file, each once.
    pub codes: Vec<Code>,
}

/// What a file was understood to say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CodeFile {
    pub format: Format,
    pub sets: Vec<ValueSet>,
    /// OIDs of assigning authorities.
    pub authorities: Vec<String>,
    /// What was ignored, and why.
    pub remarks: Vec<String>,
}

impl CodeFile {
    /// `name` is the file's; `attribute` says what its value set is for, when name and content do not.
    pub fn read(name: &str, octets: &[u8], attribute: Option<CodedAttribute>) -> Result<CodeFile, Error> {
        let text = xml::decode(octets).map_err(whole)?;
        if !text.trim_start().starts_with('<') {
            return csv_file::read(name, &text, attribute);
        }
        let document = xml::Document::parse(&text, &XML_LIMITS).map_err(whole)?;
        let root = document.root();
        match root.name() {
            "Codes" => ihe::read(root, attribute),
            "RetrieveValueSetResponse" | "RetrieveMultipleValueSetsResponse" => {
                svs::read(name, root, attribute)
            }
            other => Err(Error::At {
                line: root.line(),
                what: format!("{other} is neither Codes (IHE) nor RetrieveValueSetResponse (SVS)"),
            }),
        }
    }
}

fn whole(error: impl std::fmt::Display) -> Error {
    Error::Whole(error.to_string())
}

/// `classCode=file.csv` or `file.csv`: what it is for, if that is said, and where it is.
pub fn entry(text: &str) -> Result<(Option<CodedAttribute>, &str), Error> {
    match text.split_once('=') {
        None => Ok((None, text)),
        Some((name, file)) => match CodedAttribute::from_name(name.trim()) {
            Some(attribute) => Ok((Some(attribute), file.trim())),
            None => Err(Error::Whole(format!("\"{name}\" is none of the attributes {}", names()))),
        },
    }
}

fn names() -> String {
    CodedAttribute::ALL.map(CodedAttribute::name).join(", ")
}

/// The attribute whose name stands in the name of a file or value set, such as JDV_J57_ClassCode_DMP.
fn attribute_in(names: &[&str]) -> Result<CodedAttribute, Error> {
    let lower = |attribute: CodedAttribute| attribute.name().to_ascii_lowercase();
    for name in names {
        let name = name.to_ascii_lowercase();
        let found: Vec<CodedAttribute> =
            CodedAttribute::ALL.into_iter().filter(|attribute| name.contains(&lower(*attribute))).collect();
        // contentTypeCode holds the name of typeCode.
        let longest = found.iter().copied().max_by_key(|attribute| lower(*attribute).len());
        if let Some(longest) = longest {
            if found.iter().all(|attribute| lower(longest).contains(&lower(*attribute))) {
                return Ok(longest);
            }
            break;
        }
    }
    Err(Error::Whole(format!(
        "its name does not say which attribute it is for; write attribute=file with one of {}",
        self::names()
    )))
}

/// Collects the codes of one set, each pair of code and scheme once.
#[derive(Default)]
struct Collector {
    codes: Vec<Code>,
    seen: std::collections::BTreeSet<(String, String)>,
    repeated: usize,
}

impl Collector {
    fn add(&mut self, code: &str, scheme: &str, display: &str) {
        if self.seen.insert((code.to_owned(), scheme.to_owned())) {
            let (code, scheme, display) = (code.to_owned(), scheme.to_owned(), display.to_owned());
            self.codes.push(Code { code, scheme, display });
        } else {
            self.repeated += 1;
        }
    }

    fn finish(
        self,
        attribute: CodedAttribute,
        line: usize,
        remarks: &mut Vec<String>,
    ) -> Result<ValueSet, Error> {
        if self.codes.is_empty() {
            return Err(Error::At { line, what: format!("there is no code for {}", attribute.name()) });
        }
        if self.repeated > 0 {
            remarks.push(format!("{}: {} repeated, counted once", attribute.name(), self.repeated));
        }
        Ok(ValueSet { attribute, codes: self.codes })
    }
}

#[cfg(test)]
mod tests;
