-- Recordings of rooms. A row is there before the first sound; where it is kept follows from customer, day and id.
create table recordings (
    id text primary key,
    customer_id text not null,
    room_id text not null,
    call_id text,
    conference_id text,
    participant_id text,
    status text not null,
    layout text not null,
    format text not null,
    terms jsonb not null,
    -- Who writes it, or brings it where it is kept.
    instance text not null,
    incarnation text not null,
    -- One for each process that has gone on with it.
    parts integer not null default 1,
    duration_ms bigint,
    size bigint,
    sha256 text,
    tracks jsonb,
    end_reason text,
    interrupted boolean not null default false,
    -- `local`: in a folder; `s3`: in the object store, under the same name.
    location text not null default 'local',
    -- Of an upload in pieces that has not ended.
    upload_id text,
    started_at timestamptz not null,
    ended_at timestamptz,
    stored_at timestamptz
);

create index recordings_by_customer on recordings (customer_id, id desc);
create index recordings_by_call on recordings (customer_id, call_id, id desc) where call_id is not null;
create index recordings_by_conference on recordings (customer_id, conference_id, id desc) where conference_id is not null;
create index recordings_unfinished on recordings (status) where status in ('recording', 'paused', 'storing');
create index recordings_by_age on recordings (stored_at) where status in ('stored', 'failed');
