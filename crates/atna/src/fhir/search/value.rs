//! The values of parameters: tokens, references, and how they are escaped (FHIR R4 §3.1.1.4).

use serde_json::Value;

use crate::fhir::patient;

/// The parts between separators, except those behind a backslash. The parts stay escaped.
pub fn split(text: &str, separator: char) -> Vec<&str> {
    let (mut parts, mut start, mut escaped) = (Vec::new(), 0, false);
    for (index, c) in text.char_indices() {
        if c == separator && !escaped {
            parts.push(text.get(start..index).unwrap_or_default());
            start = index + c.len_utf8();
        }
        escaped = c == '\\' && !escaped;
    }
    parts.push(text.get(start..).unwrap_or_default());
    parts
}

pub fn unescape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut characters = text.chars();
    while let Some(c) = characters.next() {
        match c {
            '\\' => out.extend(characters.next()),
            c => out.push(c),
        }
    }
    out
}

/// `code`, `system|code`, `|code` (without a system) or `system|` (any code of it).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Token {
    /// `None`: any; empty: none.
    system: Option<String>,
    /// `None`: any.
    code: Option<String>,
}

impl Token {
    pub fn parse(text: &str) -> Self {
        match split(text, '|').as_slice() {
            [system, code, ..] => Token {
                system: Some(unescape(system)),
                code: Some(unescape(code)).filter(|code| !code.is_empty()),
            },
            parts => Token {
                system: None,
                code: Some(parts.first().map(|code| unescape(code)).unwrap_or_default()),
            },
        }
    }

    /// Of a Coding, an Identifier, or a code or text by itself.
    pub fn matches(&self, value: &Value) -> bool {
        let (system, code) = match value {
            Value::String(code) => (None, Some(code.as_str())),
            value => {
                let text = |name: &str| value.get(name).and_then(Value::as_str);
                (text("system"), text("code").or_else(|| text("value")))
            }
        };
        // A code by itself has the one system that its element allows.
        let system = match (&self.system, value) {
            (None, _) | (Some(_), Value::String(_)) => true,
            (Some(asked), _) => asked == system.unwrap_or_default(),
        };
        let code = match &self.code {
            None => code.is_some(),
            Some(asked) => code == Some(asked.as_str()),
        };
        system && code
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reference {
    /// `Patient/123`, `123` or a URL.
    To(String),
    Identifier(Token),
}

impl Reference {
    /// What has a system is an identifier.
    pub fn parse(text: &str) -> Self {
        match split(text, '|').len() {
            1 => Reference::To(unescape(text)),
            _ => Reference::Identifier(Token::parse(text)),
        }
    }

    /// A patient's CX is taken too.
    pub fn parse_patient(text: &str) -> Self {
        match patient::of_cx(&unescape(text)) {
            Some((id, authority)) => Reference::of_patient(id, authority),
            None => Reference::parse(text),
        }
    }

    pub fn of_patient(id: &str, authority: &str) -> Self {
        Reference::Identifier(Token {
            system: Some(format!("urn:oid:{authority}")),
            code: Some(id.to_owned()),
        })
    }

    /// Of a Reference. A bare id may be that of the resource or an identifier.
    pub fn matches(&self, value: &Value) -> bool {
        let identifier = value.get("identifier");
        match self {
            Reference::Identifier(token) => identifier.is_some_and(|identifier| token.matches(identifier)),
            Reference::To(asked) => {
                let reference = value.get("reference").and_then(Value::as_str);
                let resource = reference.is_some_and(|reference| {
                    reference == asked
                        || reference.rsplit('/').next() == Some(asked)
                        || reference.ends_with(&format!("/{asked}"))
                });
                let plain = identifier.and_then(|identifier| identifier.get("value")).and_then(Value::as_str);
                resource || plain == Some(asked)
            }
        }
    }

    /// The identifier, and the OID of its authority where it is told.
    pub fn patient(&self) -> (String, Option<String>) {
        match self {
            Reference::To(asked) => (asked.clone(), None),
            Reference::Identifier(Token { system, code }) => {
                let authority = system.as_deref().and_then(|system| system.strip_prefix("urn:oid:"));
                (code.clone().unwrap_or_default(), authority.map(str::to_owned))
            }
        }
    }
}
