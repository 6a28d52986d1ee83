-- What comes and goes all day keeps its pages: giving them back to the disk holds up all who write.
alter table audit_inbox set (vacuum_truncate = off);
alter table filing set (vacuum_truncate = off);

-- fragment: packed, with what fragments have in common left out; those that are there stay text. A packed one is short enough
-- to stand in its row. This writes the tables anew: on a large database it takes minutes. A PostgreSQL that was built without
-- LZ4 compresses what is text as it did before.
do $$
declare
    name text;
    change text := 'alter table %I alter column fragment type bytea using convert_to(fragment, ''UTF8''),
        alter column fragment set storage main';
begin
    foreach name in array array['document_entry', 'submission_set', 'folder', 'association'] loop
        begin
            execute format(change || ', alter column fragment set compression lz4', name);
        exception when feature_not_supported then
            execute format(change, name);
        end;
    end loop;
end $$;
