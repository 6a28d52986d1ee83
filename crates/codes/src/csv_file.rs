//! `code,codeSystem,displayName`, one value set in a file.

use xds::affinity::CodedAttribute;

use crate::{CodeFile, Collector, Error, Format, attribute_in};

pub fn read(name: &str, text: &str, attribute: Option<CodedAttribute>) -> Result<CodeFile, Error> {
    let mut reader = csv::ReaderBuilder::new().trim(csv::Trim::All).from_reader(text.as_bytes());
    let heading = reader.headers().map_err(failed)?.clone();
    let column = |name: &str| heading.iter().position(|cell| cell == name);
    let (Some(code), Some(system)) = (column("code"), column("codeSystem")) else {
        let what = "the first line must name the columns code, codeSystem and displayName".to_owned();
        return Err(Error::At { line: 1, what });
    };
    let display = column("displayName");
    let attribute = attribute.map_or_else(|| attribute_in(&[name]), Ok)?;
    let mut codes = Collector::default();
    for record in reader.records() {
        let record = record.map_err(failed)?;
        let line = record.position().map_or(0, |position| position.line() as usize);
        let cell = |column: usize| record.get(column).unwrap_or_default();
        let missing = |what: &str| Err(Error::At { line, what: format!("no {what}") });
        if cell(code).is_empty() {
            return missing("code");
        }
        let scheme = match attribute {
            CodedAttribute::MimeType => "",
            _ if cell(system).is_empty() => return missing("codeSystem"),
            _ => cell(system),
        };
        codes.add(cell(code), scheme, display.map(cell).unwrap_or_default());
    }
    let mut remarks = Vec::new();
    let set = codes.finish(attribute, 1, &mut remarks)?;
    Ok(CodeFile { format: Format::Csv, sets: vec![set], authorities: Vec::new(), remarks })
}

fn failed(error: csv::Error) -> Error {
    let line = error.position().map(|position| position.line() as usize);
    match (line, error.kind()) {
        (Some(line), csv::ErrorKind::UnequalLengths { expected_len, len, .. }) => {
            Error::At { line, what: format!("{len} columns, the first line has {expected_len}") }
        }
        _ => Error::Whole(error.to_string()),
    }
}
