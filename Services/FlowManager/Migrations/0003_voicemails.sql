-- Messages in mailboxes. The sound of each is a recording of the ConferenceServer's.
create table voicemails (
    id text collate "C" primary key,
    customer_id text not null,
    mailbox text not null,
    -- `new` or `read`.
    status text not null,
    call_id text not null,
    caller text not null,
    recording_id text not null,
    duration_ms bigint not null,
    -- Counts the events of this message.
    version integer not null,
    created_at timestamptz not null,
    read_at timestamptz,
    -- A recording that is put into a mailbox twice is one message.
    unique (customer_id, recording_id)
);
create index voicemails_of_mailbox on voicemails (customer_id, mailbox, id);
create index voicemails_of_customer on voicemails (customer_id, id desc);
