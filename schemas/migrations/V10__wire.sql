-- A submission that a repository has sent to the registry of another process and whose outcome is not known yet. event is its
-- trace, to be written when the registry turns out to have it.

create table filing (
    filing          bigint generated always as identity primary key,
    submission_set  text not null,
    event           jsonb not null,
    begun_at        timestamptz not null default now()
);

alter table document add column filing bigint references filing;

create index document_filing on document (filing) where filing is not null;

-- Answers that go out on a connection of their own (WS-Addressing ReplyTo), until they are delivered. With a requester,
-- envelope is a request that is carried out at each attempt: its answer carries documents, which are not kept twice.
create table outbox (
    message         bigint generated always as identity primary key,
    recipient       text not null,
    action          text not null,
    encoding        text not null check (encoding in ('simple', 'mtom')),
    message_id      text not null,
    relates_to      text,
    envelope        text not null,
    requester       jsonb,
    accepted_at     timestamptz not null default now(),
    attempts        integer not null default 0,
    next_attempt_at timestamptz not null default now(),
    last_error      text,
    given_up_at     timestamptz
);

create index outbox_due on outbox (next_attempt_at) where given_up_at is null;
