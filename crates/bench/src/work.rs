//! What the clients do: submit, find, get, and a mix of them.

use std::sync::Arc;

use bytes::Bytes;
use xds::constants::action;
use xds::message::{DocumentRequest, RetrieveRequest};
use xds::query::{Request, ReturnType, Status};
use xds::value::uuid_urn;

use crate::cells::Workload;
use crate::drive::{Shot, Work};
use crate::filing::Message;
use crate::people;
use crate::template::Template;

const SUCCESS: &[u8] = b"ResponseStatusType:Success";

/// Messages of one shape, and for each of them the patients for whom it is filed.
pub struct Submit {
    pub to: Arc<str>,
    pub messages: Vec<(Message, Arc<str>, Vec<String>)>,
}

impl Submit {
    pub fn new(to: &Arc<str>, messages: Vec<(Message, Vec<String>)>) -> Submit {
        let ready = messages.into_iter().map(|(message, patients)| {
            let content_type = message.content_type.as_str().into();
            (message, content_type, patients)
        });
        Submit { to: to.clone(), messages: ready.collect() }
    }

    /// A new submission for a patient, and the uniqueIds of its documents.
    pub fn shot(&self, rng: &mut fastrand::Rng, index: usize, ins: &str) -> Option<(Shot, Vec<String>)> {
        let (message, content_type, _) = self.messages.get(index)?;
        let (octets, unique_ids) = message.filled(rng, ins);
        let post = Some((content_type.clone(), Bytes::from(octets)));
        Some((Shot { url: self.to.clone(), post, says: SUCCESS, at_least: 0 }, unique_ids))
    }
}

impl Work for Submit {
    fn next(&self, rng: &mut fastrand::Rng) -> Option<Shot> {
        let index = rng.usize(..self.messages.len());
        let (_, _, patients) = self.messages.get(index)?;
        let ins = patients.get(rng.usize(..patients.len()))?;
        self.shot(rng, index, ins).map(|(shot, _)| shot)
    }
}

/// FindDocuments for one of many patients.
pub struct Find {
    to: Arc<str>,
    content_type: Arc<str>,
    template: Template,
    at_least: u64,
    pub patients: Box<dyn Fn(&mut fastrand::Rng) -> String + Send + Sync>,
}

impl Find {
    /// `entries`: how many each of the patients has.
    pub fn new(
        to: &Arc<str>,
        return_type: ReturnType,
        entries: u64,
        patients: Box<dyn Fn(&mut fastrand::Rng) -> String + Send + Sync>,
    ) -> Find {
        let ins = people::ins("19901", 99_999_999);
        let request = Request::find_documents(&people::cx(&ins), &[Status::Approved], return_type);
        let id = uuid::Uuid::from_u128(0x6265_6e63_6800_4000_8000_0000_0000_0000);
        let header_id = uuid_urn(id);
        let header = soap::Header::request(action::ITI_18, &header_id, to);
        let envelope = soap::write(&header, |w| request.write(w));
        // An ObjectRef has its id; an ExtrinsicObject has far more than what is required here.
        let each = if return_type == ReturnType::ObjectRef { 60 } else { 2000 };
        Find {
            to: to.clone(),
            content_type: soap::simple_content_type(action::ITI_18).into(),
            template: Template::new(envelope, &[&ins, &id.to_string()]),
            at_least: entries * each,
            patients,
        }
    }
}

impl Work for Find {
    fn next(&self, rng: &mut fastrand::Rng) -> Option<Shot> {
        let (ins, id) = ((self.patients)(rng), crate::ids::uuid(rng).to_string());
        let body = self.template.filled(&[&ins, &id]).into();
        let post = Some((self.content_type.clone(), body));
        Some(Shot { url: self.to.clone(), post, says: SUCCESS, at_least: self.at_least })
    }
}

/// A retrieval of one document of many.
pub struct Get {
    to: Arc<str>,
    content_type: Arc<str>,
    template: Template,
    size: u64,
    unique_ids: Arc<Vec<String>>,
}

impl Get {
    pub fn new(to: &Arc<str>, repository: &str, size: u64, unique_ids: Arc<Vec<String>>) -> Get {
        let unique_id = crate::ids::unique_id(&mut fastrand::Rng::with_seed(3));
        let request = RetrieveRequest(vec![DocumentRequest {
            home_community_id: None,
            repository_unique_id: repository.to_owned(),
            document_unique_id: unique_id.clone(),
        }]);
        let id = uuid::Uuid::from_u128(0x6265_6e63_6800_4000_8000_0000_0000_0001);
        let header_id = uuid_urn(id);
        let header = soap::Header::request(action::ITI_43, &header_id, to);
        let heads = soap::package::Heads::new(action::ITI_43);
        let package = heads.root() + &soap::write(&header, |w| request.write(w)) + &heads.end();
        Get {
            to: to.clone(),
            content_type: heads.content_type().into(),
            template: Template::new(package, &[&unique_id, &id.to_string()]),
            size,
            unique_ids,
        }
    }
}

impl Work for Get {
    fn next(&self, rng: &mut fastrand::Rng) -> Option<Shot> {
        let unique_id = self.unique_ids.get(rng.usize(..self.unique_ids.len()))?;
        let id = crate::ids::uuid(rng).to_string();
        let body = self.template.filled(&[unique_id, &id]).into();
        let post = Some((self.content_type.clone(), body));
        Some(Shot { url: self.to.clone(), post, says: SUCCESS, at_least: self.size })
    }
}

/// One submission, four queries and two retrievals of every seven requests.
pub struct Mix {
    pub submit: Arc<dyn Work>,
    pub find: Arc<dyn Work>,
    pub get: Arc<dyn Work>,
}

impl Work for Mix {
    fn next(&self, rng: &mut fastrand::Rng) -> Option<Shot> {
        let [submit, find, get] = Workload::WEIGHTS;
        match rng.u8(..submit + find + get) {
            n if n < submit => self.submit.next(rng),
            n if n < submit + find => self.find.next(rng),
            _ => self.get.next(rng),
        }
    }
}
