-- What those who watch an extension's phones (RFC 4235) are told besides what is in the record: JSON; null for a leg that is no phone's.
alter table calls add column dialog text;
create index calls_live_of_customers on calls (customer_id) where status in ('queued', 'ringing', 'in_progress');
-- Extensions whose phones are watched, and until when: changes of their dialogs are told.
create table watched (
    customer_id text not null,
    number text not null,
    until timestamptz not null,
    primary key (customer_id, number)
);
create index watched_by_time on watched (until);
