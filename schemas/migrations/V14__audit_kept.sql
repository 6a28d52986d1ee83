-- Traces go by right in two ways: whole months of a kind whose time is over (audit_event loses a partition), and the content
-- of the events of a patient whose record is over (content and salt become null). In both cases the leaves stay in
-- audit_tile, and an event states what went.

-- The event that states that this one was blanked.
alter table audit_event add column blanked_by uuid;
create index audit_event_blanked on audit_event (month, kind, position) where blanked_by is not null;

-- A copy of every event that makes such a statement: these never go. position: once the event has one.
create table audit_statement (
    id          uuid primary key,
    position    bigint,
    salt        bytea not null,
    content     bytea not null
);

-- Makes room for the events of one month, without waiting for those who read others.
create or replace function audit_open_month(month date) returns void language plpgsql as $$
declare
    kind text;
    part text;
begin
    foreach kind in array array['access', 'operation', 'received'] loop
        part := 'audit_' || kind || to_char(month, '_YYYY_MM');
        if to_regclass(part) is null then
            execute format('create table %I (like %I)', part, 'audit_' || kind);
            execute format(
                'alter table %I attach partition %I for values from (%L) to (%L)',
                'audit_' || kind, part, month, (month + interval '1 month')::date);
        end if;
    end loop;
end $$;

-- The months of each kind that there is room for.
create function audit_months() returns table (kind smallint, month date) language sql stable as $$
    select whole.kind::smallint, to_date(right(part.relname, 7), 'YYYY_MM')
    from (values (1, 'audit_access'::regclass), (2, 'audit_operation'), (3, 'audit_received')) as whole (kind, oid)
    join pg_inherits on inhparent = whole.oid
    join pg_class as part on part.oid = inhrelid
$$;

-- Drops the events of one kind of a month.
create function audit_close_month(kind smallint, month date) returns void language plpgsql as $$
begin
    execute format('drop table %I', 'audit_' || (array['access', 'operation', 'received'])[kind] || to_char(month, '_YYYY_MM'));
end $$;
