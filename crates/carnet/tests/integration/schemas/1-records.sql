-- A record and the identifier that leads to it.
insert into record (state)
    values ('open');
insert into patient_identifier (value, record, authority)
    values ('279035121518989', '1', '1.2.250.1.213.1.4.10');
-- What may not change any more.
insert into setting (name, value)
    values ('repository.unique_id', '1.2.250.1.999.7');
