-- Traces that are sent to audit record repositories of others: how far each of them is. Events before this position were
-- sent, and need not be sent again when the connection breaks.
create table audit_forward (
    target      text primary key,
    position    bigint not null
);

-- What other nodes sent in place of an audit message. length counts its octets, octets has the first of them.
create table audit_rejected (
    id          bigint generated always as identity primary key,
    received_at timestamptz not null,
    peer        text not null,
    transport   text not null,
    reason      text not null,
    length      bigint not null,
    octets      bytea not null
);
