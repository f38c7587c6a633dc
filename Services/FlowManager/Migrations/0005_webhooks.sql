-- What flows tell web servers without waiting for an answer: here until it was taken, or given up.
create table webhooks (
    -- The `webhook-id` of every attempt.
    id text collate "C" primary key,
    customer_id text not null,
    run_id text not null,
    -- The run's call.
    reference_id text not null,
    request json not null,
    -- Counted up by whoever claims it: what came of an attempt is written by nobody else than who has made the last.
    attempts integer not null,
    -- The incarnation that makes an attempt.
    claimed_by text,
    -- When the next attempt is to be made; while one is made, when that is given up.
    due_at timestamptz not null,
    created_at timestamptz not null default now(),
    -- When it was given up, and why.
    dead_at timestamptz,
    failure text
);
create index webhooks_due on webhooks (due_at) where dead_at is null;
create index webhooks_claimed on webhooks (claimed_by) where dead_at is null and claimed_by is not null;
create index webhooks_dead on webhooks (dead_at) where dead_at is not null;
