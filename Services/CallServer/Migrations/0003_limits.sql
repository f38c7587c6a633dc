-- How many calls customers may have. All of it is in the memory of every CallServer.
create table limits (
    id text primary key,
    customer_id text not null,
    scope text not null check (scope in ('customer', 'trunk', 'destination')),
    -- A trunk's name, a number or a prefix with an asterisk; empty for the customer itself.
    target text not null check ((target = '') = (scope = 'customer')),
    -- Null: any number, or for the customer itself the installation's default.
    concurrent_calls bigint check (concurrent_calls >= 0),
    calls_per_second bigint check (calls_per_second >= 0),
    max_call_seconds bigint check (max_call_seconds > 0),
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default clock_timestamp(),
    unique (customer_id, scope, target)
);
