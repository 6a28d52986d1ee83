//! The national association tables, compiled in from `schemas/value-sets`. Each file names its nomenclature and date.

use std::sync::LazyLock;

use xds::metadata::Code;

/// A table of `N` columns, in the order of its file.
struct Table<const N: usize>(Vec<[&'static str; N]>);

static CLASS_BY_TYPE: LazyLock<Table<4>> =
    LazyLock::new(|| Table::parse(include_str!("../../../schemas/value-sets/type-code-to-class-code.csv")));
static FORMAT_BY_TEMPLATE: LazyLock<Table<3>> =
    LazyLock::new(|| Table::parse(include_str!("../../../schemas/value-sets/template-to-format-code.csv")));
static FORMAT_BY_MEDIA_TYPE: LazyLock<Table<3>> =
    LazyLock::new(|| Table::parse(include_str!("../../../schemas/value-sets/media-type-to-format-code.csv")));
static CLASSES: LazyLock<Table<3>> =
    LazyLock::new(|| Table::parse(include_str!("../../../schemas/value-sets/class-code.csv")));

/// Arc of the national document models, which tell more than the international models they build on.
const NATIONAL_MODELS: &str = "1.2.250.1.213.1.1.1.";

impl<const N: usize> Table<N> {
    /// Lines of `N` fields between semicolons; lines that begin with `#` are comments.
    fn parse(text: &'static str) -> Self {
        Table(rows(text).filter_map(|line| line.split(';').collect::<Vec<_>>().try_into().ok()).collect())
    }
}

fn rows(text: &'static str) -> impl Iterator<Item = &'static str> {
    text.lines().filter(|line| !line.is_empty() && !line.starts_with('#'))
}

/// The class of a document of that type (ASS_X04), with its label (JDV_J57).
pub(crate) fn class_of_type(code: &str, system: &str) -> Option<Code> {
    let [_, _, class, class_system] =
        CLASS_BY_TYPE.0.iter().find(|row| row[0] == code && row[1] == system)?;
    let label = CLASSES.0.iter().find(|row| row[0] == *class && row[1] == *class_system).map(|row| row[2]);
    Some(Code::new(class, class_system, label.unwrap_or(class)))
}

/// The format of a structured document that follows these models (ASS_A11).
pub(crate) fn format_of_templates<'t>(roots: impl Iterator<Item = &'t str> + Clone) -> Option<Code> {
    let (national, international) = (
        roots.clone().filter(|root| root.starts_with(NATIONAL_MODELS)),
        roots.filter(|root| !root.starts_with(NATIONAL_MODELS)),
    );
    national.chain(international).find_map(|root| format(&FORMAT_BY_TEMPLATE, root))
}

/// The format of a document with an unstructured body of that media type, whose parameters do not count (ASS_A12).
pub(crate) fn format_of_media_type(media_type: &str) -> Option<Code> {
    let bare = media_type.split(';').next().unwrap_or_default().trim();
    format(&FORMAT_BY_MEDIA_TYPE, &bare.to_ascii_lowercase())
}

/// The tables give no labels for formats: the code stands for itself.
fn format(table: &Table<3>, key: &str) -> Option<Code> {
    let [_, code, system] = table.0.iter().find(|row| row[0] == key)?;
    Some(Code::new(code, system, code))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_of_every_table_is_read() {
        let read = [
            CLASS_BY_TYPE.0.len(),
            FORMAT_BY_TEMPLATE.0.len(),
            FORMAT_BY_MEDIA_TYPE.0.len(),
            CLASSES.0.len(),
        ];
        let written = [
            include_str!("../../../schemas/value-sets/type-code-to-class-code.csv"),
            include_str!("../../../schemas/value-sets/template-to-format-code.csv"),
            include_str!("../../../schemas/value-sets/media-type-to-format-code.csv"),
            include_str!("../../../schemas/value-sets/class-code.csv"),
        ]
        .map(|text| rows(text).count());
        assert_eq!(read, written);
        assert_eq!(read, [130, 82, 5, 12]);
    }

    #[test]
    fn no_field_is_empty_and_no_key_is_there_twice() {
        let mut keys: Vec<String> = CLASS_BY_TYPE.0.iter().map(|row| row[..2].join("^")).collect();
        keys.extend(FORMAT_BY_TEMPLATE.0.iter().chain(&FORMAT_BY_MEDIA_TYPE.0).map(|row| row[0].to_owned()));
        let fields = CLASS_BY_TYPE.0.iter().flatten().chain(FORMAT_BY_TEMPLATE.0.iter().flatten());
        assert!(
            fields.chain(CLASSES.0.iter().flatten()).all(|field| !field.is_empty() && field.trim() == *field)
        );
        let count = keys.len();
        keys.sort();
        keys.dedup();
        assert_eq!(keys.len(), count);
    }

    #[test]
    fn a_type_gives_its_class_with_a_label() {
        assert_eq!(
            class_of_type("11490-0", "2.16.840.1.113883.6.1"),
            Some(Code::new("10", "1.2.250.1.213.1.1.4.1", "Compte rendu"))
        );
        assert_eq!(class_of_type("11490-0", "1.2.3"), None, "a code is nothing without its system");
    }

    #[test]
    fn a_national_model_goes_before_an_international_one() {
        let imaging_on_lab = ["1.3.6.1.4.1.19376.1.3.3", "1.2.250.1.213.1.1.1.29"];
        let code = format_of_templates(imaging_on_lab.into_iter()).unwrap();
        assert_eq!(code.code, "urn:asip:ci-sis:ldl-ses:2017");
        let lab = format_of_templates(["1.3.6.1.4.1.19376.1.3.3"].into_iter()).unwrap();
        assert_eq!(lab.code, "urn:ihe:lab:xd-lab:2008");
    }

    #[test]
    fn models_of_an_older_edition_are_known() {
        let code = format_of_templates(["1.2.250.1.213.1.1.1.20"].into_iter()).unwrap();
        assert_eq!(code.code, "urn:asip:ci-sis:pps-paerpa:2017");
    }

    #[test]
    fn a_media_type_gives_its_format_in_any_case() {
        assert_eq!(format_of_media_type("Image/JPEG").unwrap().code, "urn:ihe:iti-fr:xds-sd:jpeg:2010");
        assert_eq!(
            format_of_media_type("application/pdf; version=1.4"),
            format_of_media_type("application/pdf")
        );
        assert_eq!(format_of_media_type("video/mp4"), None);
    }
}
