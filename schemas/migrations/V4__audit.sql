-- Traces. content is the event as Carnet knows it, message the same event as a DICOM audit message (PS3.15 A.5).
-- salt keeps a digest of the event from being guessed from its content.

create table audit_event (
    id              uuid primary key,
    at              timestamptz not null,
    act             text not null,
    outcome         text not null,
    patient_id      text,
    patient_authority text,
    salt            bytea not null,
    content         jsonb not null,
    message         text not null
);

create index audit_event_patient on audit_event (patient_id, patient_authority, at);
create index audit_event_at on audit_event (at);
