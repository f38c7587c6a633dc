-- Who wrote the record: of two processes that take a call for theirs the later one's counts.
alter table calls add column epoch bigint not null default 0;
