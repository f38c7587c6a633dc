-- One row per call leg. The whole record is the API's JSON; what lists filter by stands in columns of its own.
create table calls (
    id text primary key,
    customer_id text not null,
    direction text not null,
    status text not null,
    caller text not null,
    callee text not null,
    -- The CallServer instance that owned the call when this was written.
    server text not null,
    sequence bigint not null,
    record jsonb not null
);
create index calls_by_customer on calls (customer_id, id desc);
create index calls_live on calls (server) where status in ('queued', 'ringing', 'in_progress');
