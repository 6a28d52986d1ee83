-- What removal needs of the repository.
--
-- patient_id: the CX under which a document was filed, so that its removal is traced for the patient even when the
-- registry has forgotten it. purged_at: when the octets of a removed document were gone; until then the sweep tries.

alter table document add column patient_id text;
alter table document add column removed_at timestamptz;
alter table document add column purged_at timestamptz;

create index document_unpurged on document (document) where state = 'removed' and purged_at is null;

-- Documents that were made when an On-Demand entry was retrieved. The same content of the same entry keeps its uniqueId
-- and its time, and thereby its octets.
create table made_document (
    on_demand_id    text not null,
    content         text not null,
    unique_id       text not null unique,
    made_at         timestamptz not null,
    primary key (on_demand_id, content)
);
