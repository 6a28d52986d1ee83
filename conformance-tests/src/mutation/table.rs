//! Every way in which the proxy makes a server wrong.

use std::sync::LazyLock;

use super::changes::*;
use super::edit::*;
use super::{Change, Mutation};
use crate::offer::Need;
use crate::request::Request;
use crate::stored_query::STORED_QUERIES;
use crate::transaction::Transaction;
use crate::wire::Received;

use Transaction::*;

pub static MUTATIONS: LazyLock<Vec<Mutation>> =
    LazyLock::new(|| written().into_iter().chain(ignored_parameters()).collect());

/// The name says what the server does.
fn written() -> Vec<Mutation> {
    vec![
        // what an answer says of the outcome
        answer("leaves out an error", |t| without_element(t, "RegistryError", |_| true)),
        answer("gives an error another code", |t| change_element(t, "RegistryError", other_code)),
        answer("gives an error no context", |t| {
            change_element(t, "RegistryError", |e| with_attribute(e, "codeContext", |_| String::new()))
        }),
        answer("turns an error into a warning", |t| {
            replaced(t, "ErrorSeverityType:Error", "ErrorSeverityType:Warning")
        }),
        answer("says Failure instead of Success", |t| {
            replaced(t, "ResponseStatusType:Success", "ResponseStatusType:Failure")
        }),
        answer("says Success instead of Failure", |t| {
            replaced(t, "ResponseStatusType:Failure", "ResponseStatusType:Success")
        }),
        answer("accepts what is to be refused", |t| {
            let t = replaced(t, "ResponseStatusType:Failure", "ResponseStatusType:Success")?;
            without_element(&t, "RegistryErrorList", |_| true)
        }),
        answer("says Success instead of PartialSuccess", |t| {
            replaced(t, "urn:ihe:iti:2007:ResponseStatusType:PartialSuccess", SUCCESS)
        }),
        answer("answers with a fault", |t| {
            let fault = "<s:Fault xmlns:s=\"http://www.w3.org/2003/05/soap-envelope\"><s:Code><s:Value>s:Receiver</s:Value></s:Code><s:Reason><s:Text xml:lang=\"en\">broken</s:Text></s:Reason></s:Fault>";
            change_element(t, "RegistryResponse", |_| Some(fault.to_owned()))
                .or_else(|| change_element(t, "AdhocQueryResponse", |_| Some(fault.to_owned())))
        }),
        answer("gives a fault another code", |t| {
            change_element(t, "Fault", |f| {
                change_element(f, "Value", |v| with_text(v, |_| "soap:DataEncodingUnknown".to_owned()))
            })
        }),
        Mutation {
            name: "answers with another HTTP status".to_owned(),
            needs: &[],
            change: Change::Answer(other_status),
        },
        // the envelope
        answer("leaves out wsa:RelatesTo", |t| without_element(t, "RelatesTo", |_| true)),
        answer("relates to another message", |t| {
            change_element(t, "RelatesTo", |e| with_text(e, |_| "urn:uuid:other".to_owned()))
        }),
        answer("gives the answer another action", |t| {
            change_element(t, "Action", |e| with_text(e, |_| "urn:example:other".to_owned()))
        }),
        answer("does not require the action to be understood", |t| {
            change_element(t, "Action", |e| Some([&e[..e.find(' ')?], &e[e.find('>')?..]].concat()))
        }),
        Mutation {
            name: "answers with another Content-Type".to_owned(),
            needs: &[],
            change: Change::Answer(other_type),
        },
        Mutation { name: "answers with an empty page".to_owned(), needs: &[], change: Change::Answer(empty) },
        Mutation {
            name: "answers without the package".to_owned(),
            needs: &[],
            change: Change::Answer(unpacked),
        },
        // entries
        answer("leaves out an entry", |t| without_element(t, "ExtrinsicObject", |_| true)),
        answer("gives an entry twice", |t| change_element(t, "ExtrinsicObject", twice)),
        answer("gives an object without its status", |t| {
            change_element(t, "ExtrinsicObject", |e| attribute_lost(e, "status"))
        }),
        answer("turns Approved into Deprecated", |t| {
            change_element(t, "ExtrinsicObject", |e| {
                with_attribute(e, "status", |status| status.replace("Approved", "Deprecated"))
            })
        }),
        answer("turns Deprecated into Approved", |t| {
            change_element(t, "ExtrinsicObject", |e| {
                with_attribute(e, "status", |status| status.replace("Deprecated", "Approved"))
            })
        }),
        answer("gives an entry another entryUUID", |t| {
            let ids = elements(t, "ExtrinsicObject");
            let first = ids.first().map(|range| t[range.clone()].to_owned())?;
            replaced(t, with_id(&first)?, "urn:uuid:00000000-0000-4000-8000-000000000000")
        }),
        answer("gives an entry another hash", |t| {
            slot(t, "ExtrinsicObject", "hash", |_| "0123456789012345678901234567890123456789".to_owned())
        }),
        answer("gives an entry another size", |t| slot(t, "ExtrinsicObject", "size", |_| "1".to_owned())),
        answer("gives an entry another repositoryUniqueId", |t| {
            slot(t, "ExtrinsicObject", "repositoryUniqueId", |_| "1.2.3.4.5".to_owned())
        }),
        answer("gives an entry another creationTime", |t| {
            slot(t, "ExtrinsicObject", "creationTime", |_| "19000101".to_owned())
        }),
        answer("gives an entry another mimeType", |t| {
            change_element(t, "ExtrinsicObject", |e| {
                with_attribute(e, "mimeType", |_| "image/x-other".into())
            })
        }),
        answer("gives an entry another title", |t| {
            change_element(t, "ExtrinsicObject", |e| {
                change_element(e, "Name", |n| with_attribute(n, "value", |_| "other".into()))
            })
        }),
        answer("loses a Slot of an entry", |t| {
            change_element(t, "ExtrinsicObject", |e| {
                without_element(e, "Slot", |s| s.contains("name=\"sourcePatientInfo\""))
            })
        }),
        answer("loses the author of an entry", |t| {
            change_element(t, "ExtrinsicObject", |e| {
                without_element(e, "Classification", |c| c.contains(DE_AUTHOR))
            })
        }),
        answer("loses a code of an entry", |t| {
            change_element(t, "ExtrinsicObject", |e| {
                without_element(e, "Classification", |c| c.contains(CONFIDENTIALITY))
            })
        }),
        answer("gives a code another display name", |t| {
            change_element(t, "Classification", |c| {
                change_element(c, "Name", |n| with_attribute(n, "value", |_| "other".into()))
            })
        }),
        answer("gives objects another patient", |t| {
            change_element(t, "ExternalIdentifier", |e| {
                let is_patient =
                    e.contains("XDSDocumentEntry.patientId") || PATIENT_IDS.iter().any(|id| e.contains(id));
                is_patient.then(|| with_attribute(e, "value", |id| format!("other{id}"))).flatten()
            })
        }),
        answer("gives a part of an object no objectType", |t| {
            change_element(t, "ExternalIdentifier", |e| attribute_lost(e, "objectType"))
        }),
        answer("answers LeafClass with ObjectRefs", |t| {
            change_element(t, "ExtrinsicObject", |e| {
                let id = with_id(e)?;
                Some(format!("<r:ObjectRef xmlns:r=\"{RIM}\" id=\"{id}\"/>"))
            })
        }),
        answer("answers ObjectRef with objects", |t| {
            let t = elements(t, "AdhocQueryResponse").first().map(|_| t)?;
            change_element(t, "ObjectRef", |e| {
                let id = with_id(e)?;
                Some(format!(
                    "<r:ExtrinsicObject xmlns:r=\"{RIM}\" id=\"{id}\" status=\"urn:x\" mimeType=\"text/plain\"/>"
                ))
            })
        }),
        answer("leaves out a reference", |t| without_element(t, "ObjectRef", |_| true)),
        answer("leaves out RegistryObjectList", |t| {
            elements(t, "AdhocQueryResponse").first()?;
            without_element(t, "RegistryObjectList", |_| true)
        }),
        // the other objects
        answer("leaves out a Folder", |t| without_element(t, "RegistryPackage", |p| p.contains(FOLDER))),
        answer("leaves out a SubmissionSet", |t| without_element(t, "RegistryPackage", |p| p.contains(SET))),
        answer("gives a Folder or SubmissionSet another title", |t| {
            change_element(t, "RegistryPackage", |p| {
                change_element(p, "Name", |n| with_attribute(n, "value", |_| "other".into()))
            })
        }),
        answer("gives a SubmissionSet another submissionTime", |t| {
            slot(t, "RegistryPackage", "submissionTime", |_| "19000101".to_owned())
        }),
        answer("gives a Folder another lastUpdateTime", |t| {
            slot(t, "RegistryPackage", "lastUpdateTime", |_| "19000101000000".to_owned())
        }),
        answer("leaves out an Association", |t| without_element(t, "Association", |_| true)),
        answer("gives an Association twice", |t| change_element(t, "Association", twice)),
        answer("turns an Association round", |t| {
            change_element(t, "Association", |a| {
                let marked = a
                    .replace(" sourceObject=\"", " swapped=\"")
                    .replace(" targetObject=\"", " sourceObject=\"");
                Some(marked.replace(" swapped=\"", " targetObject=\""))
            })
        }),
        answer("gives an Association another type", |t| {
            change_element(t, "Association", |a| {
                with_attribute(a, "associationType", |_| "urn:example:other".into())
            })
        }),
        // documents
        answer("leaves out a document", |t| without_element(t, "DocumentResponse", |_| true)),
        Mutation {
            name: "changes an octet of a document".to_owned(),
            needs: &[],
            change: Change::Answer(other_octet),
        },
        answer("gives a document another mimeType", |t| {
            change_element(t, "DocumentResponse", |d| {
                change_element(d, "mimeType", |m| with_text(m, |_| "image/x-other".to_owned()))
            })
        }),
        answer("names another repository in a DocumentResponse", |t| {
            change_element(t, "DocumentResponse", |d| {
                change_element(d, "RepositoryUniqueId", |r| with_text(r, |_| "1.2.3.4.5".to_owned()))
            })
        }),
        // what does not reach the server
        swallow("says Success to a submission and stores nothing", &[Iti41, Iti42], &[]),
        swallow("says Success to an update and stores nothing", &[Iti57], &[Need::Update]),
        swallow(
            "says Success to a restricted update and stores nothing",
            &[Iti92],
            &[Need::RestrictedUpdate],
        ),
        swallow("says Success to a removal and keeps the metadata", &[Iti62], &[Need::RemovalOfMetadata]),
        swallow("says Success to a removal and keeps the document", &[Iti86], &[Need::RemovalOfDocuments]),
        swallow("says Success to an on-demand entry and stores nothing", &[Iti61], &[Need::OnDemand]),
        request("asks for another stored query", |r| {
            of(r, &[Iti18], |t| {
                change_element(t, "AdhocQuery", |q| {
                    with_attribute(q, "id", |_| "urn:uuid:00000000-0000-4000-8000-000000000000".into())
                })
            })
        }),
        request("ignores the last parameter of a query", |r| {
            of(r, &[Iti18, Iti51], |t| {
                change_element(t, "AdhocQuery", |q| without_element(q, "Slot", |_| true))
            })
        }),
        request("ignores $XDSDocumentEntryStatus of Deprecated", |r| {
            of(r, &[Iti18], |t| replaced(t, "StatusType:Deprecated", "StatusType:Approved"))
        }),
        request("answers LeafClass with ObjectRef", |r| {
            of(r, &[Iti18, Iti51], |t| replaced(t, "returnType=\"LeafClass\"", "returnType=\"ObjectRef\""))
        }),
        request("looks for another patient", |r| {
            of(r, &[Iti18], |t| {
                change_element(t, "AdhocQuery", |q| {
                    change_element(q, "Value", |v| {
                        v.contains("^^^&amp;").then(|| v.replacen("CT", "other", 1))
                    })
                })
            })
        }),
        request("files for another patient", |r| {
            of(r, &[Iti41, Iti42], |t| replaced(t, "value=\"CT", "value=\"other"))
        }),
        request("loses an Association of a submission", |r| {
            of(r, &[Iti41, Iti42], |t| {
                without_element(t, "Association", |a| !a.contains("SubmissionSetStatus"))
            })
        }),
        request("loses a Document", |r| of(r, &[Iti41], |t| without_element(t, "Document", |_| true))),
        request("loses an entry", |r| of(r, &[Iti42], |t| without_element(t, "ExtrinsicObject", |_| true))),
        request("changes a document on the way", |r| {
            of(r, &[Iti41], |t| replaced_once(t, "of a conformance test.\n", "of a conformance tesT.\n"))
        }),
        request("loses the last DocumentRequest", |r| {
            of(r, &[Iti43, Iti86], |t| without_element(t, "DocumentRequest", |_| true))
        }),
        Mutation {
            name: "does a submission twice".to_owned(),
            needs: &[],
            change: Change::Replay(is_submission),
        },
        // versions
        answer("gives no version", |t| {
            change_element(t, "ExtrinsicObject", |e| without_element(e, "VersionInfo", |_| true))
        })
        .with(&[Need::Update]),
        answer("gives another logicalID", |t| {
            change_element(t, "ExtrinsicObject", |e| {
                with_attribute(e, "lid", |_| "urn:uuid:00000000-0000-4000-8000-000000000000".into())
            })
        })
        .with(&[Need::Update]),
        request("takes PreviousVersion for 1", |r| {
            of(r, &[Iti57, Iti92], |t| {
                change_element(t, "Slot", |s| {
                    s.contains("\"PreviousVersion\"")
                        .then(|| change_element(s, "Value", |v| with_text(v, |_| "1".into())))
                        .flatten()
                })
            })
        })
        .with(&[Need::Update]),
        request("ignores AssociationPropagation", |r| {
            of(r, &[Iti57], |t| without_element(t, "Slot", |s| s.contains("\"AssociationPropagation\"")))
        })
        .with(&[Need::Update]),
        request("takes every new status for Approved", |r| {
            of(r, &[Iti57], |t| {
                change_element(t, "Slot", |s| {
                    s.contains("\"NewStatus\"")
                        .then(|| replaced(s, "StatusType:Deprecated", "StatusType:Approved"))
                        .flatten()
                })
            })
        })
        .with(&[Need::Update]),
        request("removes one object less", |r| {
            of(r, &[Iti62], |t| without_element(t, "ObjectRef", |_| true))
        })
        .with(&[Need::RemovalOfMetadata]),
        // on-demand documents
        answer("gives another NewDocumentUniqueId", |t| {
            change_element(t, "NewDocumentUniqueId", |e| with_text(e, |_| "1.2.3.4.5".into()))
        })
        .with(&[Need::OnDemandDocuments]),
        answer("gives no NewDocumentUniqueId", |t| without_element(t, "NewDocumentUniqueId", |_| true))
            .with(&[Need::OnDemandDocuments]),
        // the feed
        answer("says AE instead of AA", |t| replaced(t, "MSA|AA|", "MSA|AE|")).with(&[Need::Feed]),
        answer("says AA instead of AE", |t| replaced(t, "MSA|AE|", "MSA|AA|")).with(&[Need::Feed]),
        answer("says AA instead of AR", |t| replaced(t, "MSA|AR|", "MSA|AA|")).with(&[Need::Feed]),
        answer("acknowledges another message", |t| replaced(t, "MSA|AA|", "MSA|AA|0")).with(&[Need::Feed]),
        swallow("says AA and does nothing", &[Iti8], &[Need::Feed]),
        answer("says CE instead of CA", |t| {
            elements(t, "MCCI_IN000002UV01").first()?;
            replaced(t, "code=\"CA\"", "code=\"CE\"")
        })
        .with(&[Need::FeedV3]),
        answer("says CA instead of CE", |t| replaced(t, "code=\"CE\"", "code=\"CA\"")).with(&[Need::FeedV3]),
        // compression
        Mutation {
            name: "does not compress".to_owned(),
            needs: &[Need::Gzip],
            change: Change::Answer(|r| {
                (r.content_encoding == "gzip")
                    .then(|| Received { content_encoding: String::new(), ..r.clone() })
            }),
        },
    ]
}

