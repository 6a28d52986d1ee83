-- Documents of the French shared record are archived (up to date, put away) or deleted (withdrawn, kept).

alter table document_entry drop constraint document_entry_status_check;
alter table document_entry add constraint document_entry_status_check
    check (status in ('Approved', 'Deprecated', 'Archived', 'Deleted'));
