-- What happened on calls that are over: one row for a call with all it was connected with.
create table timelines (
    -- The first leg.
    call_id text primary key,
    customer_id text not null,
    -- JSON, read only as a whole.
    entries text not null,
    stored_at timestamptz not null default now()
);
create index timelines_by_age on timelines (stored_at);