const RIM: &str = "urn:oasis:names:tc:ebxml-regrep:xsd:rim:3.0";
const DE_AUTHOR: &str = xds::constants::DOCUMENT_ENTRY_AUTHOR;
const CONFIDENTIALITY: &str = xds::constants::DOCUMENT_ENTRY_CONFIDENTIALITY_CODE;
const FOLDER: &str = xds::constants::FOLDER_NODE;
const SET: &str = xds::constants::SUBMISSION_SET_NODE;
const PATIENT_IDS: [&str; 3] = [
    xds::constants::DOCUMENT_ENTRY_PATIENT_ID,
    xds::constants::SUBMISSION_SET_PATIENT_ID,
    xds::constants::FOLDER_PATIENT_ID,
];

fn answer(name: &'static str, edit: Edit) -> Mutation {
    Mutation { name: name.to_owned(), needs: &[], change: Change::Text(edit) }
}

fn request(name: &'static str, edit: fn(&Request) -> Option<Request>) -> Mutation {
    Mutation { name: name.to_owned(), needs: &[], change: Change::Request(edit) }
}

fn swallow(name: &'static str, of: &'static [Transaction], needs: &'static [Need]) -> Mutation {
    Mutation { name: name.to_owned(), needs, change: Change::Swallow(of) }
}

impl Mutation {
    fn with(self, needs: &'static [Need]) -> Mutation {
        Mutation { needs, ..self }
    }
}

/// Every parameter of every stored query, ignored.
fn ignored_parameters() -> impl Iterator<Item = Mutation> {
    STORED_QUERIES.iter().flat_map(|query| {
        query.parameters().map(|(parameter, needs)| Mutation {
            name: format!("ignores {parameter} of {}", query.name),
            needs,
            change: Change::Ignore { query: query.id, parameter },
        })
    })
}
