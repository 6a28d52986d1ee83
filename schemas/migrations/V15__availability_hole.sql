-- Fragments of the first versions have a hole for documentAvailability, which no reader fills any more. Where a document is
-- offline somebody said so; where it is not, the Slot was added by the registry.

update document_entry set fragment = replace(
    fragment,
    '<rim:Slot name="documentAvailability"><rim:ValueList><rim:Value>' || chr(4) || '</rim:Value></rim:ValueList></rim:Slot>',
    case availability
        when 'Offline' then '<rim:Slot name="documentAvailability"><rim:ValueList><rim:Value>urn:ihe:iti:2010:DocumentAvailability:Offline</rim:Value></rim:ValueList></rim:Slot>'
        else ''
    end)
where position(chr(4) in fragment) > 0;
