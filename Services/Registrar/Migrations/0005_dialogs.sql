-- Subscriptions to the dialogs of an extension's phones (RFC 4235) beside those to its registration.
alter table watchers add column package text not null default 'reg';
-- The extension that watches.
alter table watchers add column watcher_number text not null default '';
-- No NOTIFY before; the least there is where one was asked for since the last was begun.
alter table watchers add column quiet_until timestamptz not null default '-infinity';
create index watchers_of_dialogs on watchers (customer_id, number) where package = 'dialog';
