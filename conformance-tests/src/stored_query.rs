//! The stored queries and their parameters (TF-2 3.18.4.1.2.3.7, 3.51.4.1.2.3; Metadata Update 3.18.4.1.2.3.5).

use crate::offer::Need;

pub struct StoredQuery {
    pub name: &'static str,
    pub id: &'static str,
    /// Options without which a server does not know it.
    pub needs: &'static [Need],
    /// How the names of its parameters begin, unless they are written out.
    beginning: &'static str,
    parameters: &'static str,
    /// Those that only a registry with updates knows.
    of_update: &'static str,
}

impl StoredQuery {
    /// Each parameter, and what a server must offer to know it.
    pub fn parameters(&self) -> impl Iterator<Item = (String, &'static [Need])> {
        let named = |name: &str| match name.starts_with('$') {
            true => name.to_owned(),
            false => format!("{}{name}", self.beginning),
        };
        let usual = self.parameters.split(' ').map(move |name| (named(name), self.needs));
        let of_update = self.of_update.split(' ').filter(|name| !name.is_empty());
        usual.chain(of_update.map(move |name| (named(name), UPDATE)))
    }
}

const UPDATE: &[Need] = &[Need::Update];

pub const STORED_QUERIES: [StoredQuery; 16] = [
    StoredQuery {
        name: "FindDocuments",
        id: "urn:uuid:14d4debf-8f97-4251-9a74-a90016b0af0d",
        needs: &[],
        beginning: "$XDSDocumentEntry",
        parameters: "PatientId Status ClassCode TypeCode PracticeSettingCode HealthcareFacilityTypeCode FormatCode EventCodeList ConfidentialityCode AuthorPerson CreationTimeFrom CreationTimeTo ServiceStartTimeFrom ServiceStartTimeTo ServiceStopTimeFrom ServiceStopTimeTo Type",
        of_update: "DocumentAvailability $MetadataLevel",
    },
    StoredQuery {
        name: "FindSubmissionSets",
        id: "urn:uuid:f26abbcb-ac74-4422-8a30-edb644bbc1a9",
        needs: &[],
        beginning: "$XDSSubmissionSet",
        parameters: "PatientId SourceId SubmissionTimeFrom SubmissionTimeTo AuthorPerson ContentType Status",
        of_update: "",
    },
    StoredQuery {
        name: "FindFolders",
        id: "urn:uuid:958f3006-baad-4929-a4de-ff1114824431",
        needs: &[],
        beginning: "$XDSFolder",
        parameters: "PatientId LastUpdateTimeFrom LastUpdateTimeTo CodeList Status",
        of_update: "$MetadataLevel",
    },
    StoredQuery {
        name: "GetAll",
        id: "urn:uuid:10b545ea-725c-446d-9b95-8aeb444eddf3",
        needs: &[],
        beginning: "$XDS",
        parameters: "$patientId DocumentEntryStatus SubmissionSetStatus FolderStatus DocumentEntryFormatCode DocumentEntryConfidentialityCode DocumentEntryType",
        of_update: "AssociationStatus $MetadataLevel",
    },
    StoredQuery {
        name: "GetDocuments",
        id: "urn:uuid:5c4f972b-d56b-40ac-a5fc-c8ca9b40b9d4",
        needs: &[],
        beginning: "$XDSDocumentEntry",
        parameters: "EntryUUID UniqueId",
        of_update: "LogicalID $MetadataLevel",
    },
    StoredQuery {
        name: "GetFolders",
        id: "urn:uuid:5737b14c-8a1a-4539-b659-e03a34a5e1e4",
        needs: &[],
        beginning: "$XDSFolder",
        parameters: "EntryUUID UniqueId",
        of_update: "LogicalID $MetadataLevel",
    },
    StoredQuery {
        name: "GetAssociations",
        id: "urn:uuid:a7ae438b-4bc2-4642-93e9-be891f7bb155",
        needs: &[],
        beginning: "$XDS",
        parameters: "$uuid",
        of_update: "AssociationStatus $MetadataLevel",
    },
    StoredQuery {
        name: "GetDocumentsAndAssociations",
        id: "urn:uuid:bab9529a-4a10-40b3-a01f-f68a615d247a",
        needs: &[],
        beginning: "$XDS",
        parameters: "DocumentEntryEntryUUID DocumentEntryUniqueId",
        of_update: "AssociationStatus $MetadataLevel",
    },
    StoredQuery {
        name: "GetSubmissionSets",
        id: "urn:uuid:51224314-5390-4169-9b91-b1980040715a",
        needs: &[],
        beginning: "$XDS",
        parameters: "$uuid",
        // It takes $MetadataLevel, which changes nothing: neither SubmissionSets nor their HasMember have a past.
        of_update: "",
    },
    StoredQuery {
        name: "GetSubmissionSetAndContents",
        id: "urn:uuid:e8e3cb2c-e39c-46b9-99e4-c12f57260b83",
        needs: &[],
        beginning: "$XDS",
        parameters: "SubmissionSetEntryUUID SubmissionSetUniqueId DocumentEntryFormatCode DocumentEntryConfidentialityCode DocumentEntryType",
        of_update: "$MetadataLevel",
    },
    StoredQuery {
        name: "GetFolderAndContents",
        id: "urn:uuid:b909a503-523d-4517-8acf-8e5834dfc4c7",
        needs: &[],
        beginning: "$XDS",
        parameters: "FolderEntryUUID FolderUniqueId DocumentEntryFormatCode DocumentEntryConfidentialityCode DocumentEntryType",
        of_update: "AssociationStatus $MetadataLevel",
    },
    StoredQuery {
        name: "GetFoldersForDocument",
        id: "urn:uuid:10cae35a-c7f9-4cf5-b61e-fc3278ffb578",
        needs: &[],
        beginning: "$XDS",
        parameters: "DocumentEntryEntryUUID DocumentEntryUniqueId",
        of_update: "AssociationStatus $MetadataLevel",
    },
    StoredQuery {
        name: "GetRelatedDocuments",
        id: "urn:uuid:d90e5407-b356-4d91-a89f-873917b4b0e6",
        needs: &[],
        beginning: "$XDS",
        parameters: "DocumentEntryEntryUUID DocumentEntryUniqueId $AssociationTypes DocumentEntryType",
        of_update: "AssociationStatus $MetadataLevel",
    },
    StoredQuery {
        name: "FindDocumentsByReferenceId",
        id: "urn:uuid:12941a89-e02e-4be5-967c-ce4bfc8fe492",
        needs: &[Need::ReferenceId],
        beginning: "$XDSDocumentEntry",
        parameters: "PatientId Status ReferenceIdList ClassCode TypeCode PracticeSettingCode HealthcareFacilityTypeCode FormatCode EventCodeList ConfidentialityCode AuthorPerson CreationTimeFrom CreationTimeTo ServiceStartTimeFrom ServiceStartTimeTo ServiceStopTimeFrom ServiceStopTimeTo Type",
        of_update: "DocumentAvailability $MetadataLevel",
    },
    StoredQuery {
        name: "FindDocumentsForMultiplePatients",
        id: "urn:uuid:3d1bdb10-39a2-11de-89c2-2f44d94eaa9f",
        needs: &[Need::MultiPatient],
        beginning: "$XDSDocumentEntry",
        parameters: "PatientId Status ClassCode TypeCode PracticeSettingCode HealthcareFacilityTypeCode FormatCode EventCodeList ConfidentialityCode AuthorPerson CreationTimeFrom CreationTimeTo ServiceStartTimeFrom ServiceStartTimeTo ServiceStopTimeFrom ServiceStopTimeTo Type",
        of_update: "",
    },
    StoredQuery {
        name: "FindFoldersForMultiplePatients",
        id: "urn:uuid:50d3f5ac-39a2-11de-a1ca-b366239e58df",
        needs: &[Need::MultiPatient],
        beginning: "$XDSFolder",
        parameters: "PatientId Status CodeList LastUpdateTimeFrom LastUpdateTimeTo",
        of_update: "",
    },
];

/// The id of the stored query of that name; anything else as it stands.
pub fn query_id(name: &str) -> &str {
    STORED_QUERIES.iter().find(|query| query.name == name).map_or(name, |query| query.id)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_queries_become_ids_and_their_parameters_have_whole_names() {
        assert_eq!(query_id("GetAll"), "urn:uuid:10b545ea-725c-446d-9b95-8aeb444eddf3");
        assert_eq!(query_id("urn:uuid:1"), "urn:uuid:1");
        let folders = STORED_QUERIES.iter().find(|query| query.name == "GetFolders").unwrap();
        let parameters: Vec<_> = folders.parameters().collect();
        let none: &[Need] = &[];
        assert_eq!(
            parameters,
            [
                ("$XDSFolderEntryUUID".to_owned(), none),
                ("$XDSFolderUniqueId".to_owned(), none),
                ("$XDSFolderLogicalID".to_owned(), UPDATE),
                ("$MetadataLevel".to_owned(), UPDATE),
            ]
        );
    }
}
