-- How conferences announce who comes and goes, what they speak, and sounds of their own.
alter table conferences
    add column announce text not null default 'none',
    add column language text,
    add column music_on_hold boolean not null default false,
    add column prompts jsonb;
