-- Customers, their keys and users, what POSTs with an idempotency key came to, and the log of events.

create table accounts.customers (
    id text primary key,
    name text not null,
    domain text not null unique,
    status text not null default 'active' check (status in ('active', 'suspended')),
    -- What the Registrar has still to be told; null when it knows.
    pending text default 'put' check (pending in ('put', 'remove')),
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now()
);

create table accounts.users (
    id text primary key,
    customer_id text not null references accounts.customers on delete cascade,
    email text not null,
    name text not null,
    password_hash text,
    created_at timestamptz not null default now(),
    unique (customer_id, email)
);

create table accounts.keys (
    id text primary key,
    customer_id text not null references accounts.customers on delete cascade,
    name text not null,
    -- SHA-256 of the secret, which is stored nowhere.
    digest bytea not null unique,
    -- Separated by spaces.
    scopes text not null,
    expires_at timestamptz,
    created_at timestamptz not null default now()
);
create index keys_of_customer on accounts.keys (customer_id, id);

create table accounts.requests (
    -- The customer acted for, or `operator`.
    owner text not null,
    key text not null,
    -- SHA-256 of method, path and body.
    fingerprint bytea not null,
    -- What the ids of the things it creates are made from.
    seed bytea not null,
    -- Who performs it, and until when that is believed.
    locked_until timestamptz not null,
    status integer,
    location text,
    -- Sealed: an answer may hold a secret that is shown once.
    body bytea,
    created_at timestamptz not null default now(),
    primary key (owner, key)
);
create index requests_by_age on accounts.requests (created_at);

create table accounts.events (
    -- In the order of commit: one writer at a time, under an advisory lock.
    cursor bigint generated always as identity primary key,
    id text not null unique,
    customer_id text not null,
    type text not null,
    resource_id text not null,
    sequence bigint not null,
    happened_at timestamptz not null,
    data jsonb not null,
    stored_at timestamptz not null default now()
);
create index events_of_customer on accounts.events (customer_id, cursor);
create index events_of_resource on accounts.events (resource_id, cursor);
create index events_by_age on accounts.events (stored_at);
