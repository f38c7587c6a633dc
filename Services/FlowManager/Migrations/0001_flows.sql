-- Flows and their runs; the outbox for the events of both is the next migration, ServiceKit's.
-- Ids are ULIDs with a prefix: in the collation "C" they sort by the time they were made.

create table flows (
    id text collate "C" primary key,
    customer_id text not null,
    name text not null,
    actions json not null,
    on_complete_flow_id text,
    version integer not null,
    -- Makes a creation that is delivered twice happen once.
    idempotency_key text not null,
    created_at timestamptz not null,
    updated_at timestamptz not null,
    unique (customer_id, idempotency_key)
);
create index flows_of_customer on flows (customer_id, id desc);

-- A run's row is written at every step: room is left so that its new version fits beside the old one.
create table runs (
    id text collate "C" primary key,
    customer_id text not null,
    flow_id text,
    reference_id text not null,
    -- `running` or why it ended.
    status text not null,
    step integer not null,
    -- Counts the writes of this row; a writer who has read another version writes nothing.
    version integer not null,
    -- Of the last event.
    sequence bigint not null,
    -- Where the run stands, and the lists of actions it works through; null when it is over.
    cursor json,
    lists json,
    created_at timestamptz not null,
    ended_at timestamptz
) with (fillfactor = 60);
create index runs_of_customer on runs (customer_id, id desc);
create index runs_of_reference on runs (customer_id, reference_id, id desc);
create index runs_of_flow on runs (customer_id, flow_id, id desc);
