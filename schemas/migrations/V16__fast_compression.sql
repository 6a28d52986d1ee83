-- Fragments are read far more often than written, and unpack several times faster so. Those that are there stay as they are.
-- A PostgreSQL that was built without LZ4 goes on as before.

do $$
declare name text;
begin
    foreach name in array array['document_entry', 'submission_set', 'folder', 'association'] loop
        execute format('alter table %I alter column fragment set compression lz4', name);
    end loop;
exception when feature_not_supported then
    null;
end $$;
