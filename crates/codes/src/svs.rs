//! SVS value sets (IHE TF-2 §3.48): `ValueSet` with `Concept`s in one list for each language.

use xds::affinity::CodedAttribute;
use xml::Element;

use crate::{CodeFile, Collector, Error, Format, attribute_in};

const SVS: &str = "urn:ihe:iti:svs:2008";

pub fn read(name: &str, root: Element<'_>, attribute: Option<CodedAttribute>) -> Result<CodeFile, Error> {
    let mut file =
        CodeFile { format: Format::Svs, sets: Vec::new(), authorities: Vec::new(), remarks: Vec::new() };
    for element in root.children() {
        if element.namespace() != SVS || !matches!(element.name(), "ValueSet" | "DescribedValueSet") {
            file.remarks.push(format!("line {}: {} is not read", element.line(), element.name()));
            continue;
        }
        let display = element.attribute("displayName").unwrap_or_default();
        let attribute = attribute.map_or_else(|| attribute_in(&[display, name]), Ok)?;
        let mut codes = Collector::default();
        // A concept may be there once for each language.
        for concept in
            element.children_named(SVS, "ConceptList").flat_map(|list| list.children_named(SVS, "Concept"))
        {
            let required = |name: &str| {
                concept.attribute(name).filter(|value| !value.is_empty()).ok_or_else(|| Error::At {
                    line: concept.line(),
                    what: format!("Concept has no attribute {name}"),
                })
            };
            let scheme = match attribute {
                CodedAttribute::MimeType => "",
                _ => required("codeSystem")?,
            };
            codes.add(required("code")?, scheme, concept.attribute("displayName").unwrap_or_default());
        }
        file.sets.push(codes.finish(attribute, element.line(), &mut file.remarks)?);
    }
    match file.sets.is_empty() {
        true => Err(Error::At { line: root.line(), what: "there is no ValueSet".to_owned() }),
        false => Ok(file),
    }
}
