-- What: registry objects under their record number, which leads the indexes so that cost follows the record.
--
-- fragment: the object as ebXML with holes for what can change. It holds everything that was submitted; the columns
-- are what is queried, read out of it. Codes are 'code^^scheme'. Times are DTM in UTC, 14 digits, missing parts filled
-- with their lowest value. removed_at hides an object that ITI-62 removed.

create table submission_set (
    record              bigint not null references record,
    entry_uuid          uuid not null,
    unique_id           text not null,
    source_id           text not null,
    patient_id          text not null,
    submission_time     text not null collate "C",
    content_type_code   text not null,
    author_persons      text[] not null,
    intended_recipients text[] not null,
    status              text not null check (status in ('Approved', 'Deprecated')),
    fragment            text not null,
    registered_at       timestamptz not null default now(),
    removed_at          timestamptz,
    primary key (record, entry_uuid)
);

create table document_entry (
    record                          bigint not null references record,
    entry_uuid                      uuid not null,
    logical_id                      uuid not null,
    version                         integer not null default 1,
    submission_set                  uuid not null,
    document_type                   text not null check (document_type in ('Stable', 'OnDemand')),
    status                          text not null check (status in ('Approved', 'Deprecated')),
    availability                    text not null default 'Online' check (availability in ('Online', 'Offline')),
    unique_id                       text not null,
    repository_unique_id            text,
    patient_id                      text not null,
    hash                            text,
    size                            bigint,
    mime_type                       text not null,
    class_code                      text not null,
    type_code                       text not null,
    format_code                     text not null,
    practice_setting_code           text not null,
    healthcare_facility_type_code   text not null,
    event_codes                     text[] not null,
    confidentiality_codes           text[] not null,
    author_persons                  text[] not null,
    reference_ids                   text[] not null,
    creation_time                   text collate "C",
    service_start_time              text collate "C",
    service_stop_time               text collate "C",
    fragment                        text not null,
    registered_at                   timestamptz not null default now(),
    removed_at                      timestamptz,
    primary key (record, entry_uuid),
    unique (logical_id, version)
);

create index document_entry_record_created on document_entry (record, creation_time desc);

create table folder (
    record              bigint not null references record,
    entry_uuid          uuid not null,
    logical_id          uuid not null,
    version             integer not null default 1,
    submission_set      uuid not null,
    status              text not null check (status in ('Approved', 'Deprecated')),
    unique_id           text not null,
    patient_id          text not null,
    codes               text[] not null,
    last_update_time    text not null collate "C",
    fragment            text not null,
    registered_at       timestamptz not null default now(),
    removed_at          timestamptz,
    primary key (record, entry_uuid),
    unique (logical_id, version)
);

-- An association lives in the record of its source; its target may belong to another (SubmissionSet Reference).
create table association (
    record                  bigint not null references record,
    entry_uuid              uuid not null,
    submission_set          uuid not null,
    association_type        text not null,
    source                  uuid not null,
    target                  uuid not null,
    status                  text not null check (status in ('Approved', 'Deprecated')),
    submission_set_status   text check (submission_set_status in ('Original', 'Reference')),
    previous_version        integer,
    fragment                text not null,
    registered_at           timestamptz not null default now(),
    removed_at              timestamptz,
    primary key (record, entry_uuid)
);

create index association_source on association (source);
create index association_target on association (target);

-- Global keys: uniqueness, and the way from an id to its record.
create table object (
    entry_uuid  uuid primary key,
    record      bigint not null,
    kind        text not null check (kind in ('DocumentEntry', 'SubmissionSet', 'Folder', 'Association'))
);

-- A DocumentEntry may share its uniqueId with another of the same octets; a SubmissionSet or Folder may not.
create table unique_id (
    value       text not null,
    kind        text not null check (kind in ('DocumentEntry', 'SubmissionSet', 'Folder')),
    entry_uuid  uuid not null,
    record      bigint not null,
    primary key (value, entry_uuid)
);

create unique index unique_id_alone on unique_id (value) where kind <> 'DocumentEntry';

-- What the CDA header tells beyond XDS.
create table header_fact (
    record          bigint not null references record,
    entry_uuid      uuid not null,
    set_id          text,
    version_number  integer,
    ins             text,
    ins_authority   text,
    birth_name      text,
    birth_given     text,
    used_name       text,
    used_given      text,
    gender          text,
    birth_date      text,
    birth_place     text,
    primary key (record, entry_uuid)
);

create index header_fact_set on header_fact (record, set_id, version_number) where set_id is not null;
