-- Queries that name no patient (ITI-51) start at one of these attributes instead of a record.

create index document_entry_class on document_entry (class_code);
create index document_entry_facility on document_entry (healthcare_facility_type_code);
create index document_entry_event on document_entry using gin (event_codes);
create index folder_code on folder using gin (codes);
