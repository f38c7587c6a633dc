-- Where calls go on to that the phones of an extension do not take.
alter table extensions add column do_not_disturb boolean not null default false;
alter table extensions add column forwarding jsonb;
