-- How conferences are held. PINs are sealed with the cluster's key; those in `pin` are when the service starts.
alter table conferences
    add column sealed_pin bytea,
    add column sealed_moderator_pin bytea,
    add column wait_for_moderator boolean not null default false,
    add column entry_tone boolean not null default false,
    add column exit_tone boolean not null default false,
    add column mute_on_entry boolean not null default false,
    add column end_when_moderator_leaves boolean not null default false,
    add column locked boolean not null default false,
    add column digit_controls boolean not null default true;
