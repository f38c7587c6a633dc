-- What customers have laid down for mailboxes. One that is not here is there as well, from its first message on.
create table mailboxes (
    id text collate "C" primary key,
    customer_id text not null,
    name text not null,
    -- Salted and slow to try; null: whoever a flow lets in is in.
    pin_hash text,
    greeting_text text,
    greeting_urls text[] not null default '{}',
    max_messages integer,
    -- Wrong PINs one after the other, and until when none is looked at any more.
    failures integer not null default 0,
    locked_until timestamptz,
    -- Counts the changes, and the events that tell of them.
    version integer not null,
    -- Makes a creation that is delivered twice happen once.
    idempotency_key text not null,
    created_at timestamptz not null,
    updated_at timestamptz not null,
    unique (customer_id, name),
    unique (customer_id, idempotency_key)
);
create index mailboxes_of_customer on mailboxes (customer_id, id desc);
