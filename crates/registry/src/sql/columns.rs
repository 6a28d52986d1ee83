//! The columns that are read out of an object's fragment: made in one place, for writing them and for comparing what is
//! stored with what the fragment says. What can change later is not among them.

use tokio_postgres::{Error, Row};
use uuid::Uuid;
use xds::metadata::{Association, Author, Code, DocumentEntry, DocumentType, Folder, SubmissionSet};
use xds::value::Dtm;

/// A struct whose fields have the names of their columns.
macro_rules! columns {
    ($name:ident { $($column:ident: $type:ty,)* }) => {
        #[derive(Debug, Clone, PartialEq)]
        pub struct $name {
            $(pub $column: $type,)*
        }

        impl $name {
            pub fn read(row: &Row) -> Result<Self, Error> {
                Ok($name { $($column: row.try_get(stringify!($column))?,)* })
            }

            /// The columns in which the two are not equal.
            pub fn differing(&self, other: &Self) -> Vec<&'static str> {
                let mut names = Vec::new();
                $(if self.$column != other.$column { names.push(stringify!($column)); })*
                names
            }
        }
    };
}

columns!(SubmissionSetColumns {
    entry_uuid: Uuid,
    unique_id: String,
    source_id: String,
    submission_time: String,
    content_type_code: String,
    author_persons: Vec<String>,
    intended_recipients: Vec<String>,
});

columns!(DocumentColumns {
    entry_uuid: Uuid,
    document_type: String,
    unique_id: String,
    repository_unique_id: Option<String>,
    hash: Option<String>,
    size: Option<i64>,
    mime_type: String,
    class_code: String,
    type_code: String,
    format_code: String,
    practice_setting_code: String,
    healthcare_facility_type_code: String,
    event_codes: Vec<String>,
    confidentiality_codes: Vec<String>,
    author_persons: Vec<String>,
    reference_ids: Vec<String>,
    creation_time: Option<String>,
    service_start_time: Option<String>,
    service_stop_time: Option<String>,
    availability: String,
});

columns!(FolderColumns {
    entry_uuid: Uuid,
    unique_id: String,
    codes: Vec<String>,
});

columns!(AssociationColumns {
    entry_uuid: Uuid,
    association_type: String,
    source: Uuid,
    target: Uuid,
    submission_set_status: Option<String>,
});

impl SubmissionSetColumns {
    pub fn of(set: &SubmissionSet) -> Self {
        SubmissionSetColumns {
            entry_uuid: set.entry_uuid,
            unique_id: set.unique_id.clone(),
            source_id: set.source_id.clone(),
            submission_time: set.submission_time.padded(),
            content_type_code: set.content_type_code.key(),
            author_persons: persons(&set.authors),
            intended_recipients: set.intended_recipients.clone(),
        }
    }
}

impl DocumentColumns {
    pub fn of(entry: &DocumentEntry) -> Self {
        let document_type = match entry.document_type {
            DocumentType::Stable => "Stable",
            DocumentType::OnDemand => "OnDemand",
        };
        DocumentColumns {
            entry_uuid: entry.entry_uuid,
            document_type: document_type.to_owned(),
            unique_id: entry.unique_id.clone(),
            repository_unique_id: entry.repository_unique_id.clone(),
            hash: entry.hash.clone(),
            size: entry.size.and_then(|size| i64::try_from(size).ok()),
            mime_type: entry.mime_type.clone(),
            class_code: entry.class_code.key(),
            type_code: entry.type_code.key(),
            format_code: entry.format_code.key(),
            practice_setting_code: entry.practice_setting_code.key(),
            healthcare_facility_type_code: entry.healthcare_facility_type_code.key(),
            event_codes: keys(&entry.event_codes),
            confidentiality_codes: keys(&entry.confidentiality_codes),
            author_persons: persons(&entry.authors),
            reference_ids: entry.reference_ids.clone(),
            creation_time: entry.creation_time.as_ref().map(Dtm::padded),
            service_start_time: entry.service_start_time.as_ref().map(Dtm::padded),
            service_stop_time: entry.service_stop_time.as_ref().map(Dtm::padded),
            availability: format!("{:?}", entry.availability.unwrap_or_default()),
        }
    }
}

impl FolderColumns {
    pub fn of(folder: &Folder) -> Self {
        FolderColumns {
            entry_uuid: folder.entry_uuid,
            unique_id: folder.unique_id.clone(),
            codes: keys(&folder.codes),
        }
    }
}

impl AssociationColumns {
    pub fn of(association: &Association) -> Self {
        AssociationColumns {
            entry_uuid: association.entry_uuid,
            association_type: association.association_type.urn().to_owned(),
            source: association.source,
            target: association.target,
            submission_set_status: association.submission_set_status.map(|status| format!("{status:?}")),
        }
    }
}

fn keys(codes: &[Code]) -> Vec<String> {
    codes.iter().map(Code::key).collect()
}

fn persons(authors: &[Author]) -> Vec<String> {
    authors.iter().filter_map(|author| author.person.clone()).collect()
}
