//! Retrieve ATNA Audit Event, ITI-81: AuditEvents are searched, and read one by one.

use actix_web::http::{StatusCode, header};
use actix_web::{HttpRequest, HttpResponse, web};
use atna::fhir::search::Parameters;
use atna::fhir::{self, Encoding, balp};
use atna::{Act, Entry, Filter};
use serde_json::Value;
use uuid::Uuid;

use super::call::{Call, Door, respond};
use super::failure::Failure;
use super::page::{self, Cursor};
use super::{Doors, answer, form, patients};
use crate::audit::Right;
use crate::http::body::read_all;
use crate::http::compression::unpacked;
use crate::metrics::Transaction;

const DOOR: Door =
    Door { transaction: Transaction::Iti81, right: Right::Read, act: Some(Act::Iti81AuditRepository) };
const FORM: &str = "application/x-www-form-urlencoded";
/// Octets of the parameters in a body.
const PARAMETERS: u64 = 64 << 10;

/// `GET AuditEvent`
pub async fn search(doors: web::Data<Doors>, request: HttpRequest) -> HttpResponse {
    let pairs = form::pairs(request.query_string().as_bytes());
    let wanted = form::wanted(&request, &pairs, Encoding::Json);
    respond(&doors, &request, &DOOR, wanted, async |call| found(call, &pairs).await).await
}

/// `POST AuditEvent/_search`: parameters that would be seen in a URL travel in the body.
pub async fn search_by_form(
    doors: web::Data<Doors>,
    request: HttpRequest,
    payload: web::Payload,
) -> HttpResponse {
    let mut pairs = form::pairs(request.query_string().as_bytes());
    let form = posted(&doors, &request, payload).await;
    pairs.extend(form.iter().flatten().cloned());
    let wanted = form::wanted(&request, &pairs, Encoding::Json);
    respond(&doors, &request, &DOOR, wanted, async |call| {
        form?;
        found(call, &pairs).await
    })
    .await
}

async fn posted(
    doors: &Doors,
    request: &HttpRequest,
    payload: web::Payload,
) -> Result<Vec<(String, String)>, Failure> {
    let content_type = request.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let media_type = content_type.and_then(|value| value.split(';').next()).unwrap_or_default();
    if !media_type.trim().eq_ignore_ascii_case(FORM) {
        return Err(Failure::MediaType(FORM));
    }
    let body = unpacked(request.headers(), payload, doors.endurance).map_err(|_| Failure::MediaType(FORM))?;
    let octets = read_all(body, PARAMETERS).await.map_err(|_| Failure::TooLarge(PARAMETERS))?;
    Ok(form::pairs(&octets))
}

async fn found(call: &Call<'_>, pairs: &[(String, String)]) -> Result<HttpResponse, Failure> {
    let doors = call.doors;
    let given = pairs.iter().map(|(name, value)| (name.as_str(), value.as_str()));
    let mut parameters = Parameters::parse(given).map_err(Failure::malformed)?;
    let count = page::count(parameters.count, doors.settings.events)?;
    let before = parameters.cursor.as_deref().map(str::parse::<Cursor>).transpose()?;
    let asked = patients::asked(doors, &mut parameters).await?;
    if asked.is_none() && !parameters.has_date() {
        return Err(Failure::invalid("date: is required where no patient is named"));
    }
    let (identifiers, named) = asked.map(|asked| (asked.identifiers, asked.named)).unwrap_or_default();
    let range = parameters.range();
    let filter = Filter {
        patients: identifiers,
        from: range.from,
        until: range.before,
        before: before.map(|Cursor(at, id)| (at, id)),
        limit: None,
    };
    let page = page::read(doors, filter, count, |entry| wanted(entry, &parameters)).await?;
    call.used(Act::Iti81AuditRepository, &named).await?;
    let base = doors.base();
    let here = format!("{base}/AuditEvent");
    let used = || parameters.used.iter().map(|(name, value)| (name.as_str(), value.as_str()));
    let mut links = vec![("self", form::url(&here, used()))];
    if let Some(next) = page.next {
        let cursor = next.to_string();
        let rest = used().filter(|(name, _)| *name != "_cursor");
        links.push(("next", form::url(&here, rest.chain([("_cursor", cursor.as_str())]))));
    }
    let bundle = fhir::bundle(&base, None, &links, page.found);
    Ok(answer::resource(call.encoding, StatusCode::OK, &bundle))
}

/// The entry as it is answered, if it is asked for.
fn wanted(entry: &Entry, parameters: &Parameters) -> Option<Value> {
    let resource = match parameters.profile.as_slice() {
        [] => readable(entry)?,
        profiles => {
            let (profile, resource) = balp::audit_event(entry)?;
            profiles.contains(&profile).then_some(resource)?
        }
    };
    parameters.matches(&resource).then_some(resource)
}

/// Whatever is in the log was read when it came; one that cannot be read now is told to the operator.
fn readable(entry: &Entry) -> Option<Value> {
    let resource = fhir::audit_event(entry);
    if resource.is_err() {
        tracing::error!(event = %entry.id(), "a received audit message can no longer be read, and is left out");
    }
    resource.ok()
}

/// `GET AuditEvent/{id}`
pub async fn read(doors: web::Data<Doors>, request: HttpRequest, id: web::Path<String>) -> HttpResponse {
    let pairs = form::pairs(request.query_string().as_bytes());
    let wanted = form::wanted(&request, &pairs, Encoding::Json);
    respond(&doors, &request, &DOOR, wanted, async |call| one(call, &id).await).await
}

async fn one(call: &Call<'_>, id: &str) -> Result<HttpResponse, Failure> {
    let id: Uuid = id.parse().map_err(|_| Failure::NotFound)?;
    let row = {
        let client = call.doors.database.get().await?;
        atna::log::find(&client, id).await?
    };
    let entry = row.ok_or(Failure::NotFound)?.entry;
    let resource =
        readable(&entry).ok_or_else(|| Failure::Internal("the event cannot be read".to_owned()))?;
    let patient: Vec<String> = entry.patient().map(str::to_owned).into_iter().collect();
    call.used(Act::Iti81AuditRepository, &patient).await?;
    Ok(answer::resource(call.encoding, StatusCode::OK, &resource))
}
