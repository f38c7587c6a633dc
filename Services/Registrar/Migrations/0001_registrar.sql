-- Domains, extensions and their bindings; the outbox for the events of both is the next migration, ServiceKit's.
-- Ids are ULIDs with a prefix: in the collation "C" they sort by the time they were made.

-- The realm of a customer's phones. A name belongs to one customer, a customer has one.
create table domains (
    name text primary key,
    customer_id text not null unique,
    created_at timestamptz not null default now()
);

-- Counts every change of any extension's bindings, so that of two copies the later is known.
create sequence binding_versions;

create table extensions (
    id text collate "C" primary key,
    customer_id text not null references domains (customer_id),
    number text not null,
    name text not null,
    flow_id text,
    -- Both HA1 (RFC 8760), encrypted with the cluster key; the password is not kept.
    credentials bytea not null,
    binding_version bigint not null default nextval('binding_versions'),
    -- Makes a creation that is delivered twice happen once.
    idempotency_key text not null,
    created_at timestamptz not null,
    updated_at timestamptz not null,
    constraint extension_number unique (customer_id, number),
    constraint extension_idempotency unique (customer_id, idempotency_key)
) with (fillfactor = 70);
create index extensions_of_customer on extensions (customer_id, id desc);

create table bindings (
    extension_id text collate "C" not null references extensions (id) on delete cascade,
    customer_id text not null,
    contact text not null,
    path json not null,
    q double precision not null,
    expires_at timestamptz not null,
    call_id text not null,
    cseq bigint not null,
    instance_id text,
    reg_id integer,
    user_agent text,
    primary key (extension_id, contact)
) with (fillfactor = 70);
create index bindings_by_expiry on bindings (expires_at);
