//! Register Document Set-b over SOAP.

use registry::iti42::Alone;
use xds::constants::action::ITI_42;
use xds::ebxml::SubmitObjects;
use xds::error::{ErrorCode, Finding};
use xds::message::MessageError;

use super::exchange::{Answer, Exchange, Unread};
use crate::metrics::Transaction;

pub async fn answer(exchange: &Exchange<'_>) -> Result<Answer, Unread> {
    let mut objects = match SubmitObjects::read(exchange.message.body) {
        Ok(objects) => objects,
        Err(MessageError(context)) => {
            let finding = Finding::error(ErrorCode::XDSRegistryMetadataError, None, context);
            return Err(Answer::registry_response(ITI_42, vec![finding]).unread());
        }
    };
    let submission_set = objects.submission_set_unique_id().unwrap_or("-").to_owned();
    let (app, requester) = (exchange.app, exchange.requester());
    // A repository in this process has no need of SOAP: what comes this way is from somebody else's.
    if app.role.is_repository() {
        objects.drop_internal_slots();
    }
    let result = match app.sources.have(&requester) {
        true => app.registry.register(&requester, objects, &Alone).await,
        false => app.registry.turn_away(&requester, &objects, vec![not_a_source()]).await,
    };
    exchange.log(Transaction::Iti42, &submission_set, result.as_ref().err().map(Into::into));
    Ok(Answer::registry_response(ITI_42, result.unwrap_or_else(|failure| failure.findings())))
}

fn not_a_source() -> Finding {
    let context = "This registry takes metadata only from its repositories (registry.sources); send documents to a repository (ITI-41).";
    Finding::error(ErrorCode::XDSRegistryError, None, context)
}
