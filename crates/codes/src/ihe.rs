//! `<Codes>` of IHE test events.

use xds::affinity::CodedAttribute;
use xds::value::check_oid;
use xml::Element;

use crate::{CodeFile, Collector, Error, Format};

pub fn read(root: Element<'_>, attribute: Option<CodedAttribute>) -> Result<CodeFile, Error> {
    if attribute.is_some() {
        return Err(Error::Whole(
            "a file of Codes says itself what they are for: leave attribute= out".to_owned(),
        ));
    }
    let mut file =
        CodeFile { format: Format::Ihe, sets: Vec::new(), authorities: Vec::new(), remarks: Vec::new() };
    for element in root.children() {
        match element.name() {
            "CodeType" => read_type(element, &mut file)?,
            "AssigningAuthority" => file.authorities.push(authority(element)?),
            other => file.remarks.push(format!("line {}: {other} is not read", element.line())),
        }
    }
    match file.sets.is_empty() && file.authorities.is_empty() {
        true => Err(Error::At { line: root.line(), what: "there is no CodeType".to_owned() }),
        false => Ok(file),
    }
}

fn read_type(element: Element<'_>, file: &mut CodeFile) -> Result<(), Error> {
    let name = required(element, "name")?;
    let Some(attribute) = CodedAttribute::from_name(name) else {
        file.remarks
            .push(format!("line {}: CodeType \"{name}\" is no attribute that is restricted", element.line()));
        return Ok(());
    };
    let mut codes = Collector::default();
    for child in element.children() {
        if child.name() != "Code" {
            file.remarks.push(format!("line {}: {} is not read", child.line(), child.name()));
            continue;
        }
        let scheme = match attribute {
            CodedAttribute::MimeType => "",
            _ => required(child, "codingScheme")?,
        };
        codes.add(required(child, "code")?, scheme, child.attribute("display").unwrap_or_default());
    }
    if file.sets.iter().any(|set| set.attribute == attribute) {
        return Err(Error::At {
            line: element.line(),
            what: format!("a second CodeType for {}", attribute.name()),
        });
    }
    file.sets.push(codes.finish(attribute, element.line(), &mut file.remarks)?);
    Ok(())
}

/// `&OID&ISO`.
fn authority(element: Element<'_>) -> Result<String, Error> {
    let id = required(element, "id")?;
    let oid = id.strip_prefix('&').and_then(|rest| rest.strip_suffix("&ISO"));
    match oid.filter(|oid| check_oid(oid).is_ok()) {
        Some(oid) => Ok(oid.to_owned()),
        None => {
            Err(Error::At { line: element.line(), what: "AssigningAuthority/@id is not &OID&ISO".to_owned() })
        }
    }
}

fn required<'d>(element: Element<'d>, name: &str) -> Result<&'d str, Error> {
    element.attribute(name).filter(|value| !value.is_empty()).ok_or_else(|| Error::At {
        line: element.line(),
        what: format!("{} has no attribute {name}", element.name()),
    })
}
