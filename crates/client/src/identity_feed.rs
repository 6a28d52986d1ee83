//! ITI-44 from the client's side.

use hl7v3::{ACKNOWLEDGEMENT, Head, Ii, Interaction, Message, NAMESPACE};
use soap::Encoding;
use xds::value::Cx;
use xml::Element;

use crate::{Client, Error};

/// What an acknowledgement says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FeedAnswer {
    /// CA, CE or CR (AA, AE or AR from some servers).
    pub code: String,
    /// Root and extension of the message that is acknowledged.
    pub target: (String, String),
    /// Code and text of each detail.
    pub details: Vec<(String, String)>,
}

const TIME: &str = "%Y%m%d%H%M%S";

impl Client {
    /// Tells the registry of a patient (ITI-44, PRPA_IN201301UV02). `sender`: the OID of this device.
    pub async fn add_patient(&self, sender: &str, patient: &Cx) -> Result<FeedAnswer, Error> {
        self.feed(&message(Interaction::Added, sender, patient, None)).await
    }

    /// Tells the registry that a patient was revised (PRPA_IN201302UV02).
    pub async fn revise_patient(&self, sender: &str, patient: &Cx) -> Result<FeedAnswer, Error> {
        self.feed(&message(Interaction::Revised, sender, patient, None)).await
    }

    /// Merges one patient into another (PRPA_IN201304UV02).
    pub async fn merge_patients(
        &self,
        sender: &str,
        subsumed: &Cx,
        surviving: &Cx,
    ) -> Result<FeedAnswer, Error> {
        self.feed(&message(Interaction::DuplicatesResolved, sender, surviving, Some(subsumed))).await
    }

    /// Sends any message of ITI-44.
    pub async fn feed(&self, message: &Message) -> Result<FeedAnswer, Error> {
        let now = chrono::Utc::now().format(TIME).to_string();
        let action = message.head.interaction.action();
        let registry = &self.endpoints.registry;
        let call = self.call(registry, action, Encoding::Simple, |w| hl7v3::write(message, &now, w));
        self.exchange(call).await?.read(read)
    }
}

fn message(interaction: Interaction, sender: &str, patient: &Cx, subsumed: Option<&Cx>) -> Message {
    let ii = |cx: &Cx| Ii::new(&cx.authority, &cx.id);
    Message {
        head: Head {
            interaction,
            id: Ii::new(sender, &uuid::Uuid::new_v4().to_string()),
            sender: Ii::new(sender, ""),
            receiver: Ii::default(),
            processing_code: "P".to_owned(),
        },
        patient: vec![ii(patient)],
        subsumed: subsumed.map(ii),
    }
}

fn read(body: Element<'_>) -> Result<FeedAnswer, String> {
    if !body.is(NAMESPACE, ACKNOWLEDGEMENT) {
        return Err(format!("the answer is a {}, not {ACKNOWLEDGEMENT}", body.name()));
    }
    let attribute = |element: Option<Element<'_>>, name: &str| {
        element.and_then(|e| e.attribute(name)).unwrap_or_default().to_owned()
    };
    let ack = body.child(NAMESPACE, "acknowledgement").ok_or("it has no acknowledgement")?;
    let target = ack.path(NAMESPACE, &["targetMessage", "id"]);
    let details = ack.children_named(NAMESPACE, "acknowledgementDetail").map(|detail| {
        let text = detail.child(NAMESPACE, "text").map(|text| text.deep_text()).unwrap_or_default();
        (attribute(detail.child(NAMESPACE, "code"), "code"), text)
    });
    Ok(FeedAnswer {
        code: attribute(ack.child(NAMESPACE, "typeCode"), "code"),
        target: (attribute(target, "root"), attribute(target, "extension")),
        details: details.collect(),
    })
}
