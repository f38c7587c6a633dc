-- Since when a parked call has been on its way to whoever fetches it.
alter table parked_calls add column taken_at timestamptz;
