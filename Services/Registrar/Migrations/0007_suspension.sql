-- The phones of a suspended customer are refused.
alter table domains add column is_suspended boolean not null default false;
