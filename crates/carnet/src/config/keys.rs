//! Which keys there are.

/// What a value must look like.
#[derive(Debug, Clone, Copy)]
pub enum Kind {
    Text,
    Boolean,
    Number,
    /// Octets: a number, or a text such as "32MiB".
    Size,
    Address,
    Oid,
    Choice(&'static [&'static str]),
}

pub struct Key {
    /// `section.key`
    pub name: &'static str,
    pub kind: Kind,
    /// As it would be written in an environment variable; `None`: no value.
    pub default: Option<&'static str>,
    /// Never shown.
    pub secret: bool,
}

const fn key(name: &'static str, kind: Kind, default: Option<&'static str>) -> Key {
    Key { name, kind, default, secret: false }
}

pub const KEYS: &[Key] = &[
    key("server.listen", Kind::Address, Some("127.0.0.1:8080")),
    key("server.allow_plain_http", Kind::Boolean, Some("false")),
    key("server.public_url", Kind::Text, None),
    key("server.workers", Kind::Number, Some("0")),
    key("data.dir", Kind::Text, Some("./var")),
    Key { name: "database.url", kind: Kind::Text, default: None, secret: true },
    key("database.pool", Kind::Number, Some("16")),
    key("repository.unique_id", Kind::Oid, Some("2.25.187301219829430276148936201540268459203")),
    key("patients.unknown", Kind::Choice(&["refuse", "open"]), Some("refuse")),
    key("patients.query_unknown", Kind::Choice(&["empty", "error"]), Some("empty")),
    key("patients.ins_authority", Kind::Oid, Some("1.2.250.1.213.1.4.8")),
    key("patients.ins_key", Kind::Choice(&["warn", "refuse"]), Some("warn")),
    key("limits.inline_document", Kind::Size, Some("32MiB")),
    key("limits.request", Kind::Size, Some("2GiB")),
    key("limits.envelope", Kind::Size, Some("16MiB")),
    key("limits.xml_depth", Kind::Number, Some("100")),
    key("limits.documents", Kind::Number, Some("500")),
    key("limits.cda_header", Kind::Size, Some("32MiB")),
    key("limits.query_results", Kind::Number, Some("10000")),
    key("audit.source_id", Kind::Text, Some("carnet")),
    key("audit.enterprise_site", Kind::Text, None),
    key("metadata.strict_slot_names", Kind::Boolean, Some("false")),
    key("log.format", Kind::Choice(&["text", "json"]), Some("text")),
    key("log.level", Kind::Text, Some("info")),
    key("client.server", Kind::Text, Some("http://127.0.0.1:8080")),
    key("client.source_id", Kind::Oid, Some("2.25.91472305518762093841526072519384620517")),
    key("client.content_type_code", Kind::Text, Some("03")),
    key("client.content_type_scheme", Kind::Text, Some("1.2.250.1.213.2.2")),
    key("client.content_type_display", Kind::Text, Some("Hospitalisation")),
    key("client.facility_code", Kind::Text, None),
    key("client.facility_scheme", Kind::Text, Some("1.2.250.1.71.4.2.4")),
    key("client.facility_display", Kind::Text, None),
    key("client.practice_setting_code", Kind::Text, None),
    key("client.practice_setting_scheme", Kind::Text, Some("1.2.250.1.213.1.1.4.9")),
    key("client.practice_setting_display", Kind::Text, None),
];
