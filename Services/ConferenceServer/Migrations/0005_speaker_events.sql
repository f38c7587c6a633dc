-- Whether who dominates a conference is told.
alter table conferences add column speaker_events boolean not null default false;
