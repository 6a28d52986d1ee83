-- What ITI-62 removes leaves these tables: no object is hidden by a time of its removal.

alter table submission_set drop column removed_at;
alter table document_entry drop column removed_at;
alter table folder drop column removed_at;
alter table association drop column removed_at;
