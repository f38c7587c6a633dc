-- A call's timeline is tens of KiB of JSON: lz4 takes a fifth of the time that PostgreSQL's own way does. Not every PostgreSQL was built with it.
do $$
begin
    alter table calls.timelines alter column entries set compression lz4;
exception when feature_not_supported then
    null;
end $$;
