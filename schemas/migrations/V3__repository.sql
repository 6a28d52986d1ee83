-- Documents belong to the repository: no foreign key into the registry, which may be another server.
--
-- stored: durable, registration not known yet; registered: the registry has it; removed: octets are gone (ITI-86).

create table document (
    document    bigint generated always as identity primary key,
    unique_id   text not null,
    blob        text not null unique,
    mime_type   text not null,
    size        bigint not null,
    sha1        text not null,
    sha256      text not null,
    state       text not null check (state in ('stored', 'registered', 'removed')),
    stored_at   timestamptz not null default now()
);

create index document_unique_id on document (unique_id);
create index document_unsettled on document (stored_at) where state = 'stored';
