-- Conferences: rooms that people dial into. One number names one conference of a customer.
create table conferences (
    id text primary key,
    customer_id text not null,
    name text not null,
    number text,
    pin text,
    max_participants integer not null,
    created_at timestamptz not null,
    updated_at timestamptz not null
);

create unique index conferences_number on conferences (customer_id, number) where number is not null;
create index conferences_by_customer on conferences (customer_id, id desc);
