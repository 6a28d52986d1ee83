-- Who: a record and the identifiers by which it is known.
-- A merge sets record.survivor; rows stay where they are and queries expand the set, so an error can be undone.

create table record (
    record      bigint generated always as identity primary key,
    state       text not null default 'open' check (state in ('open', 'closed')),
    survivor    bigint references record,
    opened_at   timestamptz not null default now(),
    closed_at   timestamptz,
    check (survivor <> record)
);

create index record_survivor on record (survivor) where survivor is not null;

-- A CX is identified by its id and the authority's OID.
create table patient_identifier (
    authority   text not null,
    value       text not null,
    record      bigint not null references record,
    added_at    timestamptz not null default now(),
    primary key (authority, value)
);

create index patient_identifier_record on patient_identifier (record);

-- What may not change once there are data, such as repository.unique_id.
create table setting (
    name        text primary key,
    value       text not null
);
