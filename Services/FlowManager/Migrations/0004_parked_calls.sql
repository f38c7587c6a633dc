-- Calls that wait in slots of parking lots until another fetches them.
create table parked_calls (
    customer_id text not null,
    lot text not null,
    slot text not null,
    call_id text not null,
    -- The call that is fetching it.
    taken_by text,
    parked_at timestamptz not null default now(),
    -- Whoever parked it has given it up by then; what is still here is forgotten.
    expires_at timestamptz not null,
    primary key (customer_id, lot, slot),
    unique (customer_id, call_id)
);
create index parked_calls_expire on parked_calls (customer_id, lot, expires_at);
