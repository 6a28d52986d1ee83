-- All versions of a Folder carry its uniqueId, so it is no longer unique by row: the registry checks it under a lock on the
-- uniqueId. That of a SubmissionSet stays so.

drop index unique_id_alone;
create unique index unique_id_alone on unique_id (value) where kind = 'SubmissionSet';
