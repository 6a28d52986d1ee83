//! Retrieve Syslog Event, ITI-82: our events as they are sent to other repositories, and what came over syslog as it came.

use actix_web::http::{StatusCode, header};
use actix_web::{HttpRequest, HttpResponse, web};
use atna::fhir::Encoding;
use atna::syslog_search::{Fields, Parameters};
use atna::{Act, Entry, Filter};
use syslog::Message;

use super::call::{Call, Door, respond};
use super::failure::Failure;
use super::page::{self, Cursor};
use super::{Doors, answer, form};
use crate::audit::{Right, forward};
use crate::metrics::Transaction;

const DOOR: Door =
    Door { transaction: Transaction::Iti82, right: Right::Read, act: Some(Act::Iti82AuditRepository) };
/// Of RFC 5424: there is no other.
const VERSION: u8 = 1;

pub async fn search(doors: web::Data<Doors>, request: HttpRequest) -> HttpResponse {
    // There is one form.
    let wanted = form::wanted(&request, &[], Encoding::Json).filter(|form| *form == Encoding::Json);
    let pairs = form::pairs(request.query_string().as_bytes());
    respond(&doors, &request, &DOOR, wanted, async |call| found(call, &request, &pairs).await).await
}

async fn found(
    call: &Call<'_>,
    request: &HttpRequest,
    pairs: &[(String, String)],
) -> Result<HttpResponse, Failure> {
    let doors = call.doors;
    let given = || pairs.iter().map(|(name, value)| (name.as_str(), value.as_str()));
    let parameters = Parameters::parse(given()).map_err(Failure::malformed)?;
    let count = page::count(parameters.count, doors.settings.events)?;
    let before = parameters.cursor.as_deref().map(str::parse::<Cursor>).transpose()?;
    if !parameters.has_date() {
        return Err(Failure::invalid("date: is required"));
    }
    let range = parameters.range();
    let filter = Filter {
        from: range.from,
        until: range.before,
        before: before.map(|Cursor(at, id)| (at, id)),
        ..Filter::default()
    };
    let page = page::read(doors, filter, count, |entry| wanted(entry, &parameters, &doors.hostname)).await?;
    call.used(Act::Iti82AuditRepository, &[]).await?;
    let mut response = answer::begin(StatusCode::OK);
    if let Some(next) = page.next {
        let cursor = next.to_string();
        let rest = given().filter(|(name, _)| *name != "_cursor");
        let here = format!("{}{}", doors.public_url, request.path());
        let url = form::url(&here, rest.chain([("_cursor", cursor.as_str())]));
        response.insert_header((header::LINK, format!("<{url}>; rel=\"next\"")));
    }
    Ok(response.json(page.found))
}

/// The message of an entry, if it is asked for.
fn wanted(entry: &Entry, parameters: &Parameters, hostname: &str) -> Option<String> {
    let text = forward::message(entry, hostname, true)?;
    let message = Message::parse(text.as_bytes()).ok()?;
    let fields = Fields {
        pri: message.priority,
        version: VERSION,
        timestamp: message.timestamp.map(|at| at.to_utc()),
        hostname: message.hostname,
        app_name: message.app_name,
        procid: message.process_id,
        msg_id: message.message_id,
        msg: message.text,
    };
    parameters.matches(&fields).then_some(text)
}
