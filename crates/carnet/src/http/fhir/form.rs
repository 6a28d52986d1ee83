//! In which form an answer is wanted, and what a query says.

use actix_web::HttpRequest;
use actix_web::http::header;
use atna::fhir::{Encoding, search};

/// The parameters of a query or of a form, decoded.
pub fn pairs(query: &[u8]) -> Vec<(String, String)> {
    form_urlencoded::parse(query).into_owned().collect()
}

/// A URL with these parameters.
pub fn url<'a>(path: &str, pairs: impl IntoIterator<Item = (&'a str, &'a str)>) -> String {
    let query = form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish();
    match query.as_str() {
        "" => path.to_owned(),
        query => format!("{path}?{query}"),
    }
}

/// The form that `_format` names, or else one that Accept allows; `None` when that is neither of ours.
pub fn wanted(request: &HttpRequest, pairs: &[(String, String)], usual: Encoding) -> Option<Encoding> {
    let named = pairs.iter().find(|(name, value)| name == "_format" && !value.is_empty());
    if let Some((_, value)) = named {
        return search::format(value).ok().map(of);
    }
    let accept: Vec<&str> =
        request.headers().get_all(header::ACCEPT).filter_map(|value| value.to_str().ok()).collect();
    accepted(&accept.join(","), usual)
}

/// The form of a body.
pub fn sent(request: &HttpRequest) -> Option<Encoding> {
    let value = request.headers().get(header::CONTENT_TYPE)?.to_str().ok()?;
    search::format(value).ok().map(of)
}

fn of(xml: bool) -> Encoding {
    match xml {
        true => Encoding::Xml,
        false => Encoding::Json,
    }
}

/// The form with the greatest weight in an Accept (RFC 9110 §12.5.1); of two alike, the usual one. Without an Accept
/// anything is good.
fn accepted(accept: &str, usual: Encoding) -> Option<Encoding> {
    if accept.trim().is_empty() {
        return Some(usual);
    }
    let mut best: Option<(f32, Encoding)> = None;
    for range in accept.split(',') {
        let (name, parameters) = range.split_once(';').unwrap_or((range, ""));
        let weight = parameters.split(';').find_map(|parameter| parameter.trim().strip_prefix("q="));
        let weight: f32 = weight.map_or(Some(1.0), |weight| weight.parse().ok()).unwrap_or(0.0);
        let encoding = match name.trim().to_ascii_lowercase().as_str() {
            "*/*" | "application/*" => Some(usual),
            name => search::format(name).ok().map(of),
        };
        let Some(encoding) = encoding.filter(|_| weight > 0.0) else { continue };
        let better = best.is_none_or(|(so_far, other)| {
            weight > so_far || weight == so_far && encoding == usual && other != usual
        });
        if better {
            best = Some((weight, encoding));
        }
    }
    best.map(|(_, encoding)| encoding)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_form_is_the_one_that_is_wanted_most() {
        use Encoding::{Json, Xml};
        for (accept, expected) in [
            ("", Some(Json)),
            ("*/*", Some(Json)),
            ("application/fhir+xml", Some(Xml)),
            ("application/fhir+json; fhirVersion=4.0", Some(Json)),
            ("text/html,application/xml;q=0.9,*/*;q=0.8", Some(Xml)),
            ("application/xml,application/json", Some(Json)),
            ("application/xml;q=0.5,application/json;q=0.4", Some(Xml)),
            ("application/fhir+xml;q=0, application/*;q=0.1", Some(Json)),
            ("text/html", None),
            ("application/json;q=0", None),
            ("application/json;q=much", None),
        ] {
            assert_eq!(accepted(accept, Json), expected, "{accept}");
        }
        assert_eq!(accepted("*/*", Xml), Some(Xml));
    }

    #[test]
    fn parameters_survive_a_url() {
        let given = [
            ("patient.identifier", "urn:oid:1.2|a&b=c"),
            ("date", "ge2026-01-01T00:00:00+01:00"),
            ("x", "é "),
        ];
        let url = url("http://h/fhir/AuditEvent", given);
        let (path, query) = url.split_once('?').unwrap();
        assert_eq!(path, "http://h/fhir/AuditEvent");
        let read = pairs(query.as_bytes());
        assert!(read.iter().map(|(name, value)| (name.as_str(), value.as_str())).eq(given));
    }
}
