-- Bindings by flow (RFC 5626 §6) instead of by contact: phones register one Contact URI over several flows.
-- Old bindings had no two flows with one contact; each keeps what it is found by.

alter table bindings add column key text not null default '';
update bindings set key = case when instance_id is null or reg_id is null then contact else reg_id || ';' || instance_id end;
-- What two rows would share they cannot both be found by: the one that lasts longer stays.
delete from bindings a using bindings b
    where a.extension_id = b.extension_id and a.key = b.key and (a.expires_at, a.contact) < (b.expires_at, b.contact);
alter table bindings drop constraint bindings_pkey;
alter table bindings add primary key (extension_id, key);
alter table bindings alter column key drop default;

-- Milliseconds of Unix time.
alter table bindings add column registered_at bigint not null default (extract(epoch from now()) * 1000)::bigint;
alter table bindings add column refreshed_at bigint not null default (extract(epoch from now()) * 1000)::bigint;
-- Of the temporary GRUUs that hold (RFC 5627 §5.1).
alter table bindings add column generation bigint;
alter table bindings add column is_unreachable boolean not null default false;
