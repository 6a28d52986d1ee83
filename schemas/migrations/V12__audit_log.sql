-- Traces become a log that cannot be bent: an append-only sequence of events, the leaves of a hash tree (RFC 6962) whose
-- heads are signed.
--
-- content is the event as canonical octets (JSON, never written again); leaf = SHA-256(0x00 || salt || content). The other
-- columns repeat what the content says, for searching, and are compared with it by `carnet audit verify`.
--
-- A transaction writes into audit_inbox, which has no other index than the order of arrival. The sequencer moves what is
-- committed into audit_event, where each event has its position in the log.

alter table audit_event rename to audit_event_before;
alter index audit_event_pkey rename to audit_event_before_pkey;
alter index audit_event_patient rename to audit_event_before_patient;
alter index audit_event_at rename to audit_event_before_at;

create table audit_inbox (
    seq         bigint generated always as identity primary key,
    id          uuid not null,
    at          timestamptz not null,
    -- 1: access to a record; 2: operation of the server; 3: received from another node.
    kind        smallint not null,
    patient_id  text,
    -- the empty text when the event names a patient of no authority.
    patient_authority text,
    salt        bytea not null,
    content     bytea not null,
    leaf        bytea not null
);

-- month: the first day of the month in which the event got its position. Kinds are kept for different times, whole months
-- at a time.
create table audit_event (
    position    bigint not null,
    month       date not null,
    kind        smallint not null,
    id          uuid not null,
    at          timestamptz not null,
    patient_id  text,
    patient_authority text,
    -- null once the content is blanked; the leaf stays in audit_tile.
    salt        bytea,
    content     bytea
) partition by list (kind);

create table audit_access partition of audit_event for values in (1) partition by range (month);
create table audit_operation partition of audit_event for values in (2) partition by range (month);
create table audit_received partition of audit_event for values in (3) partition by range (month);

create index audit_event_position on audit_event (position);
create index audit_event_patient on audit_event (patient_id, patient_authority, at, id) where patient_id is not null;
create index audit_event_at on audit_event (at, id);
create index audit_event_id on audit_event (id);

-- Makes room for the events of one month.
create function audit_open_month(month date) returns void language plpgsql as $$
declare
    kind text;
begin
    foreach kind in array array['access', 'operation', 'received'] loop
        execute format(
            'create table if not exists %I partition of %I for values from (%L) to (%L)',
            'audit_' || kind || to_char(month, '_YYYY_MM'), 'audit_' || kind, month, (month + interval '1 month')::date);
    end loop;
end $$;

-- The hash tree in tiles of 256 hashes of 32 octets: level 0 has the leaves, each level above the heads of whole tiles below.
create table audit_tile (
    level       smallint not null,
    index       bigint not null,
    hashes      bytea not null,
    primary key (level, index)
);

-- Signed heads of the tree: a note of each, in the order of their sizes.
create table audit_checkpoint (
    size        bigint primary key,
    at          timestamptz not null,
    note        text not null
);

-- What is there and what waits, for people with SQL.
create view audit_trail as
    select position, id, at, kind, patient_id, patient_authority, content ->> 'act' as act,
        content ->> 'outcome' as outcome, content
    from (
        select position, id, at, kind, patient_id, patient_authority, convert_from(content, 'UTF8')::jsonb as content
        from audit_event
        union all
        select null, id, at, kind, patient_id, patient_authority, convert_from(content, 'UTF8')::jsonb from audit_inbox
    ) as event;

-- Events of before: the process that rendered their messages is all that those said beyond the content.
insert into audit_inbox (id, at, kind, patient_id, patient_authority, salt, content, leaf)
select id, at, case when act in ('node-refused', 'audit-read', 'server-started', 'server-stopped') then 2 else 1 end,
    patient_id, case when patient_id is not null then coalesce(patient_authority, '') end, salt, octets,
    sha256('\x00'::bytea || salt || octets)
from (
    select *, convert_to(
        jsonb_set(content, '{source,process}',
            to_jsonb(coalesce(substring(message from 'AlternativeUserID="([0-9]+)"')::int, 0)))::text, 'UTF8') as octets
    from audit_event_before
) as event
order by at, id;

drop table audit_event_before;
