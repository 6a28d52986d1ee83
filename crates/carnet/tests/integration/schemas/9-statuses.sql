-- The document that replaced another is archived.
update document_entry set status = 'Archived' where entry_uuid = '06c77e2c-6103-48dc-8064-084cd2897977';
