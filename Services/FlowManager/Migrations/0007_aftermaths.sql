-- Runs that nobody asks for the next step of, since no call has them: whoever lives goes on with them.
alter table runs
    add column alone boolean not null default false,
    -- How many runs came before it of which each was to be followed by the next.
    add column chain integer not null default 0;
create index runs_alone on runs (id) where alone and status = 'running';

-- What is to run when a recording is there.
create table recording_ends (
    recording_id text collate "C" primary key,
    customer_id text not null,
    flow_id text not null,
    -- The run that began the recording, and its call.
    run_id text not null,
    reference_id text not null,
    created_at timestamptz not null default now()
);
create index recording_ends_by_age on recording_ends (created_at);
